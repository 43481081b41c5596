// SPDX-License-Identifier: Apache-2.0
// Programs of others that tests run to see what they make of ours.
#pragma once
#include <string>
#include <vector>

#include "loop/child.h"
#include "loop/stream.h"
#include "oci/test_registry.h"

namespace nuclio::oci {

struct Ran {
  bool ok = false;
  std::string output;  // standard output and error together
};

inline Task<Ran> run_program(Loop& loop, std::vector<std::string> argv) {
  auto pipe = make_pipe();
  ChildOptions options;
  options.argv = std::move(argv);
  options.env = {"PATH=/usr/bin:/bin", "HOME=/nonexistent"};
  options.descriptors = {{pipe->write.get(), 1}, {pipe->write.get(), 2}};
  auto child = Child::spawn(loop, options);
  Ran ran;
  if (!child) {
    ran.output = child.error().what;
    co_return ran;
  }
  pipe->write.reset();
  Stream output{loop, std::move(pipe->read)};
  const Deadline end = Deadline::in(std::chrono::seconds{60});
  for (;;) {
    char buffer[4096];
    auto count = co_await output.read_some(std::span<char>(buffer), end);
    if (!count || *count == 0) break;
    ran.output.append(buffer, *count);
  }
  const auto status = co_await child->exited(end);
  ran.ok = status && status->ok();
  co_return ran;
}

}  // namespace nuclio::oci
