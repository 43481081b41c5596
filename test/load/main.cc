// SPDX-License-Identifier: Apache-2.0
// A client that breaks nothing: it sends what its options say, ends by itself, and tells what became of each request.
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <string_view>

#include "load/options.h"
#include "load/run.h"

namespace nuclio::load {
namespace {

std::atomic<bool> stop = false;

// Timers that end within a microsecond, a descriptor for each connection, and an end on SIGTERM that still reports.
Result<void> prepare(const Plan& plan) {
  prctl(PR_SET_TIMERSLACK, 1UL);
  rlimit descriptors{};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return fail_errno("asking for the limit of descriptors");
  rlim_t wanted = plan.connections + 64;
  if (descriptors.rlim_max < wanted)
    return fail(Why::unavailable, fmt::format("{} connections need {} descriptors; this process may have {}",
                                              plan.connections, wanted, descriptors.rlim_max));
  if (descriptors.rlim_cur < wanted) {
    descriptors.rlim_cur = wanted;
    if (setrlimit(RLIMIT_NOFILE, &descriptors) != 0) return fail_errno("raising the limit of descriptors");
  }
  struct sigaction action{};
  action.sa_handler = [](int) { stop = true; };
  for (int signal : {SIGTERM, SIGINT}) sigaction(signal, &action, nullptr);
  return {};
}

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view{argv[1]} == "--help") {
    fmt::print("{}", usage());
    return 0;
  }
  auto plan = parse_plan({argv + 1, argv + argc});
  if (!plan) {
    fmt::print(stderr, "load: {}; load --help lists the options\n", plan.error().what);
    return 2;
  }
  auto prepared = prepare(*plan);
  auto report = prepared ? run(*plan, stop) : fail(std::move(prepared).error());
  if (!report) {
    fmt::print(stderr, "load: {}\n", report.error().what);
    return 1;
  }
  fmt::print("{}\n", report->json());
  return 0;
}

}  // namespace
}  // namespace nuclio::load

int main(int argc, char** argv) { return nuclio::load::main(argc, argv); }
