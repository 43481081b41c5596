// SPDX-License-Identifier: Apache-2.0
#include "dashboard/events/log_follower.h"

#include <algorithm>
#include <chrono>

namespace nuclio::dashboard {
namespace {

using namespace std::chrono_literals;

// Who logs without end is read no faster than this allows, 64 KiB each time: streams are for people.
constexpr auto kPause = 100ms;
constexpr std::size_t kLongestLine = 64 << 10;
constexpr auto kLookAgain = 5s;
constexpr std::chrono::seconds kFirstRetry{1};
constexpr std::chrono::seconds kLastRetry{30};

}  // namespace

LogFollower::LogFollower(Loop& loop, platform::Platform& platform, platform::FunctionId id, Lines said)
    : loop_(loop), platform_(platform), id_(std::move(id)), said_(std::move(said)), changed_(loop), work_(loop) {
  work_.spawn(run());
}

Task<void> LogFollower::run() {
  platform::LogRequest request{.follow = true};
  request.tail_lines = kFirstLines;
  for (;;) {
    const auto names = platform_.replicas(id_);
    if (names) {
      for (const platform::ReplicaName& name : *names)
        if (followed_.size() < kReplicas && followed_.insert(name).second) work_.spawn(follow(name, request));
      // Those that come from here on are followed from their beginning.
      request.tail_lines.reset();
    }
    (void)co_await changed_.wait(Deadline::in(kLookAgain));
  }
}

// A log may not be there yet, or end and go on, as that of a container that is started again.
Task<void> LogFollower::follow(platform::ReplicaName replica, platform::LogRequest request) {
  std::chrono::seconds pause = kFirstRetry;
  for (;;) {
    const auto began = std::chrono::steady_clock::now();
    auto log = platform_.logs(id_, replica, request);
    if (log) co_await read(replica, **log);
    const auto ended = std::chrono::steady_clock::now();
    pause = ended - began > kLastRetry ? kFirstRetry : pause;
    co_await loop_.sleep(pause);
    pause = std::min(pause * 2, kLastRetry);
    const auto names = platform_.replicas(id_);
    if (!names || std::ranges::find(*names, replica) == names->end()) break;
    if (!log) continue;
    request.tail_lines.reset();
    request.since = std::chrono::steady_clock::now() - ended;
  }
  followed_.erase(replica);
}

Task<void> LogFollower::read(const platform::ReplicaName& replica, http::BodySource& log) {
  std::string text;
  for (;;) {
    auto piece = co_await log.next();
    const bool more = piece && *piece;
    if (more) text += **piece;
    say(replica, text, !more || text.size() > kLongestLine);
    if (!more) co_return;
    co_await loop_.sleep(kPause);
  }
}

// Takes whole lines from the text, or all of it.
void LogFollower::say(const platform::ReplicaName& replica, std::string& text, bool all) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
    lines.push_back(text.substr(begin, end - begin));
  text.erase(0, begin);
  if (all && !text.empty()) lines.push_back(std::exchange(text, {}));
  if (lines.empty()) return;
  recent_.push_back(said_(replica, lines));
  if (recent_.size() > kRecent) recent_.pop_front();
}

}  // namespace nuclio::dashboard
