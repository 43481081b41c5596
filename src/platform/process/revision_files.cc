// SPDX-License-Identifier: Apache-2.0
#include "platform/process/revision_files.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <map>

#include "platform/process/home.h"
#include "schema/yaml.h"
#include "spec/load.h"

namespace nuclio::platform::process {

Result<void> write_revision_files(const std::string& folder, const spec::FunctionConfig& config,
                                  const spec::PlatformConfig& platform) {
  constexpr std::string_view kFreePort = "127.0.0.1:0";
  spec::PlatformConfig own = platform;
  own.kind = spec::PlatformKind::process;
  own.web_admin.listen_address = kFreePort;
  own.health_check.listen_address = kFreePort;
  auto pulled = [](const auto& named) { return named.second.kind == spec::MetricSinkKind::prometheus_pull; };
  if (std::ranges::none_of(own.metrics.sinks, pulled)) own.metrics.sinks["prometheus"] = {};
  for (auto& [name, sink] : own.metrics.sinks)
    if (sink.kind == spec::MetricSinkKind::prometheus_pull) sink.url = kFreePort;
  spec::FunctionConfig shown = config;
  shown.spec.build.code_entry_attributes = {};  // may hold credentials, which no processor needs
  TRY_DO(replace_file(folder + "/processor.yaml", spec::to_processor_yaml(shown)));
  return replace_file(folder + "/platform.yaml", schema::to_yaml(spec::to_json(own, spec::Secrets::shown)));
}

int replica_count(const spec::FunctionSpec& spec) {
  if (spec.disable) return 0;
  if (spec.replicas) return *spec.replicas;
  // A minimum of 0 says that it may be stopped when idle, not that it is to begin so.
  return std::max(1, spec.min_replicas.value_or(1));
}

std::vector<std::string> function_environment(const std::vector<std::string>& own,
                                              const std::vector<spec::EnvironmentVariable>& variables) {
  static constexpr std::array<std::string_view, 7> kKept{"PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "SHELL"};
  std::map<std::string, std::string, std::less<>> values;
  for (const std::string& variable : own) {
    std::size_t sign = variable.find('=');
    if (sign == std::string::npos) continue;
    std::string_view name = std::string_view(variable).substr(0, sign);
    if (std::ranges::find(kKept, name) != kKept.end() || name.starts_with("LC_"))
      values[std::string(name)] = variable.substr(sign + 1);
  }
  for (const auto& variable : variables) values[variable.name] = variable.value;
  std::vector<std::string> out;
  for (const auto& [name, value] : values) out.push_back(name + "=" + value);
  return out;
}

}  // namespace nuclio::platform::process
