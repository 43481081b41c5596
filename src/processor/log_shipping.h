// SPDX-License-Identifier: Apache-2.0
// A client that sends X-Nuclio-Log-Level gets the handler's log lines of that level and above back in X-Nuclio-Logs.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "processor/event.h"

namespace nuclio::processor {

inline constexpr std::string_view kLogLevelHeader = "X-Nuclio-Log-Level";
inline constexpr std::string_view kLogsHeader = "X-Nuclio-Logs";
// Clients and proxies take a header of 4 KiB; Nuclio sends nothing at all when the lines do not fit.
inline constexpr Bytes kLogsLimit{4095};

struct ShippedLogs {
  std::string json;  // [{"level", "time", "name", "message", variables…}, …], in ASCII, so that any header can hold it
  std::size_t left_out = 0;  // lines at the end for which there was no room
};

// `logger` is the "name" of each line; "time" counts milliseconds since the epoch.
ShippedLogs ship_logs(std::span<const LogLine> lines, std::string_view logger, Bytes limit = kLogsLimit);

}  // namespace nuclio::processor
