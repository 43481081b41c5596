// SPDX-License-Identifier: Apache-2.0
#include "builder/program.h"

#include <array>
#include <string>
#include <utility>

#include "builder/log_lines.h"
#include "loop/stream.h"

namespace nuclio::builder {
Task<Result<void>> run_program(Loop& loop, ChildOptions program, const LogLine& log, Deadline deadline) {
  CO_TRY(Pipe pipe, make_pipe());
  program.descriptors = {{pipe.write.get(), 1}, {pipe.write.get(), 2}};
  CO_TRY(Child child, Child::spawn(loop, program));
  pipe.write.reset();
  Stream output{loop, std::move(pipe.read)};
  LogLines lines{log};
  const std::string too_long = program.argv[0] + " took too long";
  std::array<char, 16384> buffer;
  for (;;) {
    auto count = co_await output.read_some(buffer, deadline);
    if (!count && count.error().why == Why::timeout) co_return fail(Why::timeout, too_long);
    if (!count || *count == 0) break;
    lines.add({buffer.data(), *count});
  }
  lines.end_line();
  auto status = co_await child.exited(deadline);
  if (!status) co_return fail(Why::timeout, too_long);
  if (status->ok()) co_return Result<void>{};
  std::string last = lines.last();
  co_return fail(Why::invalid, last.empty() ? program.argv[0] + " " + status->text() : last);
}

}  // namespace nuclio::builder
