// SPDX-License-Identifier: Apache-2.0
#include "dashboard/metrics/collector.h"

#include <gmock/gmock.h>

#include "dashboard/fake_platform.h"
#include "http/server.h"
#include "loop/listener.h"
#include "loop/run.h"

namespace nuclio::dashboard {
namespace {

using namespace std::chrono_literals;

// A replica that says how many events it has handled, or never anything.
class Replica final : public http::Handler {
 public:
  explicit Replica(Loop& loop) : loop_(loop), server_(loop, limits_, *this) {
    Address any{.host = "127.0.0.1"};
    server_.serve(*Listener::listen(loop, any));
  }
  Task<http::Response> handle(http::Request&) override {
    if (hangs) co_await loop_.sleep(1h);
    co_return http::Response::text(
        200,
        "nuclio_processor_handled_events_total{trigger_id=\"web\",result=\"success\"} " + std::to_string(events) +
            "\nnuclio_processor_workers{trigger_id=\"web\"} 4\nnuclio_processor_workers_idle{trigger_id=\"web\"} 3\n");
  }
  std::string address() const { return server_.addresses()[0].text(); }

  int events = 0;
  bool hangs = false;

 private:
  Loop& loop_;
  http::Limits limits_;
  http::Server server_;
};

class MetricsCollectorTest : public ::testing::Test {
 protected:
  static platform::FunctionId id(const std::string& name) { return {Namespace{"nuclio"}, FunctionName{name}}; }
  void add(const std::string& function, const std::string& replica, const Replica& at) {
    platform_.addresses.push_back({id(function), platform::ReplicaName{replica}, at.address()});
  }
  void collect() {
    struct Once {
      static Task<bool> run(MetricsCollector& collector, Step step) {
        co_await collector.collect(step);
        co_return true;
      }
    };
    run_until_done(loop_, Once::run(collector_, ++step_));
  }
  std::vector<std::int64_t> events(const std::string& function) const {
    std::vector<std::int64_t> out;
    const std::chrono::sys_seconds now{kFineStep * (step_ + 1)};
    for (const Point& each : history_.window(id(function), now, kFineStep * step_, kFineStep).points)
      out.push_back(each.known ? static_cast<std::int64_t>(each.succeeded) : -1);
    return out;
  }

  Loop loop_;
  http::Client client_{loop_};
  FakePlatform platform_;
  MetricsHistory history_;
  Collected last_;
  MetricsCollector collector_{loop_, client_, platform_, history_, [this](const Collected& found) { last_ = found; }};
  Step step_ = 0;
};

using ::testing::ElementsAre;

TEST_F(MetricsCollectorTest, AddsUpWhatReplicasHandleBetweenRounds) {
  Replica one{loop_}, two{loop_};
  add("f", "f-1", one);
  add("f", "f-2", two);
  one.events = 5;
  two.events = 1;
  collect();
  one.events = 7;
  collect();
  platform_.addresses.pop_back();
  one.events = 2;  // it was started again
  collect();
  platform_.addresses.clear();
  collect();
  EXPECT_THAT(events("f"), ElementsAre(6, 2, 2, 0));
  EXPECT_TRUE(last_.empty());
}

TEST_F(MetricsCollectorTest, TellsWhatHappenedToEachTriggerInTheLastRound) {
  Replica one{loop_}, two{loop_};
  add("f", "f-1", one);
  add("f", "f-2", two);
  EXPECT_FALSE(history_.triggers(id("f")));
  one.events = 5;
  collect();
  one.events = 7;
  two.events = 1;
  collect();
  auto last = history_.triggers(id("f"));
  ASSERT_TRUE(last);
  EXPECT_EQ(last->begin, std::chrono::sys_seconds{kFineStep * step_});
  EXPECT_EQ(last->triggers, (TriggerPoints{{"web", {.succeeded = 3, .workers = 8, .idle = 6}}}));
  platform_.addresses.clear();
  collect();
  EXPECT_TRUE(history_.triggers(id("f"))->triggers.empty());
}

TEST_F(MetricsCollectorTest, IsHeldUpByNoReplicaThatHangs) {
  Replica well{loop_}, hanging{loop_};
  hanging.hangs = true;
  add("stuck", "stuck-1", hanging);
  add("f", "f-1", well);
  well.events = 3;
  const auto began = std::chrono::steady_clock::now();
  collect();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 4s);
  EXPECT_THAT(events("f"), ElementsAre(3));
  EXPECT_THAT(events("stuck"), ElementsAre(-1));
  EXPECT_FALSE(last_.at(id("stuck")).known);
}

}  // namespace
}  // namespace nuclio::dashboard
