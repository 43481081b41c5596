// SPDX-License-Identifier: Apache-2.0
// Which API server to speak to, and as whom. The formats are kubectl's: a kubeconfig file, or what a pod is given.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/client.h"

namespace nuclio::k8s {

// A program that gives credentials (users[].user.exec of a kubeconfig, client.authentication.k8s.io/v1 and v1beta1).
struct CredentialProgram {
  std::string api_version;
  std::vector<std::string> argv;  // argv[0] is looked up in PATH, or beside the kubeconfig when it has a slash
  std::vector<std::pair<std::string, std::string>> environment;  // beside ours; the last of two by a name counts
  std::string install_hint;
  bool wants_cluster = false;  // to be told which cluster it is for
};

struct Cluster {
  std::string server;       // "https://10.0.0.1:6443", without a slash at its end
  std::string authorities;  // PEM; "" for the system's
  http::VerifyPeer verify_peer = http::VerifyPeer::yes;
  std::string tls_server_name;     // that the certificate must name; "" for the server's host
  std::string client_certificate;  // PEM, "" for none
  std::string client_key;          // PEM
  std::string token;
  std::string token_file;  // read again for each request: the kubelet renews it
  std::string username;    // HTTP basic authentication; "" for none
  std::string password;
  std::optional<CredentialProgram> program;
  std::string proxy;                       // "" for none
  std::string namespace_name = "default";  // the context's, or the pod's own
  std::string context;                     // its name in the kubeconfig; "" in a pod
};

// Where to look, as main has read it from flags and environment.
struct ClusterQuery {
  std::string kubeconfig;  // --kubeconfig: a file; wins over all else
  std::string context;     // of the kubeconfig; "" for its current one
  // The environment, "NAME=value": KUBECONFIG (files, ':' between them, merged as kubectl does), HOME (~/.kube/config),
  // KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT (in a pod).
  std::vector<std::string> environment;
  std::string service_account = "/var/run/secrets/kubernetes.io/serviceaccount";
};

// A kubeconfig by flag or KUBECONFIG, else the pod's own account, else ~/.kube/config. Why::not_found says where it
// looked and what to do; Why::invalid quotes file and field.
Result<Cluster> find_cluster(const ClusterQuery& query);

// One kubeconfig's text; relative paths in it start at `folder`. A credential program would get no environment but what
// stands there.
Result<Cluster> read_kubeconfig(std::string_view text, const std::string& folder, const std::string& context);

}  // namespace nuclio::k8s
