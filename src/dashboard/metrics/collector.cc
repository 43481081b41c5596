// SPDX-License-Identifier: Apache-2.0
#include "dashboard/metrics/collector.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/log.h"
#include "platform/process/home.h"

namespace nuclio::dashboard {
namespace {

using namespace std::chrono_literals;
using platform::MetricsAddress;

constexpr std::size_t kAskedAtOnce = 32;
constexpr auto kAnswerTime = 2s;
constexpr auto kRoundTime = 8s;            // whoever has not been asked by then is not asked
constexpr Bytes kLargestAnswer{1u << 20};  // some kilobytes a trigger
constexpr Step kSavedEach = 30;            // rounds

Step step_of(std::chrono::system_clock::time_point time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch() / kFineStep;
}

}  // namespace

struct MetricsCollector::Round {
  std::vector<MetricsAddress> replicas;
  std::size_t next = 0;
  std::map<platform::ReplicaName, Counted> counted;
  Collected found;
  std::map<platform::FunctionId, TriggerPoints> triggers;
};

void MetricsCollector::start(std::string file) {
  file_ = std::move(file);
  if (std::ifstream stream(file_, std::ios::binary); !file_.empty() && stream) {
    std::ostringstream text;
    text << stream.rdbuf();
    if (!history_.read(std::move(text).str()))
      log::warn("The history of metrics cannot be read and begins anew", {{"file", file_}});
  }
  work_.spawn(run());
}

void MetricsCollector::save() const {
  if (file_.empty()) return;
  auto saved = platform::process::replace_file(file_, history_.write());
  if (!saved) log::warn("The history of metrics could not be kept", {{"reason", saved.error().what}});
}

Task<void> MetricsCollector::run() {
  // Those that were there before us have counted before us.
  for (const MetricsAddress& each : platform_.metrics_addresses()) older_.insert(each.replica);
  for (Step rounds = 1;; ++rounds) {
    const auto now = std::chrono::system_clock::now();
    const std::chrono::system_clock::time_point next{kFineStep * (step_of(now) + 1)};
    co_await loop_.sleep(next - now);
    const Step step = step_of(next) - 1;
    co_await collect(step);
    if (rounds % kSavedEach != 0) continue;
    forget_gone();
    save();
  }
}

void MetricsCollector::forget_gone() {
  for (const platform::FunctionId& each : history_.functions()) {
    const auto function = platform_.function(each);
    if (!function && function.error().why == Why::not_found) history_.forget(each);
  }
}

Task<void> MetricsCollector::collect(Step step) {
  Round round{.replicas = platform_.metrics_addresses(), .next = 0, .counted = {}, .found = {}, .triggers = {}};
  // A replica that does not answer holds up one of those who ask, so it is asked last.
  std::ranges::partition(round.replicas, [&](const auto& each) { return !silent_.contains(each.replica); });
  for (const MetricsAddress& each : round.replicas) round.found.try_emplace(each.function);
  {
    Group asking{loop_};
    for (std::size_t i = 0; i < std::min(kAskedAtOnce, round.replicas.size()); ++i) asking.spawn(ask_some(round));
    (void)co_await asking.empty(Deadline::in(kRoundTime));
  }
  std::set<platform::ReplicaName> known;
  silent_.clear();
  for (const MetricsAddress& each : round.replicas) {
    known.insert(each.replica);
    const auto now = round.counted.find(each.replica);
    if (now == round.counted.end()) {
      silent_.insert(each.replica);
      continue;
    }
    const auto before = counted_.find(each.replica);
    Counted happened = now->second;
    // Of a replica that has begun since the last round all has happened since then.
    if (before != counted_.end()) {
      happened = since(before->second, now->second);
    } else if (older_.contains(each.replica)) {
      happened = since(now->second, now->second);
    }
    counted_[each.replica] = now->second;
    add_beside(round.found[each.function], happened.all);
    add_beside(round.triggers[each.function], happened.triggers);
  }
  const auto has_gone = [&](const platform::ReplicaName& replica) { return !known.contains(replica); };
  std::erase_if(counted_, [&](const auto& each) { return has_gone(each.first); });
  std::erase_if(older_, has_gone);
  for (const auto& [function, point] : round.found) history_.add(function, step, point);
  history_.add_quiet(step);
  history_.set_triggers(step, std::move(round.triggers));
  collected_(round.found);
}

Task<void> MetricsCollector::ask_some(Round& round) {
  while (round.next < round.replicas.size()) co_await ask(round, round.replicas[round.next++]);
}

Task<void> MetricsCollector::ask(Round& round, const MetricsAddress& replica) {
  http::ClientRequest request;
  request.url = "http://" + replica.address + "/metrics";
  request.max_body = kLargestAnswer;
  request.connect_timeout = kAnswerTime;
  auto answer = co_await client_.fetch(std::move(request), Deadline::in(kAnswerTime));
  if (!answer || answer->status != 200) co_return;
  const Counted counted = read_exposition(answer->body);
  if (counted.all.known) round.counted.emplace(replica.replica, counted);
}

}  // namespace nuclio::dashboard
