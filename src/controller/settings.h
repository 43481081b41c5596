// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "base/program_flags.h"
#include "base/result.h"

namespace nuclio::controller {

// What main reads from flags and environment, and nobody else does. Where Nuclio's controller has a flag or a variable
// for something, it is the same one.
struct Settings {
  std::string kubeconfig;
  std::string namespace_name;  // "" for the context's or the pod's own
  bool all_namespaces = false;
  std::string platform_config = "/etc/nuclio/config/platform/platform.yaml";  // need not exist
  std::string identity;                                                       // among controllers: the pod's name
  std::string lease_namespace;  // where the leader's Lease is; the context's or the pod's own when empty
  bool leader_election = true;
  std::size_t workers = 4;
  std::chrono::nanoseconds resync{0};
  std::chrono::nanoseconds evicted_cleanup = std::chrono::minutes{30};
  std::vector<std::string> external_addresses;
  std::string health = ":8082";
  Asked asked = Asked::run;
};

// `arguments` without the program's name; `environment` as "NAME=value". The error names the flag and what was
// expected.
Result<Settings> read_settings(std::span<const std::string> arguments, const std::vector<std::string>& environment);

std::string help_text();

}  // namespace nuclio::controller
