// SPDX-License-Identifier: Apache-2.0
#include "k8s/event_recorder.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "k8s/test_api_server.h"
#include "k8s/time.h"

namespace nuclio::k8s {
namespace {

struct EventRecorderTest : testing::Test {
  std::vector<json::object> events() {
    std::vector<json::object> all;
    for (const auto& [name, event] : server.stored[path_of(kEvents, "")]) all.push_back(event);
    return all;
  }
  void record(const std::string& reason, const std::string& note = "It failed.") {
    recorder.record(about, EventType::warning, reason, "Deploy", note);
  }
  TestApi api;
  TestApiServer& server = api.server;
  EventRecorder recorder{api.loop(), api.api, "nuclio-controller", "controller-0", 20ms};
  json::object about = parsed(R"({"apiVersion": "nuclio.io/v1", "kind": "NuclioFunction", "metadata":
    {"namespace": "media", "name": "resize", "uid": "u", "resourceVersion": "7"}, "spec": {}})");
};

TEST_F(EventRecorderTest, TellsWhatHappenedToWhat) {
  record("BuildFailed");
  api.until([&] { return events().size() == 1; });
  const json::object event = events().front();
  EXPECT_EQ(text_in(event, "namespace"), "media");
  EXPECT_TRUE(text_in(event, "name").starts_with("resize."));
  EXPECT_TRUE(parse_time(text_of(event, "eventTime")));
  EXPECT_EQ(text_of(event, "type"), "Warning");
  EXPECT_EQ(text_of(event, "reason"), "BuildFailed");
  EXPECT_EQ(text_of(event, "action"), "Deploy");
  EXPECT_EQ(text_of(event, "note"), "It failed.");
  EXPECT_EQ(text_of(event, "reportingController"), "nuclio-controller");
  EXPECT_EQ(text_of(event, "reportingInstance"), "controller-0");
  EXPECT_EQ(event.at("regarding"), json::parse(R"({"apiVersion": "nuclio.io/v1", "kind": "NuclioFunction",
    "namespace": "media", "name": "resize", "uid": "u", "resourceVersion": "7"})"));
  EXPECT_FALSE(event.contains("series"));
}

TEST_F(EventRecorderTest, CountsWhatHappensAgain) {
  for (int i = 0; i < 100; ++i) record("BuildFailed");
  record("BuildFailed", "It failed otherwise.");
  api.until([&] {
    return events().size() == 2 && std::ranges::any_of(events(), [](const auto& event) {
             const json::value* count = at(event, "series.count");
             return count && *count == 100;
           });
  });
  EXPECT_EQ(server.count("POST", ""), 2u);
  EXPECT_EQ(server.count("PATCH", ""), 1u);
  record("BuildFailed");
  api.until([&] { return server.count("PATCH", "") == 2; });
  const json::object& series = server.asked.back().body.as_object();
  EXPECT_EQ(*at(series, "series.count"), 101);
  EXPECT_TRUE(parse_time(at(series, "series.lastObservedTime")->as_string()));
}

TEST_F(EventRecorderTest, TellsOfAnObjectNoMoreThanSomeEventsAtOnce) {
  for (int i = 0; i < 100; ++i) record("Reason" + std::to_string(i));
  api.until([&] { return events().size() >= 6; });
  EXPECT_LE(events().size(), 7u);
  object_in(about, "metadata")["uid"] = "other";
  record("Another");
  api.until([&] {
    return std::ranges::any_of(events(), [](const auto& event) { return text_of(event, "reason") == "Another"; });
  });
}

TEST_F(EventRecorderTest, CutsWhatIsTooLongBetweenCharacters) {
  std::string note(1023, 'x');
  object_in(about, "metadata")["name"] = std::string(253, 'n');
  record(std::string(200, 'R'), note + "ö");
  api.until([&] { return events().size() == 1; });
  EXPECT_EQ(text_of(events().front(), "note"), note);
  EXPECT_EQ(text_of(events().front(), "reason").size(), 128u);
  EXPECT_EQ(text_in(events().front(), "name").size(), 253u);
}

TEST_F(EventRecorderTest, TellsOfWhatIsInNoNamespaceInTheDefaultOne) {
  about = parsed(R"({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node1", "uid": "n"}})");
  record("Seen");
  api.until([&] { return events().size() == 1; });
  EXPECT_EQ(text_in(events().front(), "namespace"), "default");
}

TEST_F(EventRecorderTest, DropsWhatTheServerDoesNotTakeAndGoesOn) {
  int asked = 0;
  server.instead = [&](const Asked&) -> std::optional<http::Response> {
    if (++asked > 1) return {};
    return http::Response::json(403, TestApiServer::status(403, "the namespace is being terminated"));
  };
  record("Lost");
  record("Found");
  api.until([&] { return events().size() == 1; });
  EXPECT_EQ(text_of(events().front(), "reason"), "Found");
}

TEST_F(EventRecorderTest, HoldsNoMoreThanItMayWhileTheServerIsGone) {
  server.instead = [](const Asked&) {
    return std::optional(http::Response::json(503, TestApiServer::status(503, "gone")));
  };
  for (int i = 0; i < 5000; ++i) {
    object_in(about, "metadata")["uid"] = "u" + std::to_string(i);
    record("Reason");
  }
  api.until([&] { return server.asked.size() > 10; });
  server.instead = nullptr;
  api.until([&] { return events().size() > 900; });
  EXPECT_LE(events().size(), 1000u);
}

}  // namespace
}  // namespace nuclio::k8s
