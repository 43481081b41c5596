// SPDX-License-Identifier: Apache-2.0
#include "wire/from_worker.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

namespace nuclio::wire {
namespace {

std::unexpected<Error> refuse(const FrameView& frame, std::string_view what) {
  return fail(Why::invalid,
              "the worker sent a frame of type " + std::string{name(frame.type())} + " " + std::string{what});
}

std::chrono::nanoseconds duration(const FrameView& frame, std::size_t index) {
  return std::chrono::nanoseconds{std::max<std::int64_t>(frame.number(index), 0)};
}

Result<Reply> reply(const FrameView& frame) {
  std::int64_t status = frame.number(NUCLIO_WIRE_REPLY_STATUS, 200);
  if (status < 100 || status > 999)
    return refuse(frame, "whose status is " + std::to_string(status) + " and must be 100 to 999");
  return Reply{.call = frame.call(),
               .failed = frame.failed(),
               .more = frame.more(),
               .status = static_cast<int>(status),
               .duration = duration(frame, NUCLIO_WIRE_REPLY_DURATION_NS),
               .content_type = frame.string(NUCLIO_WIRE_REPLY_CONTENT_TYPE),
               .event_id = frame.string(NUCLIO_WIRE_REPLY_EVENT_ID),
               .message = frame.string(NUCLIO_WIRE_REPLY_MESSAGE),
               .traceback = frame.string(NUCLIO_WIRE_REPLY_TRACEBACK),
               .body = frame.body(),
               .frame = frame};
}

Result<FromWorker> any_reply(const FrameView& frame) {
  if (!frame.nested()) {
    TRY(auto one, reply(frame));
    return FromWorker{one};
  }
  BatchReply batch{frame.call(), {}};
  for (const FrameView& inner : frame.inner()) {
    TRY(auto one, reply(inner));
    batch.replies.push_back(one);
  }
  return FromWorker{std::move(batch)};
}

Result<FromWorker> log_line(const FrameView& frame) {
  std::int64_t level = frame.number(NUCLIO_WIRE_LOG_LEVEL, 1);
  if (level < 0 || level > 3) return refuse(frame, "whose level is " + std::to_string(level) + " and must be 0 to 3");
  constexpr log::Level kLevels[] = {log::Level::debug, log::Level::info, log::Level::warn, log::Level::error};
  return Log{frame.call(),
             kLevels[level],
             frame.timestamp(),
             frame.string(NUCLIO_WIRE_LOG_MESSAGE),
             frame.string(NUCLIO_WIRE_LOG_WITH),
             frame.string(NUCLIO_WIRE_LOG_LOGGER)};
}

Result<FromWorker> metric(const FrameView& frame) {
  std::int64_t kind = frame.number(NUCLIO_WIRE_METRIC_KIND);
  if (kind < 0 || kind > 2) return refuse(frame, "whose kind is " + std::to_string(kind) + " and must be 0 to 2");
  auto value = std::bit_cast<double>(frame.number(NUCLIO_WIRE_METRIC_VALUE_BITS));
  if (!std::isfinite(value)) return refuse(frame, "whose value is not finite");
  return Metric{static_cast<Metric::Kind>(kind), value, frame.string(NUCLIO_WIRE_METRIC_NAME), frame};
}

}  // namespace

Result<FromWorker> from_worker(const FrameView& frame) {
  switch (frame.type()) {
    case Type::start:
      return Start{frame.failed(), frame.number(NUCLIO_WIRE_START_PID), frame.string(NUCLIO_WIRE_START_MESSAGE),
                   frame.string(NUCLIO_WIRE_START_TRACEBACK), frame.string(NUCLIO_WIRE_START_RUNTIME)};
    case Type::reply: return any_reply(frame);
    case Type::chunk:
      return Chunk{.call = frame.call(),
                   .failed = frame.failed(),
                   .more = frame.more(),
                   .duration = duration(frame, NUCLIO_WIRE_CHUNK_DURATION_NS),
                   .message = frame.string(NUCLIO_WIRE_CHUNK_MESSAGE),
                   .traceback = frame.string(NUCLIO_WIRE_CHUNK_TRACEBACK),
                   .body = frame.body()};
    case Type::log: return log_line(frame);
    case Type::metric: return metric(frame);
    case Type::ack:
      return Ack{frame.call(), frame.string(NUCLIO_WIRE_ACK_TOPIC), frame.number(NUCLIO_WIRE_ACK_PARTITION),
                 frame.number(NUCLIO_WIRE_ACK_OFFSET)};
    case Type::control:
      if (frame.number(NUCLIO_WIRE_CONTROL_KIND) != NUCLIO_WIRE_DONE)
        return refuse(frame, "other than \"done\"; drain, terminate and continue are the processor's to say");
      return Done{frame.call()};
    case Type::event:
    case Type::batch:
    case Type::cancel: break;
  }
  return refuse(frame, "and only a processor may");
}

}  // namespace nuclio::wire
