// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "dashboard/settings.h"
#include "http/client.h"
#include "k8s/api.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/keychain.h"
#include "platform/kube/kube_platform.h"
#include "spec/platform_config.h"

namespace nuclio::dashboard {

// A cluster and what is needed to deploy to it: its API server, logins of registries, the platform. Lives on its loop's
// thread, and is where it was made for as long as it lives.
class Cluster {
 public:
  // From flags and environment. Why::not_found when there is no kubeconfig, and no pod's account either.
  static Result<std::unique_ptr<Cluster>> find(Loop& loop, const Settings& settings,
                                               const std::vector<std::string>& environment,
                                               const spec::PlatformConfig& config);
  ~Cluster();

  platform::kube::KubePlatform& platform() { return *platform_; }
  k8s::Api& api() { return api_; }
  const Namespace& namespace_name() const { return namespace_name_; }
  // Where NodePorts are reached: as the settings say, else where the API server is, as Nuclio has it.
  const std::vector<std::string>& external_addresses() const { return external_addresses_; }
  // A folder that only our user can enter, which goes with us.
  const std::string& folder() const { return work_; }

 private:
  Cluster(Loop& loop, k8s::Cluster cluster, const std::vector<std::string>& environment);
  http::Client client_;
  k8s::Api api_;
  oci::Keychain keychain_;
  Namespace namespace_name_;
  std::vector<std::string> external_addresses_;
  std::string work_;
  std::unique_ptr<platform::kube::KubePlatform> platform_;
};

}  // namespace nuclio::dashboard
