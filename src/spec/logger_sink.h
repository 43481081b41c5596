// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <string>

#include "base/log.h"
#include "schema/schema.h"

namespace nuclio::log {

// The words of the spec for the log's levels; found by argument, so they stand in the namespace of Level.
constexpr auto choices(Level) {
  using schema::Choice;
  return std::array{Choice<Level>{Level::debug, "debug"}, Choice<Level>{Level::info, "info"},
                    Choice<Level>{Level::warn, "warn"}, Choice<Level>{Level::error, "error"},
                    Choice<Level>{Level::warn, "warning"}};
}

}  // namespace nuclio::log

namespace nuclio::spec {

using schema::field;

struct LoggerSink {
  log::Level level = log::Level::debug;
  std::string sink;

  template <class L = LoggerSink>
  static constexpr auto fields() {
    return std::tuple{
        field("level", &L::level, {.doc = "Least level that is written."}),
        field("sink", &L::sink, {.doc = "Name of a sink in logger.sinks of the platform's configuration."}),
    };
  }
};

}  // namespace nuclio::spec
