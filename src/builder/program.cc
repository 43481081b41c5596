// SPDX-License-Identifier: Apache-2.0
#include "builder/program.h"

#include <array>
#include <deque>
#include <string>
#include <utility>

#include "loop/stream.h"

namespace nuclio::builder {
namespace {

constexpr std::size_t kLinesInMessage = 20;

// Cuts a program's output into lines: each goes to the log, the last ones are remembered for the message.
class Lines {
 public:
  explicit Lines(const LogLine& log) : log_(log) {}

  void add(std::string_view bytes) {
    for (char c : bytes) {
      if (c == '\n') {
        end_line();
      } else if (c != '\r' && line_.size() < kMaxLogLine) {
        line_ += c;
      }
    }
  }
  void end_line() {
    if (line_.empty()) return;
    if (log_) log_(line_);
    if (last_.size() == kLinesInMessage) last_.pop_front();
    last_.push_back(std::exchange(line_, {}));
  }
  std::string last() const {
    std::string text;
    for (const std::string& line : last_) text += (text.empty() ? "" : "\n") + line;
    return text;
  }

 private:
  const LogLine& log_;
  std::string line_;
  std::deque<std::string> last_;
};

}  // namespace

Task<Result<void>> run_program(Loop& loop, ChildOptions program, const LogLine& log, Deadline deadline) {
  CO_TRY(Pipe pipe, make_pipe());
  program.descriptors = {{pipe.write.get(), 1}, {pipe.write.get(), 2}};
  CO_TRY(Child child, Child::spawn(loop, program));
  pipe.write.reset();
  Stream output{loop, std::move(pipe.read)};
  Lines lines{log};
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
