// SPDX-License-Identifier: Apache-2.0
// What a worker says, checked: the one door through which its frames come in. Everything here borrows the frame.
#pragma once
#include <chrono>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "wire/frame.h"

namespace nuclio::wire {

// The worker's first frame. When it failed, the worker ends; `message` is for the person who deploys the function.
struct Start {
  bool failed = false;
  std::int64_t pid = 0;
  std::string_view message;
  std::string_view traceback;  // "" when the language has none or it would say nothing new
  std::string_view runtime;    // "python 3.11.7, nuclio-sdk 0.6.3"
};

// The answer to one event. Headers are the worker's own text: whoever sends them on checks them.
struct Reply {
  CallId call{0};
  bool failed = false;  // the handler raised: message and traceback say how, body is empty unless the error has one
  bool more = false;    // chunks follow
  int status = 200;     // 100..999
  std::chrono::nanoseconds duration{0};  // of the handler, never negative
  std::string_view content_type;
  std::string_view event_id;
  std::string_view message;
  std::string_view traceback;
  std::string_view body;
  FrameView frame;  // for its headers
};

struct BatchReply {
  CallId call{0};
  std::vector<Reply> replies;  // in the worker's order; matched to events by event_id
};

struct Chunk {
  CallId call{0};
  bool failed = false;  // the answer cannot be completed
  bool more = false;
  std::chrono::nanoseconds duration{0};  // of the whole answer, in the last one
  std::string_view message;
  std::string_view traceback;
  std::string_view body;
};

struct Log {
  CallId call{0};  // 0 outside a call
  log::Level level = log::Level::info;
  std::chrono::system_clock::time_point time;
  std::string_view message;
  std::string_view variables;  // a JSON object as the worker wrote it (parse before use), or ""
  std::string_view logger;
};

struct Metric {
  enum class Kind { counter, gauge, histogram } kind = Kind::counter;
  double value = 0;  // finite
  std::string_view name;
  FrameView frame;  // its headers are the labels
};

// An explicit acknowledgement of a stream's record.
struct Ack {
  CallId call{0};
  std::string_view topic;
  std::int64_t partition = 0;
  std::int64_t offset = 0;
};

// The callbacks asked for by the control frame with this id have run.
struct Done {
  CallId call{0};
};

using FromWorker = std::variant<Start, Reply, BatchReply, Chunk, Log, Metric, Ack, Done>;

// Why::invalid for a frame that no worker may send; such a worker cannot be trusted further and is to be replaced.
Result<FromWorker> from_worker(const FrameView& frame);

}  // namespace nuclio::wire
