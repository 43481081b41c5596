// SPDX-License-Identifier: Apache-2.0
#include "k8s/lease.h"

#include <gmock/gmock.h>

#include "k8s/test_api_server.h"
#include "k8s/time.h"
#include "loop/group.h"

namespace nuclio::k8s {
namespace {

using testing::HasSubstr;

const ObjectName kName{"nuclio", "controller"};

LeaseOptions options_of(const std::string& identity) {
  return {.name = kName, .identity = identity, .duration = 1000ms, .renew_every = 20ms, .give_up_after = 300ms};
}

Task<bool> acquired(Lease& lease) {
  co_await lease.acquire();
  co_return true;
}

Task<bool> released(Lease& lease) {
  co_await lease.release(Deadline::in(5s));
  co_return true;
}

struct LeaseTest : testing::Test {
  const json::object& stored() { return server.stored[path_of(kLeases, "")].at(kName); }
  std::string text(const std::string& field) {
    const json::value* value = at(stored(), "spec." + field);
    return value && value->is_string() ? std::string(value->get_string()) : "";
  }
  std::int64_t number(const std::string& field) {
    const json::value* value = at(stored(), "spec." + field);
    return value && value->is_int64() ? value->get_int64() : -1;
  }
  json::object held_by(const std::string& holder, const std::string& renewed) {
    return {{"spec",
             {{"holderIdentity", holder},
              {"leaseDurationSeconds", 1},
              {"renewTime", renewed},
              {"acquireTime", "2020-01-01T00:00:00.000000Z"},
              {"leaseTransitions", 7}}}};
  }
  bool acquires(Lease& lease, std::chrono::milliseconds patience = 5s) {
    return api.run(within(api.loop(), Deadline::in(patience), acquired(lease))).has_value();
  }
  TestApi api;
  TestApiServer& server = api.server;
  Lease one{api.loop(), api.api, options_of("one")};
  Lease two{api.loop(), api.api, options_of("two")};
};

TEST_F(LeaseTest, IsMadeWhenThereIsNone) {
  ASSERT_TRUE(acquires(one));
  EXPECT_EQ(text("holderIdentity"), "one");
  EXPECT_EQ(number("leaseDurationSeconds"), 1);
  EXPECT_EQ(number("leaseTransitions"), 0);
  EXPECT_TRUE(parse_time(text("acquireTime")));
  EXPECT_EQ(text("renewTime").size(), std::string("2006-01-02T15:04:05.000000Z").size());
}

TEST_F(LeaseTest, IsTakenOverWhenItWasNotRenewedForItsTimeOnOurClock) {
  // Whatever the holder's clock says: it may be hours ahead, or behind.
  for (const char* renewed : {"2100-01-01T00:00:00.000000Z", "2000-01-01T00:00:00.000000Z"}) {
    server.set(kLeases, kName, held_by("gone", renewed));
    Lease fresh{api.loop(), api.api, options_of("fresh")};
    const SteadyTime begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(acquires(fresh));
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 1s);
    EXPECT_EQ(text("holderIdentity"), "fresh");
    EXPECT_EQ(number("leaseTransitions"), 8);
    EXPECT_NE(text("acquireTime"), "2020-01-01T00:00:00.000000Z");
  }
}

TEST_F(LeaseTest, IsNotTakenFromWhoRenewsIt) {
  ASSERT_TRUE(acquires(one));
  Group leading{api.loop()};
  std::optional<Error> lost;
  leading.spawn(detail::keep(one.hold(), lost));
  EXPECT_FALSE(acquires(two, 1500ms));
  EXPECT_FALSE(lost);
  EXPECT_EQ(text("holderIdentity"), "one");
  EXPECT_EQ(number("leaseTransitions"), 0);
}

TEST_F(LeaseTest, IsHadAtOnceAfterItWasGivenBack) {
  ASSERT_TRUE(acquires(one));
  ASSERT_TRUE(api.run(released(one)));
  EXPECT_EQ(at(stored(), "spec.holderIdentity"), nullptr);
  ASSERT_TRUE(acquires(two, 500ms));
  EXPECT_EQ(text("holderIdentity"), "two");
  EXPECT_EQ(number("leaseTransitions"), 1);
  ASSERT_TRUE(api.run(released(one)));
  EXPECT_EQ(text("holderIdentity"), "two") << "what is another's is not given back";
}

TEST_F(LeaseTest, EndsWhenAnotherHoldsIt) {
  ASSERT_TRUE(acquires(one));
  server.set(kLeases, kName, held_by("other", "2100-01-01T00:00:00.000000Z"));
  const Error lost = api.run(one.hold());
  EXPECT_EQ(lost.why, Why::conflict);
  EXPECT_THAT(lost.what, HasSubstr("the lease nuclio/controller is held by \"other\" now"));
}

TEST_F(LeaseTest, GoesOnWhenSomebodyOnlyTouchedOrRemovedIt) {
  ASSERT_TRUE(acquires(one));
  Group leading{api.loop()};
  std::optional<Error> lost;
  leading.spawn(detail::keep(one.hold(), lost));
  server.set(kLeases, kName, stored());
  const auto renewed_since = [&](int revision) { return [this, revision] { return server.revision > revision; }; };
  api.until(renewed_since(server.revision + 1));
  server.stored.clear();
  api.until(renewed_since(server.revision + 1));
  EXPECT_FALSE(lost);
  EXPECT_EQ(text("holderIdentity"), "one");
}

TEST_F(LeaseTest, EndsBeforeOthersBeginWhenTheServerIsGone) {
  ASSERT_TRUE(acquires(one));
  const SteadyTime begin = std::chrono::steady_clock::now();
  server.instead = [](const Asked&) {
    return std::optional(http::Response::json(503, TestApiServer::status(503, "gone")));
  };
  const Error lost = api.run(one.hold());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 900ms);
  EXPECT_THAT(lost.what, HasSubstr("the lease nuclio/controller could not be renewed for 300 ms"));
}

TEST_F(LeaseTest, SurvivesAServerThatIsGoneForAMoment) {
  ASSERT_TRUE(acquires(one));
  int refused = 0;
  server.instead = [&](const Asked&) -> std::optional<http::Response> {
    if (++refused > 3) return {};
    return http::Response::json(500, TestApiServer::status(500, "etcdserver: leader changed"));
  };
  const auto lost = api.run(within(api.loop(), Deadline::in(600ms), one.hold()));
  EXPECT_FALSE(lost) << lost->what;
  EXPECT_GT(refused, 4);
}

TEST_F(LeaseTest, IsHadByOneOfManyWhoTryAtTheSameTime) {
  std::vector<std::unique_ptr<Lease>> leases;
  std::vector<std::optional<bool>> have(8);
  Group group{api.loop()};
  for (std::size_t i = 0; i < have.size(); ++i) {
    leases.push_back(std::make_unique<Lease>(api.loop(), api.api, options_of("lease" + std::to_string(i))));
    group.spawn(detail::keep(acquired(*leases.back()), have[i]));
  }
  (void)api.run(within(api.loop(), Deadline::in(300ms), acquired(one)));
  EXPECT_EQ(std::ranges::count_if(have, [](const auto& each) { return each.has_value(); }), 1);
}

}  // namespace
}  // namespace nuclio::k8s
