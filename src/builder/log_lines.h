// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "builder/program.h"

namespace nuclio::builder {

// Cuts a program's output into lines: each goes to the log, the last ones are remembered for the message. The log is
// borrowed.
class LogLines {
 public:
  explicit LogLines(const LogLine& log) : log_(log) {}

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
    if (last_.size() == kLinesInMessage) last_.pop_front();
    last_.push_back(std::exchange(line_, {}));
    if (log_) log_(last_.back());
  }
  // Of the lines so far none is for the message. The log may call it, at its end.
  void forget() { last_.clear(); }
  std::string last() const {
    std::string text;
    for (const std::string& line : last_) text += (text.empty() ? "" : "\n") + line;
    return text;
  }

 private:
  static constexpr std::size_t kLinesInMessage = 20;
  const LogLine& log_;
  std::string line_;
  std::deque<std::string> last_;
};

}  // namespace nuclio::builder
