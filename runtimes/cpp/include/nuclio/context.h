// SPDX-License-Identifier: Apache-2.0
// What a function knows beside its event.
#pragma once
#include <nuclio/abi.h>
#include <nuclio/log.h>

#include <any>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace nuclio {

namespace detail {
class Worker;
}

// One for each worker, made before init_context and kept until the worker ends. A worker handles one event at a time,
// so what a function keeps here needs no lock; but successive events may be handled on different threads.
class Context final {
 public:
  Context(const nuclio_worker& worker, const nuclio_host& table, void* host)
      : logger(table, host),
        function_name_(detail::view(worker.function_name)),
        trigger_kind_(detail::view(worker.trigger_kind)),
        trigger_name_(detail::view(worker.trigger_name)),
        worker_id_(worker.index),
        table_(&table) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const Logger logger;

  // What init_context made for the handler: a connection, a model, a cache.
  std::any user_data;
  // user_data as what it is; std::bad_any_cast when it is something else.
  template <typename T>
  T& data() {
    return std::any_cast<T&>(user_data);
  }

  std::int64_t worker_id() const { return worker_id_; }
  std::string_view function_name() const { return function_name_; }
  std::string_view trigger_kind() const { return trigger_kind_; }
  std::string_view trigger_name() const { return trigger_name_; }

  // Within a handler: the caller left or its time is up, so that a long computation may give up.
  bool gone() const { return call_ != nullptr && table_->gone(call_) != 0; }

  // Called between events: before the function's share of a stream goes to another worker, and before the worker ends.
  void on_drain(std::function<void()> callback) { on_drain_ = std::move(callback); }
  void on_terminate(std::function<void()> callback) { on_terminate_ = std::move(callback); }

 private:
  friend class detail::Worker;

  std::string function_name_;
  std::string trigger_kind_;
  std::string trigger_name_;
  std::int64_t worker_id_;
  const nuclio_host* table_;
  void* call_ = nullptr;
  std::function<void()> on_drain_;
  std::function<void()> on_terminate_;
};

}  // namespace nuclio
