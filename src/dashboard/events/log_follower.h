// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <deque>
#include <functional>
#include <set>
#include <string>

#include "dashboard/events/message.h"
#include "loop/group.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "loop/wait_list.h"

namespace nuclio::dashboard {

// Follows what the replicas of a function log, those that come later too, for all who want to know. Lives on its loop's
// thread; the platform outlives it.
class LogFollower {
 public:
  // Of each replica that is there already, so many lines at first.
  static constexpr std::size_t kFirstLines = 50;
  static constexpr std::size_t kRecent = 64;  // messages that are kept for whoever comes later
  static constexpr std::size_t kReplicas = 16;

  using Lines = std::function<SharedMessage(const platform::ReplicaName& replica, const std::vector<std::string>&)>;
  // `said` makes a message of lines, and sends it.
  LogFollower(Loop& loop, platform::Platform& platform, platform::FunctionId id, Lines said);

  const std::deque<SharedMessage>& recent() const { return recent_; }
  void replicas_changed() { changed_.notify_all(); }

 private:
  Task<void> run();
  Task<void> follow(platform::ReplicaName replica, platform::LogRequest request);
  Task<void> read(const platform::ReplicaName& replica, http::BodySource& log);
  void say(const platform::ReplicaName& replica, std::string& text, bool all);

  Loop& loop_;
  platform::Platform& platform_;
  platform::FunctionId id_;
  Lines said_;
  std::deque<SharedMessage> recent_;
  std::set<platform::ReplicaName> followed_;
  WaitList changed_;
  Group work_;
};

}  // namespace nuclio::dashboard
