// SPDX-License-Identifier: Apache-2.0
#include "dashboard/cluster.h"

#include <unistd.h>

#include <boost/json/value.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/environment.h"
#include "base/version.h"
#include "builder/artifact.h"
#include "http/proxies.h"
#include "k8s/cluster.h"
#include "oci/url.h"
#include "schema/json.h"

namespace nuclio::dashboard {
namespace {

namespace fs = std::filesystem;

std::string read_all(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

// A mounted Secret of type kubernetes.io/dockerconfigjson or dockercfg, or a folder with docker's own file; and
// Nuclio's way, a file for each registry.
Result<void> add_logins(oci::Keychain& keychain, const std::string& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (entry->is_directory() || name.starts_with("..")) continue;
    if (name != ".dockerconfigjson" && name != ".dockercfg" && !name.ends_with(".json")) continue;
    TRY_DO(keychain.add_pull_secret(entry->path().string(), read_all(entry->path())));
  }
  if (error) return fail(Why::not_found, "--docker-key-dir: cannot read " + folder + ": " + error.message());
  return {};
}

Result<std::string> make_work_folder(const std::vector<std::string>& environment) {
  std::string parent = variable(environment, "TMPDIR");
  std::string path = (parent.empty() ? "/tmp" : parent) + "/nuclio-dashboard-XXXXXX";
  if (!::mkdtemp(path.data())) return fail_errno("making a folder in " + (parent.empty() ? "/tmp" : parent));
  return path;
}

}  // namespace

Cluster::Cluster(Loop& loop, k8s::Cluster cluster, const std::vector<std::string>& environment)
    : client_(loop),
      api_(loop, client_, std::move(cluster), "nuclio-dashboard/" + std::string(kVersion)),
      keychain_(environment),
      namespace_name_("") {}

Cluster::~Cluster() {
  platform_.reset();
  std::error_code ignored;
  if (!work_.empty()) fs::remove_all(work_, ignored);
}

Result<std::unique_ptr<Cluster>> Cluster::find(Loop& loop, const Settings& settings,
                                               const std::vector<std::string>& environment,
                                               const spec::PlatformConfig& config) {
  k8s::ClusterQuery query{.kubeconfig = settings.kubeconfig, .context = settings.context, .environment = environment};
  TRY(auto found, k8s::find_cluster(query));
  const std::string own_namespace = found.namespace_name;
  std::vector<std::string> addresses = settings.external_addresses;
  // To a pod that address is one that only pods reach.
  if (addresses.empty() && !settings.in_cluster) {
    TRY(const oci::Url server, oci::parse_url(found.server));
    addresses.push_back(server.host());
  }
  TRY(auto runtimes, wire::load_runtimes(fs::path(settings.runtimes()).lexically_normal().string()));
  std::unique_ptr<Cluster> out{new Cluster{loop, std::move(found), environment}};
  out->namespace_name_ = Namespace{settings.namespace_name.empty() ? own_namespace : settings.namespace_name};
  out->external_addresses_ = std::move(addresses);
  if (!settings.docker_key_dir.empty()) TRY_DO(add_logins(out->keychain_, settings.docker_key_dir));
  if (const std::string path = oci::docker_config_path(environment); !path.empty())
    TRY_DO(out->keychain_.add_docker_config(path));
  TRY(out->work_, make_work_folder(environment));

  platform::kube::KubePlatformOptions options;
  options.namespaces = {out->namespace_name_};
  for (const std::string& each : config.managed_namespaces)
    if (each != out->namespace_name_.value()) options.namespaces.emplace_back(each);
  options.runtimes = settings.runtimes();
  options.work = out->work_;
  options.environment = environment;
  // Whoever asks a dashboard in a pod is somewhere else; nuctl's own serves its user alone.
  options.asker =
      config.builder.local_sources.value_or(!settings.in_cluster) ? builder::Asker::local : builder::Asker::anyone;
  TRY(options.images.kind, builder::parse_builder_kind(variable(environment, "NUCLIO_CONTAINER_BUILDER_KIND")));
  options.images.cache = settings.home + "/cache/images";
  options.images.parts = fs::path(settings.share() + "/image").lexically_normal().string();
  options.images.program = settings.builder();
  options.images.environment = builder::build_environment(environment);
  options.images.engine_environment = environment;
  options.images.registries.proxies = http::proxies_of(environment);
  options.registry = settings.registry;
  options.run_registry = settings.run_registry;
  options.base_registry = settings.base_registry;
  options.pull_secret = settings.pull_secret;
  options.builds_for_others = settings.in_cluster;
  if (!settings.build_job_image.empty()) {
    platform::kube::CommandJobOptions jobs;
    jobs.image = settings.build_job_image;
    jobs.program = settings.builder();
    jobs.service_account = settings.build_job_service_account;
    jobs.pull_secret = settings.pull_secret;
    if (!settings.build_job_resources.empty()) {
      TRY(auto resources, schema::parse_json(settings.build_job_resources));
      jobs.resources = std::move(resources.as_object());
    }
    options.command_jobs = std::move(jobs);
  }
  options.config = config;
  out->platform_ = std::make_unique<platform::kube::KubePlatform>(loop, out->api_, out->client_, out->keychain_,
                                                                  std::move(runtimes), std::move(options));
  return out;
}

}  // namespace nuclio::dashboard
