// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nuclio::processor {

// What the command line says.
struct Options {
  std::string config = "/etc/nuclio/config/processor/processor.yaml";
  std::string platform_config = "/etc/nuclio/config/platform/platform.yaml";
  std::string runtimes;              // folder; "" for the one that belongs to this program
  std::string code;                  // folder; "" for the place that goes with `config`
  std::optional<int> listen_socket;  // inherited, for the http trigger
  std::optional<int> status;         // where to say how the start went, a JSON object a line
  bool help = false;
  bool version = false;
  bool list_runtimes = false;
};

// Arguments without the program's name. One dash or two, "--flag value" or "--flag=value". Why::invalid names what is
// not understood.
Result<Options> parse_options(std::span<const char* const> arguments);

std::string_view usage();

}  // namespace nuclio::processor
