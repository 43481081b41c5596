// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nuclio/abi.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "connection.h"

namespace nuclio::runner {

class Call;

// Whom the worker works for, as the processor says it on the command line.
struct Worker {
  std::string handler;
  std::string function_name;
  std::string trigger_kind;
  std::string trigger_name;
  std::int64_t index = 0;
};

// One worker over one connection: the host of abi.h for a function in a process of its own.
class Runner final {
 public:
  explicit Runner(Connection& connection) : connection_(connection) {}
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // The worker's whole life: loads the object, says whether it is ready, answers events until the processor closes the
  // socket or says terminate. Returns the exit code.
  int run(const std::string& object, const Worker& worker);

 private:
  friend class Call;

  void* open(const std::string& object, const Worker& worker);
  void serve();
  void handle_event(const nuclio_wire_frame& frame);
  void handle_batch(const nuclio_wire_frame& frame);
  void handle_one(const nuclio_wire_frame& frame, Call& call);
  bool handle_control(const nuclio_wire_frame& frame);

  void send_started();
  void send_not_started(std::string_view message, std::string_view traceback);
  void send_log(std::int32_t level, std::string_view message, std::string_view variables);
  void send_failed(std::uint64_t call, std::string_view message);

  static const nuclio_host kHost;

  Connection& connection_;
  const nuclio_module_table* module_ = nullptr;
  void* worker_ = nullptr;
  std::atomic<std::uint64_t> current_call_ = 0;  // for the log lines of any thread
};

}  // namespace nuclio::runner
