// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "loop/listener.h"

namespace nuclio::dashboard {

// What main reads from flags and environment, and nobody else does.
struct Settings {
  Address listen{.host = "127.0.0.1", .port = 8070};
  std::string platform_config;  // a file; "" for the defaults
  std::string namespace_name = "nuclio";
  std::string home;           // absolute
  std::string programs;       // the folder that the dashboard, the processor and the log keeper are in
  int ready_descriptor = -1;  // where to say that we listen, or why not
  enum class Asked { run, help, version } asked = Asked::run;

  std::string processor() const { return programs + "/processor"; }
  std::string log_keeper() const { return programs + "/log_keeper"; }
  std::string runtimes() const { return programs + "/../share/nuclio/runtimes"; }
};

// `arguments` without the program's name; `environment` as "NAME=value". The error names the flag and what was
// expected.
Result<Settings> read_settings(std::span<const std::string> arguments, const std::vector<std::string>& environment,
                               std::string programs);

std::string help_text();

}  // namespace nuclio::dashboard
