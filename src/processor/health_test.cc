// SPDX-License-Identifier: Apache-2.0
#include "processor/health.h"

#include <gtest/gtest.h>

#include "loop/run.h"

namespace nuclio::processor {
namespace {

class HealthTest : public testing::Test {
 protected:
  std::string get(std::string_view path) {
    http::Request request;
    request.method = "GET";
    request.target = request.path = path;
    auto response = run_until_done(loop_, health_.handle(request));
    return std::to_string(response.status) + " " + std::get<std::string>(response.body);
  }
  Task<std::optional<std::string>> obstacle() { co_return obstacle_; }

  Loop loop_;
  std::optional<std::string> obstacle_;
  Health health_{[this] { return obstacle(); }};
};

TEST_F(HealthTest, IsLiveButNotReadyUntilItIsStarted) {
  EXPECT_EQ(get("/live"), "200 {}");
  EXPECT_EQ(get("/ready"), R"(503 {"error": "not ready: the workers are starting"})");
  health_.set_ready();
  EXPECT_EQ(get("/ready"), "200 {}");
}

TEST_F(HealthTest, SaysWhyItIsNoLongerReady) {
  health_.set_ready();
  health_.set_not_ready("shutting down");
  EXPECT_EQ(get("/ready"), R"(503 {"error": "not ready: shutting down"})");
  EXPECT_EQ(get("/live"), "200 {}");
}

TEST_F(HealthTest, IsNotReadyWhileThereIsAnObstacle) {
  health_.set_ready();
  obstacle_ = "no worker of trigger web runs";
  EXPECT_EQ(get("/ready"), R"(503 {"error": "not ready: no worker of trigger web runs"})");
  obstacle_.reset();
  EXPECT_EQ(get("/ready"), "200 {}");
}

TEST_F(HealthTest, KnowsNothingElse) { EXPECT_EQ(get("/other").substr(0, 3), "404"); }

}  // namespace
}  // namespace nuclio::processor
