// SPDX-License-Identifier: Apache-2.0
#include "controller/settings.h"

#include <array>
#include <charconv>

#include "base/duration.h"
#include "base/environment.h"
#include "base/names.h"

namespace nuclio::controller {
namespace {

using Flag = SettingFlag<Settings>;

Result<void> set_namespace(Settings& settings, const std::string& value) {
  if (value != "*") TRY_DO(parse_namespace(value));
  settings.namespace_name = value == "*" ? "" : value;
  settings.all_namespaces = value == "*";
  return {};
}

Result<void> set_workers(Settings& settings, const std::string& value) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size() || number < 1 || number > 64)
    return fail(Why::invalid, "must be a number from 1 to 64, is \"" + value + "\"");
  settings.workers = number;
  return {};
}

template <std::chrono::nanoseconds Settings::* member>
Result<void> set_duration(Settings& settings, const std::string& value) {
  if (value == "0") {
    settings.*member = std::chrono::nanoseconds{0};
    return {};
  }
  TRY(settings.*member, parse_duration(value));
  if ((settings.*member).count() < 0) return fail(Why::invalid, "must not be negative, is \"" + value + "\"");
  return {};
}

Result<void> set_leader_election(Settings& settings, const std::string& value) {
  if (value != "true" && value != "false") return fail(Why::invalid, "must be true or false, is \"" + value + "\"");
  settings.leader_election = value == "true";
  return {};
}

Result<void> set_addresses(Settings& settings, const std::string& value) {
  settings.external_addresses = split_list(value);
  return {};
}

constexpr std::array kFlags{
    Flag{{"kubeconfig-path", "", "Kubeconfig of the cluster (else KUBECONFIG, else a pod's own account)"},
         set_text<&Settings::kubeconfig>},
    Flag{{"namespace", "NUCLIO_CONTROLLER_NAMESPACE",
          "Namespace whose functions it looks after, or * for all (its own)"},
         set_namespace},
    Flag{{"platform-config", "NUCLIO_CONTROLLER_PLATFORM_CONFIG", "File with the platform's settings, a platform.yaml"},
         set_text<&Settings::platform_config>},
    Flag{{"function-operator-num-workers", "NUCLIO_CONTROLLER_FUNCTION_OPERATOR_NUM_WORKERS",
          "Functions that are looked at at the same time (4)"},
         set_workers},
    Flag{{"resync-interval", "NUCLIO_CONTROLLER_RESYNC_INTERVAL",
          "Look at all functions again after so long, such as 10m; 0 only when something has changed (0)"},
         set_duration<&Settings::resync>},
    Flag{{"evicted-pods-cleanup-interval", "NUCLIO_CONTROLLER_EVICTED_PODS_CLEANUP_INTERVAL",
          "Remove evicted pods of functions so often; 0 never (30m)"},
         set_duration<&Settings::evicted_cleanup>},
    Flag{{"external-ip-addresses", "NUCLIO_CONTROLLER_EXTERNAL_IP_ADDRESSES",
          "Addresses at which NodePorts are reached, commas between them (that of a node with one of the function's "
          "pods)"},
         set_addresses},
    Flag{{"leader-election", "NUCLIO_CONTROLLER_LEADER_ELECTION",
          "Whether to wait until no other controller of the namespace works: true or false (true)"},
         set_leader_election},
    Flag{{"lease-namespace", "NUCLIO_CONTROLLER_LEASE_NAMESPACE", "Namespace of the leader's Lease (its own)"},
         set_text<&Settings::lease_namespace>},
    Flag{{"health-addr", "NUCLIO_CONTROLLER_HEALTH_ADDR", "Address of /live and /ready (:8082)"},
         set_text<&Settings::health>},
};

}  // namespace

Result<Settings> read_settings(std::span<const std::string> arguments, const std::vector<std::string>& environment) {
  Settings settings;
  TRY(settings.asked, read_program_flags(kFlags, settings, arguments, environment, "controller"));
  settings.identity = variable(environment, "HOSTNAME");
  if (settings.identity.empty()) settings.identity = "controller";
  return settings;
}

std::string help_text() {
  return "controller makes what Kubernetes has for each NuclioFunction what the function says.\n\n"
         "  controller [flags]\n\n" +
         help_of(kFlags);
}

}  // namespace nuclio::controller
