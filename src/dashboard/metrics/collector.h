// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "dashboard/metrics/exposition.h"
#include "dashboard/metrics/history.h"
#include "http/client.h"
#include "loop/group.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "platform/platform.h"

namespace nuclio::dashboard {

// What a round of the collector has found: of each function that has replicas, what happened in the step.
using Collected = std::map<platform::FunctionId, Point>;

// Asks all replicas for their metrics, each fine step once, and adds what they say to the history. Lives on its loop's
// thread; all that it is given outlives it.
class MetricsCollector {
 public:
  // `collected` is called after each round.
  MetricsCollector(Loop& loop, http::Client& client, platform::Platform& platform, MetricsHistory& history,
                   std::function<void(const Collected&)> collected)
      : loop_(loop),
        client_(client),
        platform_(platform),
        history_(history),
        collected_(std::move(collected)),
        work_(loop) {}

  // Works in the background from now on, until it is destroyed. With a file, begins with the history that is in it, and
  // keeps it there, now and then and with save().
  void start(std::string file);
  void save() const;
  // One round, of the step that ends now.
  Task<void> collect(Step step);

 private:
  struct Round;
  Task<void> run();
  void forget_gone();
  Task<void> ask_some(Round& round);
  Task<void> ask(Round& round, const platform::MetricsAddress& replica);

  Loop& loop_;
  http::Client& client_;
  platform::Platform& platform_;
  MetricsHistory& history_;
  std::function<void(const Collected&)> collected_;
  std::string file_;
  std::map<platform::ReplicaName, Counted> counted_;  // by each replica, when it was asked last
  std::set<platform::ReplicaName> silent_;            // that did not answer in the last round
  // That were there before us: what they have counted until we know them did not happen just now.
  std::set<platform::ReplicaName> older_;
  Group work_;
};

}  // namespace nuclio::dashboard
