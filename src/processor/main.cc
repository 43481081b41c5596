// SPDX-License-Identifier: Apache-2.0
// From the command line to a processor that serves, and back out.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/version.h"
#include "loop/group.h"
#include "loop/loop.h"
#include "loop/run.h"
#include "loop/signals.h"
#include "loop/wait_list.h"
#include "processor/assembly.h"
#include "processor/configuration.h"
#include "processor/options.h"
#include "processor/side_thread.h"
#include "wire/runtime.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

// For everything that is to be done between SIGTERM and the end, beside the configured pause: a bit less than the 30 s
// that Kubernetes waits before it kills.
constexpr std::chrono::seconds kDrainTime = 28s;

// Who started the processor may wait for this, and may stop reading at any time.
class Status {
 public:
  explicit Status(std::optional<int> descriptor) : descriptor_(descriptor.value_or(-1)) {}
  void ready(const Addresses& addresses) const {
    std::string list;
    for (const auto& [name, address] : addresses)
      list += (list.empty() ? "" : ",") + log::json_string(name) + ":" + log::json_string(address);
    write("{\"state\":\"ready\",\"addresses\":{" + list + "}}\n");
  }
  void failed(const Error& error) const {
    write("{\"state\":\"failed\",\"message\":" + log::json_string(error.what) + "}\n");
  }
  // It was told to end and takes no new events; whoever connects now reaches another.
  void draining() const { write("{\"state\":\"draining\"}\n"); }

 private:
  void write(const std::string& line) const {
    if (descriptor_ >= 0 && ::write(descriptor_, line.data(), line.size()) < 0)
      log::debug("nobody reads the status", {{"descriptor", descriptor_}});
  }
  int descriptor_;
};

int give_up(const Status& status, const Error& error) {
  status.failed(error);
  fmt::print(stderr, "processor: {}\n", error.what);
  return 1;
}

Task<void> await_signal(Signals& signals, std::optional<int>& number, WaitList& changed) {
  for (;;) {
    int next = co_await signals.next();
    if (number) log::info("stopping already; this takes a moment", {{"signal", next}});
    number = next;
    changed.notify_all();
  }
}

Task<void> start(Assembly& assembly, std::optional<Result<Addresses>>& started, WaitList& changed) {
  started = co_await assembly.start();
  changed.notify_all();
}

// The processor's life: start, serve until told to stop, finish what has begun.
Task<int> serve(Loop& loop, Signals& signals, Assembly& assembly, const Status& status,
                const Configuration& configuration) {
  WaitList changed{loop};
  std::optional<int> signal;
  std::optional<Result<Addresses>> started;
  Group listening{loop};
  Group starting{loop};
  listening.spawn(await_signal(signals, signal, changed));
  starting.spawn(start(assembly, started, changed));
  while (!started && !signal) (void)co_await changed.wait();
  if (!started) {
    log::info("told to stop before the function was ready");
    co_return 0;
  }
  if (!*started) co_return give_up(status, started->error());

  for (const auto& [name, address] : **started) log::info("listening", {{"for", name}, {"address", address}});
  log::info("function ready", {{"function", configuration.function.metadata.name}});
  status.ready(**started);

  while (!signal) (void)co_await changed.wait();
  log::info("stopping", {{"signal", *signal}});
  const Deadline deadline = Deadline::in(kDrainTime + spec::drain_pause(configuration.platform));
  co_await assembly.stop_accepting(deadline);
  status.draining();
  co_await assembly.drain(deadline);
  log::info("stopped");
  co_return 0;
}

int list_runtimes(const Options& options) {
  auto runtimes = wire::load_runtimes(options.runtimes.empty() ? runtimes_folder() : options.runtimes);
  if (!runtimes) {
    fmt::print(stderr, "processor: {}\n", runtimes.error().what);
    return 1;
  }
  for (const wire::Runtime& runtime : *runtimes) fmt::print("{}\n", runtime.name);
  return 0;
}

// Inherited descriptors are ours, not our workers'.
Result<void> keep(std::optional<int> descriptor, std::string_view flag) {
  if (!descriptor || fcntl(*descriptor, F_SETFD, FD_CLOEXEC) == 0) return {};
  return fail(Why::invalid, fmt::format("{} names descriptor {}, which is not open", flag, *descriptor));
}

int run(int argc, char** argv, char** environment) {
  auto options = parse_options({argv + 1, argv + argc});
  if (!options) {
    fmt::print(stderr, "processor: {}\n", options.error().what);
    return 2;
  }
  if (options->help) {
    fmt::print("{}", usage());
    return 0;
  }
  if (options->version) {
    fmt::print("nuclio processor {} ({})\n", kVersion, kCommit);
    return 0;
  }
  if (options->list_runtimes) return list_runtimes(*options);

  ignore_broken_pipes();
  auto kept = keep(options->status, "--status-fd");
  Status status{kept ? options->status : std::nullopt};
  if (kept) kept = keep(options->listen_socket, "--listen-fd");
  if (!kept) return give_up(status, kept.error());

  std::vector<std::string> variables;
  for (char** entry = environment; *entry; ++entry) variables.emplace_back(*entry);
  auto configuration = read_configuration(*options, std::move(variables));
  if (!configuration) return give_up(status, configuration.error());
  log::configure(log_options(*configuration));
  for (const std::string& warning : configuration->warnings) log::warn(warning);

  Loop loop;
  Signals signals{loop, {SIGTERM, SIGINT}};
  Assembly assembly{loop, *configuration, Descriptor{options->listen_socket.value_or(-1)}};
  int code = run_until_done(loop, serve(loop, signals, assembly, status, *configuration));
  // A thread that is lost in the function's code may still use what would be torn down here.
  if (SideThread::left_behind() > 0 || assembly.lost_a_thread()) std::_Exit(code);
  return code;
}

}  // namespace
}  // namespace nuclio::processor

int main(int argc, char** argv, char** environment) { return nuclio::processor::run(argc, argv, environment); }
