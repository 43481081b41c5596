// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster.h"

#include <filesystem>

#include "base/environment.h"
#include "http/proxies.h"
#include "k8s/file.h"
#include "k8s/kubeconfig.h"

namespace nuclio::k8s {
namespace {

std::vector<std::string> parts_of(const std::string& list) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(':', begin), list.size());
    if (end > begin) parts.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

// The files that are there, merged; none of them is Why::not_found.
Result<Cluster> from_files(const std::vector<std::string>& paths, const ClusterQuery& query) {
  Kubeconfig config;
  bool any = false;
  std::string looked;
  for (const std::string& path : paths) {
    looked += (looked.empty() ? "" : ", ") + path;
    auto text = read_file(path);
    if (!text && text.error().why == Why::not_found) continue;
    if (!text) return fail(std::move(text).error());
    any = true;
    const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
    TRY_DO(config.add(*text, folder.string(), path));
  }
  if (!any)
    return fail(Why::not_found, "there is no kubeconfig at " + looked +
                                    "; name one by --kubeconfig or KUBECONFIG, or run this in a pod of the cluster");
  TRY(Cluster cluster, config.cluster(query.context));
  if (cluster.program) {
    std::vector<std::pair<std::string, std::string>> environment;
    for (const std::string& each : query.environment)
      if (const std::size_t equal = each.find('='); equal != std::string::npos)
        environment.emplace_back(each.substr(0, equal), each.substr(equal + 1));
    auto& own = cluster.program->environment;
    own.insert(own.begin(), environment.begin(), environment.end());
  }
  return cluster;
}

Result<Cluster> from_pod(const ClusterQuery& query, const std::string& host) {
  const std::string port = variable(query.environment, "KUBERNETES_SERVICE_PORT");
  Cluster cluster;
  const bool is_ip6 = host.find(':') != std::string::npos;
  cluster.server = "https://" + (is_ip6 ? "[" + host + "]" : host) + ":" + (port.empty() ? "443" : port);
  cluster.token_file = query.service_account + "/token";
  auto authorities = read_file(query.service_account + "/ca.crt");
  if (!authorities) return fail(std::move(authorities).error().in("the pod's service account"));
  cluster.authorities = std::move(*authorities);
  if (auto name = read_file(query.service_account + "/namespace"); name && !trimmed(*name).empty())
    cluster.namespace_name = trimmed(*name);
  return cluster;
}

Result<Cluster> look(const ClusterQuery& query) {
  if (!query.kubeconfig.empty()) return from_files({query.kubeconfig}, query);
  if (const auto files = parts_of(variable(query.environment, "KUBECONFIG")); !files.empty())
    return from_files(files, query);
  const std::string host = variable(query.environment, "KUBERNETES_SERVICE_HOST");
  std::error_code error;
  if (!host.empty() && std::filesystem::exists(query.service_account + "/token", error)) return from_pod(query, host);
  const std::string home = variable(query.environment, "HOME");
  if (!home.empty()) return from_files({home + "/.kube/config"}, query);
  return fail(Why::not_found,
              "there is no cluster to speak to: KUBECONFIG and HOME are not set, and this is no pod with a service "
              "account; name a kubeconfig by --kubeconfig");
}

}  // namespace

Result<Cluster> find_cluster(const ClusterQuery& query) {
  TRY(Cluster cluster, look(query));
  if (cluster.proxy.empty()) cluster.proxy = http::proxy_for(http::proxies_of(query.environment), cluster.server + "/");
  return cluster;
}

Result<Cluster> read_kubeconfig(std::string_view text, const std::string& folder, const std::string& context) {
  Kubeconfig config;
  TRY_DO(config.add(text, folder, "the kubeconfig"));
  return config.cluster(context);
}

}  // namespace nuclio::k8s
