// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nuclio/abi.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nuclio::test {

// A host of abi.h that keeps what it was told. One worker, one call at a time, one thread.
class RecordingHost final {
 public:
  struct Answer {
    int replies = 0;
    int failures = 0;
    int status = 0;
    std::string content_type;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    bool more = false;
    std::vector<std::string> pieces;
    std::string message;
  };

  explicit RecordingHost(const nuclio_module_table& module) : module_(module) {}
  ~RecordingHost() {
    if (worker_ != nullptr) module_.close(worker_);
  }
  RecordingHost(const RecordingHost&) = delete;
  RecordingHost& operator=(const RecordingHost&) = delete;

  bool open(std::string_view handler) {
    const nuclio_worker worker = {.size = sizeof(nuclio_worker),
                                  .handler = text(handler),
                                  .function_name = text("shop"),
                                  .trigger_kind = text("http"),
                                  .trigger_name = text("front"),
                                  .index = 3};
    worker_ = module_.open(&worker, &kTable, this);
    return worker_ != nullptr;
  }

  // Calls and, when the answer goes on, streams, until `pieces` of them have been taken.
  const Answer& call(const nuclio_event& event, int pieces = 1000) {
    answer_ = {};
    pieces_wanted_ = pieces;
    module_.call(worker_, &event, this);
    if (answer_.more) module_.stream(worker_, this);
    return answer_;
  }

  void signal(nuclio_signal signal) { module_.signal(worker_, signal); }

  static nuclio_text text(std::string_view text) { return {text.data(), text.size()}; }

  bool gone = false;
  std::string open_failure;
  std::vector<std::string> log;  // "level message variables"

 private:
  static std::string string(nuclio_text text) { return {text.data, text.size}; }
  static RecordingHost& self(void* host) { return *static_cast<RecordingHost*>(host); }

  void replied(const nuclio_reply& reply) {
    ++answer_.replies;
    answer_.status = reply.status;
    answer_.content_type = string(reply.content_type);
    answer_.body = string(reply.body);
    answer_.more = reply.more != 0;
    for (std::size_t i = 0; i < reply.headers.size; ++i)
      answer_.headers.emplace_back(string(reply.headers.data[i].name), string(reply.headers.data[i].value));
  }

  void failed(const nuclio_failure& failure) {
    ++answer_.failures;
    answer_.message = string(failure.message);
    if (answer_.more) return;
    answer_.status = failure.status;
    answer_.content_type = string(failure.content_type);
    answer_.body = string(failure.body);
  }

  bool take(nuclio_text piece) {
    if (static_cast<int>(answer_.pieces.size()) == pieces_wanted_) return false;
    answer_.pieces.push_back(string(piece));
    return true;
  }

  static const nuclio_host kTable;

  const nuclio_module_table& module_;
  void* worker_ = nullptr;
  Answer answer_;
  int pieces_wanted_ = 0;
};

inline const nuclio_host RecordingHost::kTable = {
    sizeof(nuclio_host),
    [](void* host, std::int32_t level, nuclio_text message, nuclio_text variables) {
      constexpr std::string_view kLevels[] = {"debug", "info", "warn", "error"};
      self(host).log.push_back(std::string(kLevels[level]) + " " + string(message) +
                               (variables.size == 0 ? "" : " " + string(variables)));
    },
    [](void* host, const nuclio_failure* failure) { self(host).open_failure = string(failure->message); },
    [](void* call, const nuclio_reply* reply) { self(call).replied(*reply); },
    [](void* call, const nuclio_failure* failure) { self(call).failed(*failure); },
    [](void* call, nuclio_text piece) -> std::int32_t { return self(call).take(piece) ? 1 : 0; },
    [](void* call) -> std::int32_t { return self(call).gone ? 1 : 0; },
};

}  // namespace nuclio::test
