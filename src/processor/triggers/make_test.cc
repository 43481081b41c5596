// SPDX-License-Identifier: Apache-2.0
#include "processor/triggers/make.h"

#include <gtest/gtest.h>

#include "loop/manual_clock.h"
#include "processor/fake_handler.h"

namespace nuclio::processor {
namespace {

class MakeTriggerTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Trigger>> make(spec::AnyTrigger kind) {
    config_.kind = std::move(kind);
    return make_trigger(
        config_, {loop_, clock_, handler_, source_.get(), metrics_, settings_, {}, ExposeErrors::no, Descriptor{}});
  }
  Loop loop_;
  ManualClock clock_{loop_, SystemTime{}};
  FakeSource source_{loop_, "x", "mine"};
  FakeHandler handler_{loop_};
  Metrics metrics_;
  spec::ProcessorConfig settings_;
  spec::Trigger config_;
};

TEST_F(MakeTriggerTest, MakesTheKindsThatThereAre) {
  EXPECT_TRUE(make(spec::HttpTrigger{}));
  EXPECT_TRUE(make(spec::CronTrigger{.schedule = "@hourly"}));
  auto kickstart = make(spec::KickstartTrigger{});
  ASSERT_TRUE(kickstart);
  EXPECT_EQ((*kickstart)->name(), "mine");
  EXPECT_EQ((*kickstart)->address(), "");
}

TEST_F(MakeTriggerTest, SaysWhatIsThereInPlaceOfAKindThatIsNot) {
  auto kafka = make(spec::KafkaClusterTrigger{});
  ASSERT_FALSE(kafka);
  EXPECT_EQ(kafka.error().what,
            "trigger mine: kind kafka-cluster is not available in this build; available: http, cron, kickstart");
  EXPECT_EQ(kafka.error().why, Why::precondition);
}

TEST_F(MakeTriggerTest, RefusesAttributesThatMakeNoSense) {
  auto cron = make(spec::CronTrigger{.schedule = "never"});
  ASSERT_FALSE(cron);
  EXPECT_EQ(cron.error().why, Why::invalid);
  EXPECT_EQ(cron.error().what.find("trigger mine: "), 0u);
}

}  // namespace
}  // namespace nuclio::processor
