// SPDX-License-Identifier: Apache-2.0
// The log files of replicas: what a processor writes to standard output and error, as it comes.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "http/message.h"
#include "loop/clock.h"
#include "loop/descriptor.h"
#include "loop/loop.h"
#include "platform/platform.h"

namespace nuclio::platform::process {

// A log file grows up to this size and is then moved aside, in place of what was moved there before; a replica has at
// most twice as much, and what it writes between two looks.
inline constexpr Bytes kMaxLogFile{10u << 20};

class ReplicaLog {
 public:
  // A new file; the folder exists.
  static Result<ReplicaLog> create(const std::string& path);

  int descriptor() const { return descriptor_.get(); }  // to append to; for the child
  const std::string& path() const { return path_; }
  // Adds a line of the platform's own.
  void add(std::string_view message);
  // Moves the content aside when there is more than `limit`. The writer goes on with the same open file, so lines that
  // it writes at this very moment can be lost.
  void rotate(Bytes limit = kMaxLogFile);

 private:
  ReplicaLog(std::string path, Descriptor descriptor) : path_(std::move(path)), descriptor_(std::move(descriptor)) {}
  std::string path_;
  Descriptor descriptor_;
};

// The file that rotate() moves to.
std::string older_log(const std::string& path);

// The last lines of a log file, without their ends; fewer when there are no more. For messages: at most 64 KiB are
// looked at.
std::vector<std::string> last_lines(const std::string& path, std::size_t count);

// When a log line of ours was written, console or JSON; nothing for other lines.
std::optional<SystemTime> time_of_line(std::string_view line);

// Reads a log as it was asked for. With `follow` it goes on until `running` says no and all was read; a last line that
// the platform adds when the replica has ended wakes it for that. Why::not_found when there is no such log.
Result<std::unique_ptr<http::BodySource>> read_log(Loop& loop, const std::string& path, const LogRequest& request,
                                                   SystemTime now, std::function<bool()> running);

}  // namespace nuclio::platform::process
