// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/program_flags.h"
#include "base/result.h"
#include "dashboard/template_source.h"
#include "loop/listener.h"

namespace nuclio::dashboard {

// Where functions run: child processes of this dashboard, or Kubernetes.
enum class PlatformChoice { process, kube };

// What main reads from flags and environment, and nobody else does.
struct Settings {
  Address listen{.host = "127.0.0.1", .port = 8070};
  std::string platform_config;  // a file; "" for the defaults
  PlatformChoice platform = PlatformChoice::process;
  std::string namespace_name;   // on kube "" for the context's, or the pod's own
  std::string home;             // absolute
  std::string programs;         // the folder that the dashboard, the processor and the log keeper are in
  std::string auth_kind;        // "" when nobody has said how callers show who they are; see parse_auth_kinds()
  std::string auth_config;      // a file; "" for the defaults
  std::string audit_log;        // a file; "" for the program's log
  std::string tls_certificate;  // PEM files; "" for plain HTTP
  std::string tls_key;
  int ready_descriptor = -1;  // where to say that we listen, or why not
  // Of the kube platform alone.
  bool private_socket = false;  // listen on a Unix socket that only our user can reach, instead of `listen`
  bool in_cluster = false;      // we are a pod
  std::string kubeconfig;       // a file; KUBECONFIG is the environment's
  std::string context;          // of the kubeconfig
  std::string registry;
  std::string run_registry;
  std::string base_registry;
  std::string docker_key_dir;  // files with logins of registries
  std::string pull_secret;     // name of the Secret with which nodes pull
  std::vector<std::string> external_addresses;
  std::string build_job_image;            // "" where commands run on this machine
  std::string build_job_service_account;  // "" for the namespace's default
  std::string build_job_resources;        // JSON, as a container has them; "" for none
  // Of any platform.
  TemplateFlags template_flags;
  std::vector<TemplateSource> template_sources;  // what they say; a later one's templates count
  Asked asked = Asked::run;

  std::string processor() const { return programs + "/processor"; }
  std::string log_keeper() const { return programs + "/log_keeper"; }
  std::string builder() const { return programs + "/builder"; }
  std::string share() const { return programs + "/../share/nuclio"; }
  std::string runtimes() const { return share() + "/runtimes"; }
};

// `arguments` without the program's name; `environment` as "NAME=value". The error names the flag and what was
// expected.
Result<Settings> read_settings(std::span<const std::string> arguments, const std::vector<std::string>& environment,
                               std::string programs);

std::string help_text();

}  // namespace nuclio::dashboard
