// SPDX-License-Identifier: Apache-2.0
#include "processor/lending.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "loop/loop_thread.h"
#include "loop/run.h"
#include "processor/event_copy.h"
#include "processor/fake_workers.h"
#include "processor/remote_body.h"
#include "processor/test_owner.h"
#include "processor/worker_pool.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

// Two pools whose loop is the same, so that each message has its moment. That they may be on threads is what the tests
// with a whole processor show.
class LendingTest : public testing::Test {
 protected:
  LendingTest() {
    for (std::size_t i = 0; i < 2; ++i) {
      sides[i].pool.emplace(loop, sides[i].factory,
                            PoolOptions{.trigger_kind = "http",
                                        .trigger_name = "web",
                                        .workers = 1,
                                        .queue_limit = 2,
                                        .first_worker = static_cast<int>(i),
                                        .all_workers = 2,
                                        .peers = &peers,
                                        .number_of_peer = i});
      CHECK(run_until_done(loop, sides[i].pool->start()));
      worker(i).hold = true;
    }
  }

  struct Side {
    explicit Side(Loop& loop) : factory(loop) {}
    FakeFactory factory;
    std::optional<WorkerPool> pool;
    PoolStatistics statistics;
  };
  // An event on its way through a pool, as a trigger's coroutine has it.
  struct Asked {
    Asked(LendingTest& test, std::size_t side, Call wanted, Deadline availability)
        : event{.id = "7", .body = text}, call(wanted), job(test.loop, event, call, availability), group(test.loop) {
      group.spawn(run(test.sides[side]));
    }
    Task<void> run(Side& side) { co_await side.pool->run(job, side.statistics); }

    std::string text = "body";
    Event event;
    Call call;
    Job job;
    Group group;  // last: what runs here uses the rest
  };
  Asked& ask(std::size_t side, Deadline availability = Deadline::never(), Call call = {}) {
    return *asked.emplace_back(std::make_unique<Asked>(*this, side, call, availability));
  }
  void settle_down() { run_until_done(loop, rounds()); }
  Task<bool> rounds() {
    for (int i = 0; i < 10; ++i) co_await loop.yield();
    co_return true;
  }
  // The workers have indices of their own, 0 and 1.
  FakeWorker& worker(std::size_t side) { return sides[side].factory.worker(static_cast<int>(side)); }

  Loop loop;
  PoolPeers peers{2};
  Side sides[2] = {Side{loop}, Side{loop}};
  std::vector<std::unique_ptr<Asked>> asked;
};

TEST_F(LendingTest, AnEventThatWouldWaitGoesToAPeersIdleWorker) {
  Asked& first = ask(0);
  Asked& second = ask(0);
  second.text = "gone";  // what it was borrowed from is not looked at any more
  settle_down();
  ASSERT_EQ(worker(0).held.size(), 1u);
  ASSERT_EQ(worker(1).held.size(), 1u);
  EXPECT_EQ(worker(1).held[0]->event().id, "7");
  worker(1).answer_first();
  settle_down();
  ASSERT_TRUE(second.job.answered());
  EXPECT_EQ(second.job.response()->body, "body");
  EXPECT_EQ(second.job.worker(), WorkerIndex{1});
  EXPECT_FALSE(first.job.answered());
  worker(0).answer_first();
  settle_down();
  EXPECT_EQ(first.job.worker(), WorkerIndex{0});
  EXPECT_EQ(sides[0].statistics.immediate, 2u);
  EXPECT_EQ(sides[1].statistics.total(), 0u);
}

TEST_F(LendingTest, AnEventThatMayNotWaitGoesThereToo) {
  (void)ask(0);
  Asked& second = ask(0, Deadline::in(0ns));
  settle_down();
  ASSERT_EQ(worker(1).held.size(), 1u);
  worker(1).answer_first();
  settle_down();
  EXPECT_TRUE(second.job.response());
}

TEST_F(LendingTest, WhenNobodyIsIdleItWaitsAtHomeAndGoesToWhoeverIsFirst) {
  (void)ask(0);
  (void)ask(1);
  Asked& third = ask(0);
  settle_down();
  EXPECT_EQ(sides[0].pool->waiting(), 1u);
  worker(1).answer_first();
  settle_down();
  EXPECT_EQ(sides[0].pool->waiting(), 0u);
  ASSERT_EQ(worker(1).held.size(), 1u);
  worker(1).answer_first();
  settle_down();
  EXPECT_EQ(third.job.worker(), WorkerIndex{1});
  EXPECT_EQ(sides[0].statistics.after_wait, 1u);
}

TEST_F(LendingTest, OneWhoseWorkerWasTakenMeanwhileComesBackAndKeepsItsPlace) {
  (void)ask(0);
  (void)ask(1);
  Asked& third = ask(0);
  Asked& fourth = ask(0);
  settle_down();
  ASSERT_EQ(sides[0].pool->waiting(), 2u);
  peers[1].idle = 1;      // as it was a moment ago
  Asked& fifth = ask(0);  // goes there, although others wait: refused here, since two wait
  settle_down();
  EXPECT_EQ(worker(1).held.size(), 1u);
  EXPECT_FALSE(third.job.answered());
  EXPECT_FALSE(fourth.job.answered());
  ASSERT_TRUE(fifth.job.answered());
  EXPECT_EQ(fifth.job.response().error().why, Why::busy);

  worker(0).answer_first();
  settle_down();
  peers[1].idle = 1;
  Asked& sixth = ask(0);
  settle_down();
  EXPECT_EQ(sides[0].pool->waiting(), 2u);
  for (int i = 0; i < 3; ++i) {
    worker(0).answer_first();
    settle_down();
  }
  for (Asked* one : {&third, &fourth, &sixth}) {
    ASSERT_TRUE(one->job.answered());
    EXPECT_TRUE(one->job.response());
  }
}

TEST_F(LendingTest, ARefusalNamesTheWorkersOfAll) {
  (void)ask(0);
  (void)ask(1);
  (void)ask(0);
  (void)ask(0);
  Asked& refused = ask(0);
  ASSERT_TRUE(refused.job.answered());
  EXPECT_EQ(refused.job.response().error().what.substr(0, 23), "all 2 workers are busy ");
}

TEST_F(LendingTest, WhoeverIsGivenUpIsGivenUpThereToo) {
  (void)ask(0);
  (void)ask(0);
  settle_down();
  ASSERT_EQ(worker(1).held.size(), 1u);
  asked.pop_back();
  settle_down();
  EXPECT_EQ(worker(1).given_up, std::vector{GiveUp::unwanted});
  EXPECT_TRUE(worker(1).held.empty());
}

TEST_F(LendingTest, ADeadlineHoldsAwayFromHome) {
  (void)ask(0);
  Asked& late = ask(0, Deadline::never(), {.deadline = Deadline::in(5ms)});
  settle_down();
  ASSERT_EQ(worker(1).held.size(), 1u);
  run_until_done(loop, until(loop, [&] { return late.job.answered(); }));
  EXPECT_EQ(late.job.response().error().why, Why::timeout);
  settle_down();
  ASSERT_EQ(worker(1).given_up.size(), 1u);
  EXPECT_TRUE(worker(1).held.empty());
}

TEST_F(LendingTest, AWorkerThatDiesThereCostsTheEvent) {
  (void)ask(0);
  Asked& second = ask(0);
  settle_down();
  worker(1).die();
  settle_down();
  ASSERT_TRUE(second.job.answered());
  EXPECT_EQ(second.job.response().error().what, "it died");
}

TEST_F(LendingTest, ABatchStaysAtHome) {
  (void)ask(0);
  Event events[2];
  Call call;
  Job job{loop, Job::Kind::batch, events, call, Deadline::never()};
  Group group{loop};
  auto run = [](WorkerPool& pool, Job& batch, PoolStatistics& statistics) -> Task<void> {
    co_await pool.run(batch, statistics);
  };
  group.spawn(run(*sides[0].pool, job, sides[0].statistics));
  settle_down();
  EXPECT_EQ(worker(1).held.size(), 0u);
  EXPECT_EQ(sides[0].pool->waiting(), 1u);
  worker(0).answer_first();
  settle_down();
  worker(0).answer_first();
  settle_down();
  EXPECT_TRUE(job.answered());
}

// Notes its end and who brought it about.
class Pieces final : public http::BodySource {
 public:
  Pieces(int count, std::optional<std::thread::id>& ended) : left_(count), ended_(ended) {}
  ~Pieces() override { ended_ = std::this_thread::get_id(); }
  Task<Result<std::optional<std::string>>> next() override {
    if (left_ == 0) co_return std::nullopt;
    co_return "piece " + std::to_string(left_--);
  }

 private:
  int left_;
  std::optional<std::thread::id>& ended_;
};

class Loaned final : public http::Loan {
 public:
  explicit Loaned(bool& over) : over_(over) {}
  ~Loaned() override { over_ = true; }

 private:
  bool& over_;
};

TEST_F(LendingTest, ABodyThatIsLentIsCopiedAndGivenBackThere) {
  bool over = false;
  std::string memory(100'000, 'x');
  worker(1).hold = false;
  worker(1).answer = [&](const Event&) {
    Response response;
    response.lent = http::LentBody{memory, std::make_unique<Loaned>(over)};
    return response;
  };
  (void)ask(0);
  Asked& second = ask(0);
  settle_down();
  ASSERT_TRUE(second.job.answered());
  EXPECT_EQ(second.job.response()->body, memory);
  EXPECT_FALSE(second.job.response()->lent);
  EXPECT_TRUE(over);
}

TEST_F(LendingTest, AnAnswerInPiecesIsReadFromAfar) {
  std::optional<std::thread::id> ended;
  worker(1).hold = false;
  worker(1).answer = [&](const Event&) {
    Response response;
    response.more = std::make_unique<Pieces>(2, ended);
    return response;
  };
  (void)ask(0);
  Asked& second = ask(0);
  settle_down();
  ASSERT_TRUE(second.job.answered());
  auto& body = *second.job.response()->more;
  EXPECT_EQ(**run_until_done(loop, body.next()), "piece 2");
  EXPECT_EQ(**run_until_done(loop, body.next()), "piece 1");
  EXPECT_EQ(*run_until_done(loop, body.next()), std::nullopt);
  EXPECT_FALSE(ended);
  second.job.response()->more.reset();
  settle_down();
  EXPECT_TRUE(ended);
}

Task<std::unique_ptr<http::BodySource>> remote_pieces(Loop& here, Loop& there, std::optional<std::thread::id>& ended) {
  co_return std::make_unique<RemoteBody>(here, there, std::make_unique<Pieces>(1000, ended), Deadline::in(10s));
}

Task<bool> two_rounds(Loop& loop) {
  co_await loop.yield();
  co_await loop.yield();
  co_return true;
}

TEST(RemoteBody, EndsOnItsOwnThread) {
  Loop here;
  LoopThread there{"there"};
  std::optional<std::thread::id> ended;
  auto make = [&] { return remote_pieces(here, there.loop(), ended); };
  auto body = std::move(*run_until_done(here, there.run(here, make)));
  EXPECT_EQ(**run_until_done(here, body->next()), "piece 1000");
  body.reset();
  auto id = []() -> Task<std::thread::id> { co_return std::this_thread::get_id(); };
  auto thread = run_until_done(here, there.run(here, id));
  EXPECT_EQ(ended, thread);
}

TEST(RemoteBody, DoesNotWaitForEver) {
  class Never final : public http::BodySource {
   public:
    explicit Never(Loop& loop) : loop_(loop) {}
    Task<Result<std::optional<std::string>>> next() override {
      co_await loop_.sleep(1h);
      co_return std::nullopt;
    }

   private:
    Loop& loop_;
  };
  Loop loop;
  auto body = std::make_unique<RemoteBody>(loop, loop, std::make_unique<Never>(loop), Deadline::in(5ms));
  auto piece = run_until_done(loop, body->next());
  ASSERT_FALSE(piece);
  EXPECT_EQ(piece.error().why, Why::timeout);
  body.reset();
  run_until_done(loop, two_rounds(loop));
}

TEST(EventCopy, KeepsAllTextAndNumbers) {
  std::string text = "abcdefghijklmnop";
  std::string_view view = text;
  std::vector<wire::Pair> headers{{view.substr(0, 1), view.substr(1, 2)}, {view.substr(3, 1), ""}};
  std::vector<wire::Pair> fields{{view.substr(4, 1), view.substr(5, 1)}};
  Event event{.id = view.substr(6, 1), .method = view.substr(7, 1), .path = view.substr(8, 2)};
  event.topic = view.substr(10, 1);
  event.offset = 7;
  event.headers = headers;
  event.fields = fields;
  event.body = view.substr(11);
  EventCopy copy{event};
  text.assign(16, '?');
  headers.clear();
  const Event& kept = copy.event();
  EXPECT_EQ(kept.id, "g");
  EXPECT_EQ(kept.method, "h");
  EXPECT_EQ(kept.path, "ij");
  EXPECT_EQ(kept.topic, "k");
  EXPECT_EQ(kept.offset, 7);
  EXPECT_EQ(kept.body, "lmnop");
  EXPECT_EQ(kept.url, "");
  ASSERT_EQ(kept.headers.size(), 2u);
  EXPECT_EQ(kept.headers[0].name, "a");
  EXPECT_EQ(kept.headers[0].value, "bc");
  EXPECT_EQ(kept.headers[1].name, "d");
  ASSERT_EQ(kept.fields.size(), 1u);
  EXPECT_EQ(kept.fields[0].value, "f");
}

}  // namespace
}  // namespace nuclio::processor
