// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/log.h"
#include "processor/event.h"
#include "processor/worker_identity.h"

namespace nuclio::processor {

// What the handler said about one event, to be sent back with the answer. Bounded: what is above the limit is only in
// the log.
class CollectedLogs {
 public:
  void begin(std::optional<log::Level> least);
  void add(log::Level level, std::chrono::system_clock::time_point time, std::string_view message,
           std::string_view variables);
  bool wants(log::Level level) const { return least_ && level >= *least_; }
  std::vector<LogLine> take() { return std::move(lines_); }

 private:
  static constexpr Bytes kMost{64 << 10};
  std::optional<log::Level> least_;
  std::vector<LogLine> lines_;
  Bytes size_;
};

// Where a function's own lines go. They are told by code that may be hostile, so what claims to be JSON is read before
// it is passed on. Any thread; outlives the workers.
class FunctionLog {
 public:
  FunctionLog(std::string function_name, log::Level least) : logger_(std::move(function_name)), least_(least) {}

  // `variables` is a JSON object or "". `event_id` is "" outside of a call, and `shipped` is then null.
  void line(const WorkerIdentity& worker, std::string_view event_id, CollectedLogs* shipped, log::Level level,
            std::chrono::system_clock::time_point time, std::string_view message, std::string_view variables) const;
  // The handler raised.
  void failure(const WorkerIdentity& worker, std::string_view event_id, CollectedLogs* shipped,
               const HandlerFailure& failure) const;

 private:
  std::string logger_;
  log::Level least_;
};

}  // namespace nuclio::processor
