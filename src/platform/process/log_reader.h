// SPDX-License-Identifier: Apache-2.0
// Reads the log files of replicas, which a log keeper (src/log_keeper) writes and moves aside.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "loop/clock.h"
#include "loop/loop.h"
#include "platform/platform.h"

namespace nuclio::platform::process {

// The file that a log is moved to when it is full.
std::string older_log(const std::string& path);

// The last lines of a log file, without their ends; fewer when there are no more. For messages: at most 64 KiB are
// looked at.
std::vector<std::string> last_lines(const std::string& path, std::size_t count);

// When a log line of ours was written, console or JSON; nothing for other lines.
std::optional<SystemTime> time_of_line(std::string_view line);

// Reads a log as it was asked for. With `follow` it goes on, over files that are moved aside, until `running` says no
// and all was read; wake_readers() wakes it for that. A reader that falls behind by more than the older file holds
// misses lines, and a line in their place says so. Why::not_found when there is no such log.
Result<std::unique_ptr<http::BodySource>> read_log(Loop& loop, const std::string& path, const LogRequest& request,
                                                   SystemTime now, std::function<bool()> running);
// Makes those who follow a log look whether its replica runs.
void wake_readers(const std::string& path);

}  // namespace nuclio::platform::process
