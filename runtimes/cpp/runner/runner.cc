// SPDX-License-Identifier: Apache-2.0
#include "runner.h"

#include <time.h>
#include <unistd.h>

#include <iterator>
#include <vector>

#include "call.h"
#include "object.h"

namespace nuclio::runner {
namespace {

std::string_view view(nuclio_text text) { return {text.data, text.size}; }
nuclio_text abi_text(std::string_view text) { return {text.data(), text.size()}; }
nuclio_text abi_text(nuclio_wire_text text) { return {text.data, text.length}; }
nuclio_wire_text wire(std::string_view text) { return {text.data() == nullptr ? "" : text.data(), text.size()}; }

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

// An event as the object sees it; borrows the frame.
class DecodedEvent final {
 public:
  DecodedEvent(const nuclio_wire_frame& frame, std::int64_t deadline_ns) {
    pairs_.reserve(std::size_t{frame.headers} + frame.fields);
    const auto append = [&](nuclio_wire_pair pair) { pairs_.push_back({abi_text(pair.name), abi_text(pair.value)}); };
    for (std::size_t i = 0; i < frame.headers; ++i) append(nuclio_wire_header(&frame, i));
    for (std::size_t i = 0; i < frame.fields; ++i) append(nuclio_wire_field(&frame, i));
    const auto string = [&](std::size_t index) { return abi_text(nuclio_wire_string(&frame, index)); };
    event_ = {
        .size = sizeof event_,
        .id = string(NUCLIO_WIRE_EVENT_ID),
        .method = string(NUCLIO_WIRE_EVENT_METHOD),
        .path = string(NUCLIO_WIRE_EVENT_PATH),
        .url = string(NUCLIO_WIRE_EVENT_URL),
        .content_type = string(NUCLIO_WIRE_EVENT_CONTENT_TYPE),
        .trigger_kind = string(NUCLIO_WIRE_EVENT_TRIGGER_KIND),
        .trigger_name = string(NUCLIO_WIRE_EVENT_TRIGGER_NAME),
        .type = string(NUCLIO_WIRE_EVENT_TYPE),
        .type_version = string(NUCLIO_WIRE_EVENT_TYPE_VERSION),
        .version = string(NUCLIO_WIRE_EVENT_VERSION),
        .topic = string(NUCLIO_WIRE_EVENT_TOPIC),
        .headers = {pairs_.data(), frame.headers},
        .fields = {pairs_.data() + frame.headers, frame.fields},
        .body = {reinterpret_cast<const char*>(frame.body), frame.body_length},
        .timestamp_ns = frame.timestamp_ns,
        .deadline_ns = deadline_ns,
        .shard_id = nuclio_wire_number(&frame, NUCLIO_WIRE_EVENT_SHARD_ID, -1),
        .num_shards = nuclio_wire_number(&frame, NUCLIO_WIRE_EVENT_NUM_SHARDS, 0),
        .offset = nuclio_wire_number(&frame, NUCLIO_WIRE_EVENT_OFFSET, 0),
    };
  }

  const nuclio_event* get() const { return &event_; }

 private:
  std::vector<nuclio_pair> pairs_;
  nuclio_event event_;
};

}  // namespace

const nuclio_host Runner::kHost = {
    sizeof(nuclio_host),
    [](void* host, std::int32_t level, nuclio_text message, nuclio_text variables) {
      static_cast<Runner*>(host)->send_log(level, view(message), view(variables));
    },
    [](void* host, const nuclio_failure* failure) {
      static_cast<Runner*>(host)->send_not_started(view(failure->message), view(failure->traceback));
    },
    [](void* call, const nuclio_reply* reply) { static_cast<Call*>(call)->reply(*reply); },
    [](void* call, const nuclio_failure* failure) { static_cast<Call*>(call)->fail(*failure); },
    [](void* call, nuclio_text piece) -> std::int32_t { return static_cast<Call*>(call)->write(view(piece)) ? 1 : 0; },
    [](void* call) -> std::int32_t { return static_cast<Call*>(call)->gone() ? 1 : 0; },
};

int Runner::run(const std::string& object, const Worker& worker) {
  worker_ = open(object, worker);
  if (worker_ == nullptr) return 1;
  send_started();
  serve();
  module_->close(worker_);
  return connection_.complaint().empty() ? 0 : 1;
}

void* Runner::open(const std::string& object, const Worker& worker) {
  const auto loaded = load_object(object);
  if (!loaded) {
    send_not_started(loaded.error(), "");
    return nullptr;
  }
  module_ = *loaded;
  const nuclio_worker abi_worker = {.size = sizeof(nuclio_worker),
                                    .handler = abi_text(worker.handler),
                                    .function_name = abi_text(worker.function_name),
                                    .trigger_kind = abi_text(worker.trigger_kind),
                                    .trigger_name = abi_text(worker.trigger_name),
                                    .index = worker.index};
  return module_->open(&abi_worker, &kHost, this);
}

void Runner::serve() {
  while (const auto frame = connection_.receive()) {
    const nuclio_wire_frame& view = frame->view;
    switch (view.type) {
      case NUCLIO_WIRE_EVENT: handle_event(view); break;
      case NUCLIO_WIRE_BATCH: handle_batch(view); break;
      case NUCLIO_WIRE_CONTROL:
        if (!handle_control(view)) return;
        break;
      default: break;  // a cancel that came too late, or what a newer processor says to a newer worker
    }
  }
}

void Runner::handle_event(const nuclio_wire_frame& frame) {
  if (connection_.cancelled_in_queue(frame.call)) return;
  Call call(connection_, frame, frame.call, nullptr);
  current_call_ = frame.call;
  handle_one(frame, call);
  current_call_ = 0;
}

// The SDK has no handlers of batches: a function sees the events one by one.
void Runner::handle_batch(const nuclio_wire_frame& frame) {
  if (connection_.cancelled_in_queue(frame.call)) return;
  current_call_ = frame.call;
  std::string replies;
  std::size_t position = 0;
  nuclio_wire_frame event;
  while (nuclio_wire_next(&frame, &position, &event) != 0) {
    Call call(connection_, event, frame.call, &replies);
    handle_one(event, call);
  }
  const bool sent = connection_.send(
      {.type = NUCLIO_WIRE_REPLY, .flags = NUCLIO_WIRE_NESTED, .call = frame.call, .body_length = replies.size()},
      replies);
  if (!sent)
    send_failed(frame.call, "the responses to the batch are too large: they have " + std::to_string(replies.size()) +
                                " bytes and may have " + std::to_string(connection_.limit()) +
                                "; let them, or the trigger's batch, be smaller");
  current_call_ = 0;
}

void Runner::handle_one(const nuclio_wire_frame& frame, Call& call) {
  const DecodedEvent event(frame, call.deadline_ns());
  module_->call(worker_, event.get(), &call);
  if (call.streams())
    module_->stream(worker_, &call);
  else
    module_->abandon(worker_);  // it may have promised more of an answer that turned out too large to send
  call.finish();
}

// False after terminate.
bool Runner::handle_control(const nuclio_wire_frame& frame) {
  const std::int64_t kind = nuclio_wire_number(&frame, NUCLIO_WIRE_CONTROL_KIND, 0);
  if (kind != NUCLIO_WIRE_DRAIN && kind != NUCLIO_WIRE_TERMINATE) return true;
  module_->signal(worker_, kind == NUCLIO_WIRE_DRAIN ? NUCLIO_SIGNAL_DRAIN : NUCLIO_SIGNAL_TERMINATE);
  const std::int64_t done[] = {NUCLIO_WIRE_DONE};
  connection_.send({.type = NUCLIO_WIRE_CONTROL, .call = frame.call, .number = done, .numbers = 1}, "");
  return kind != NUCLIO_WIRE_TERMINATE;
}

void Runner::send_started() {
  const std::int64_t numbers[] = {getpid()};
  const nuclio_wire_text strings[] = {wire(""), wire(""), wire(view(module_->runtime))};
  connection_.send({.type = NUCLIO_WIRE_START,
                    .number = numbers,
                    .string = strings,
                    .numbers = std::size(numbers),
                    .strings = std::size(strings)},
                   "");
}

void Runner::send_not_started(std::string_view message, std::string_view traceback) {
  const std::int64_t numbers[] = {getpid()};
  const nuclio_wire_text strings[] = {wire(message), wire(traceback)};
  connection_.send({.type = NUCLIO_WIRE_START,
                    .flags = NUCLIO_WIRE_FAILED,
                    .number = numbers,
                    .string = strings,
                    .numbers = std::size(numbers),
                    .strings = std::size(strings)},
                   "");
}

void Runner::send_log(std::int32_t level, std::string_view message, std::string_view variables) {
  const std::int64_t numbers[] = {level};
  const nuclio_wire_text strings[] = {wire(message), wire(variables)};
  connection_.send({.type = NUCLIO_WIRE_LOG,
                    .call = current_call_,
                    .timestamp_ns = now_ns(),
                    .number = numbers,
                    .string = strings,
                    .numbers = std::size(numbers),
                    .strings = std::size(strings)},
                   "");
}

void Runner::send_failed(std::uint64_t call, std::string_view message) {
  const std::int64_t numbers[] = {500};
  const nuclio_wire_text strings[] = {wire(""), wire(""), wire(message)};
  connection_.send({.type = NUCLIO_WIRE_REPLY,
                    .flags = NUCLIO_WIRE_FAILED,
                    .call = call,
                    .number = numbers,
                    .string = strings,
                    .numbers = std::size(numbers),
                    .strings = std::size(strings)},
                   "");
}

}  // namespace nuclio::runner
