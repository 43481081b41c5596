// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "processor/options.h"
#include "spec/function.h"
#include "spec/platform_config.h"
#include "wire/runtime.h"

namespace nuclio::processor {

// All that the processor goes by, read once. Nothing else looks at files or the environment for settings.
struct Configuration {
  spec::FunctionConfig function;  // enriched
  spec::PlatformConfig platform;  // its kind is decided
  wire::Runtime runtime;
  std::string code;                      // absolute
  std::vector<std::string> environment;  // as main got it
  std::vector<std::string> warnings;

  // "" when it is not set; Nuclio's "nil" and "none" mean the same.
  std::string_view variable(std::string_view name) const;
};

// Why::invalid with everything that is wrong in the files, Why::not_found when there is no function.
Result<Configuration> read_configuration(const Options& options, std::vector<std::string> environment);

// The folder of the runtimes that belong to this program: <its folder>/../share/nuclio/runtimes.
std::string runtimes_folder();

// How the processor logs, by the platform's settings and the function's loggerSinks.
log::Options log_options(const Configuration& configuration);
// The least level of the function's own lines.
log::Level function_log_level(const Configuration& configuration);

}  // namespace nuclio::processor
