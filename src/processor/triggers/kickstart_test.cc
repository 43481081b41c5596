// SPDX-License-Identifier: Apache-2.0
#include "processor/triggers/kickstart.h"

#include <gtest/gtest.h>

#include "loop/manual_clock.h"
#include "loop/run.h"
#include "processor/fake_handler.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

constexpr SystemTime kNow{1'714'979'289s};

class KickstartTest : public testing::Test {
 protected:
  Task<bool> drained(Deadline deadline) {
    co_await trigger_.stop_accepting(deadline);
    co_await trigger_.drain(deadline);
    co_return true;
  }
  Loop loop_;
  ManualClock clock_{loop_, kNow};
  FakeSource source_{loop_, "kickstart", "once"};
  FakeHandler handler_{loop_};
  spec::KickstartTrigger config_{.event = {.body = "go", .path = "/p", .method = "", .headers = {{"X-A", "1"}}}};
  KickstartTrigger trigger_{config_, loop_, clock_, handler_, source_.get()};
};

TEST_F(KickstartTest, SendsItsEventOnceWhenItIsStarted) {
  EXPECT_TRUE(run_until_done(loop_, trigger_.start()));
  run_until_done(loop_, drained(Deadline::never()));
  ASSERT_EQ(handler_.events.size(), 1u);
  const SeenEvent& event = handler_.events[0];
  EXPECT_EQ(event.body, "go");
  EXPECT_EQ(event.path, "/p");
  EXPECT_EQ(event.trigger_kind, "kickstart");
  EXPECT_EQ(event.timestamp, kNow);
  EXPECT_EQ(event.headers.size(), 1u);
}

TEST_F(KickstartTest, IsStartedBeforeItsEventIsHandled) {
  handler_.close();
  EXPECT_TRUE(run_until_done(loop_, trigger_.start()));
  run_until_done(loop_, drained(Deadline::in(1ms)));
  EXPECT_EQ(handler_.given_up, 1);
}

TEST_F(KickstartTest, SendsNothingUnlessItIsStarted) {
  run_until_done(loop_, drained(Deadline::never()));
  EXPECT_TRUE(handler_.events.empty());
}

}  // namespace
}  // namespace nuclio::processor
