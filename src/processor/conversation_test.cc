// SPDX-License-Identifier: Apache-2.0
#include "processor/conversation.h"

#include <gtest/gtest.h>

#include <optional>

#include "loop/run.h"
#include "loop/stream.h"
#include "processor/scripted_peer.h"
#include "processor/test_owner.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

class ConversationTest : public testing::Test, public Conversation::Owner {
 protected:
  ConversationTest() : sockets(*socket_pair()), peer(loop, std::move(sockets.second)) {
    log::configure({.level = log::Level::error, .descriptor = -1});
    talk.emplace(loop, wire::socket_port(loop, std::move(sockets.first)), WorkerIdentity{WorkerIndex{3}, "http", "web"},
                 function_log, *this);
  }
  ~ConversationTest() override {
    if (!talk->ended()) talk->end("is not needed any more");
    log::configure({});
  }
  void changed() override { ++changes; }
  void returned(Job& job) override { back.push_back(&job); }
  void fell_silent(std::string what) override {
    fault = what;
    loop.post(
        [this, what] { talk->end(what.empty() ? "was killed by signal 9 (Killed)" : "was killed because " + what); });
  }
  void to_settle(std::chrono::nanoseconds within) override { settle_within = within; }

  void get_ready() {
    peer.ready();
    ASSERT_TRUE(run_until_done(loop, talk->started(Deadline::in(10s))));
  }
  // Gives it an event; the answer comes into `job`.
  void begin(std::string_view body = "", Call wanted = {}) {
    call = wanted;
    event.id = "e1";
    event.path = "/p";
    event.body = body;
    job.emplace(loop, event, call, Deadline::never());
    ASSERT_TRUE(talk->take(*job));
  }
  wire::Frame heard() {
    auto frame = run_until_done(loop, peer.hear(Deadline::in(10s)));
    CHECK(frame);
    return std::move(*frame);
  }
  // Runs until the condition holds; the test's own time limit is its bound.
  template <class Condition>
  void until(Condition condition) {
    run_until_done(loop, processor::until(loop, condition));
  }
  Result<Response>& answered() {
    until([this] { return job->answered(); });
    return job->response();
  }
  Result<std::optional<std::string>> next(Response& response) { return run_until_done(loop, response.more->next()); }

  Loop loop;
  FunctionLog function_log{"hello", log::Level::debug};
  std::pair<Descriptor, Descriptor> sockets;
  ScriptedPeer peer;
  Event event;
  Call call;
  std::optional<Job> job;
  std::optional<Conversation> talk;
  std::optional<std::string> fault;
  std::optional<std::chrono::nanoseconds> settle_within;
  int changes = 0;
  std::vector<Job*> back;
  Group group{loop};
};

TEST_F(ConversationTest, IsUsableOnceTheWorkerSaysThatItIsReady) {
  EXPECT_FALSE(talk->usable());
  peer.ready();
  auto ready = run_until_done(loop, talk->started(Deadline::in(10s)));
  ASSERT_TRUE(ready);
  EXPECT_EQ(*ready, "script 1.0");
  EXPECT_TRUE(talk->usable());
}

TEST_F(ConversationTest, GivesTheWorkersOwnWordsWhenItCannotStart) {
  peer.say({.type = NUCLIO_WIRE_START, .flags = NUCLIO_WIRE_FAILED, .strings = {"main.py line 3: no", "Traceback"}});
  auto ready = run_until_done(loop, talk->started(Deadline::in(10s)));
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().why, Why::invalid);
  EXPECT_EQ(ready.error().what, "main.py line 3: no\nTraceback");
}

TEST_F(ConversationTest, SaysHowAWorkerEndedThatNeverGotReady) {
  peer.close();
  auto ready = run_until_done(loop, talk->started(Deadline::in(10s)));
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().what, "worker 3 was killed by signal 9 (Killed) before it was ready");
}

TEST_F(ConversationTest, GivesUpAWorkerThatDoesNotGetReadyInTime) {
  auto ready = run_until_done(loop, talk->started(Deadline::in(5ms)));
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().why, Why::timeout);
}

TEST_F(ConversationTest, CarriesAnEventOverAndItsAnswerBack) {
  get_ready();
  begin("body", {.deadline = Deadline::in(10s)});
  wire::Frame frame = heard();
  EXPECT_EQ(frame->type(), wire::Type::event);
  EXPECT_EQ(frame->string(NUCLIO_WIRE_EVENT_ID), "e1");
  EXPECT_EQ(frame->string(NUCLIO_WIRE_EVENT_PATH), "/p");
  EXPECT_EQ(frame->body(), "body");
  EXPECT_GT(frame->time_left(), 5s);
  EXPECT_EQ(talk->room(), 0);
  peer.say({.type = NUCLIO_WIRE_REPLY,
            .call = frame->call().value(),
            .numbers = {201, 5000},
            .strings = {"text/x"},
            .body = "answer",
            .headers = {{"A", "1"}, {"A", "2"}}});
  auto& response = answered();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->content_type, "text/x");
  EXPECT_EQ(response->body, "answer");
  EXPECT_EQ(response->duration, 5us);
  EXPECT_EQ(response->headers.size(), 2u);
  EXPECT_EQ(response->headers[1], (std::pair<std::string, std::string>{"A", "2"}));
  EXPECT_FALSE(response->failure);
  EXPECT_TRUE(talk->usable());
}

TEST_F(ConversationTest, MeasuresTheDurationThatTheWorkerDoesNotTell) {
  get_ready();
  begin();
  peer.say({.type = NUCLIO_WIRE_REPLY, .call = heard()->call().value()});
  EXPECT_GT(answered()->duration, 0ns);
}

TEST_F(ConversationTest, TellsAHandlersFailureApartFromItsAnswer) {
  get_ready();
  begin();
  peer.say({.type = NUCLIO_WIRE_REPLY,
            .call = heard()->call().value(),
            .flags = NUCLIO_WIRE_FAILED,
            .strings = {"", "", "division by zero", "Traceback …"}});
  auto& response = answered();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 500);
  ASSERT_TRUE(response->failure);
  EXPECT_EQ(response->failure->message, "division by zero");
  EXPECT_EQ(response->failure->traceback, "Traceback …");
  EXPECT_TRUE(talk->usable());
}

TEST_F(ConversationTest, CollectsTheLinesToBeShippedAndNoOthers) {
  get_ready();
  begin("", {.ship_logs = log::Level::info});
  auto call = heard()->call().value();
  auto line = [&](std::int64_t level, std::string_view message, std::uint64_t of) {
    peer.say({.type = NUCLIO_WIRE_LOG, .call = of, .numbers = {level}, .strings = {message, "{\"a\":1}"}});
  };
  line(0, "too low", call);
  line(2, "mine", call);
  line(2, "not of this call", 0);
  peer.say({.type = NUCLIO_WIRE_LOG, .call = call, .numbers = {3}, .strings = {"broken", "{\"a\":"}});
  peer.say({.type = NUCLIO_WIRE_REPLY, .call = call});
  auto& logs = answered()->logs;
  ASSERT_EQ(logs.size(), 2u);
  EXPECT_EQ(logs[0].message, "mine");
  EXPECT_EQ(logs[0].level, log::Level::warn);
  EXPECT_EQ(logs[0].variables, "{\"a\":1}");
  EXPECT_EQ(logs[1].message, "broken");
  EXPECT_EQ(logs[1].variables, "");
}

TEST_F(ConversationTest, IsToBeEndedWhenACallIsGivenUpForBeingLate) {
  get_ready();
  begin();
  auto call = heard()->call();
  talk->give_up(*job, GiveUp::late);
  wire::Frame frame = heard();
  EXPECT_EQ(frame->type(), wire::Type::cancel);
  EXPECT_EQ(frame->call(), call);
  EXPECT_TRUE(talk->hopeless());
  EXPECT_EQ(settle_within, 100ms);
  peer.say({.type = NUCLIO_WIRE_REPLY, .call = call.value(), .body = "late"});
  until([this] { return talk->jobs() == 0; });
  EXPECT_FALSE(talk->usable());
}

TEST_F(ConversationTest, IsToBeEndedWhenACallIsGivenUpOfWhichHalfIsSent) {
  get_ready();
  std::string large(4 << 20, 'x');
  begin(large);
  talk->give_up(*job, GiveUp::unwanted);
  job.reset();
  large.clear();
  EXPECT_TRUE(talk->hopeless());
  EXPECT_FALSE(talk->usable());
  EXPECT_EQ(settle_within, 100ms);
}

TEST_F(ConversationTest, TakesOneEventAtATimeOverASocket) {
  EXPECT_EQ(talk->room(), 0);
  get_ready();
  EXPECT_EQ(talk->room(), 1);
  begin();
  EXPECT_EQ(talk->room(), 0);
  EXPECT_EQ(talk->jobs(), 1);
  EXPECT_FALSE(talk->take_back(*job));
  peer.say({.type = NUCLIO_WIRE_REPLY, .call = heard()->call().value()});
  (void)answered();
  EXPECT_EQ(talk->room(), 1);
  EXPECT_EQ(changes, 1);
}

TEST_F(ConversationTest, SaysHowTheWorkerEndedWhileItHandledTheEvent) {
  get_ready();
  begin();
  (void)heard();
  peer.close();
  auto& response = answered();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().why, Why::unavailable);
  EXPECT_EQ(response.error().what, "worker 3 was killed by signal 9 (Killed) while it handled event e1");
}

TEST_F(ConversationTest, IsFreeAgainWhenTheAnswerToACancelledCallHasCome) {
  get_ready();
  begin();
  talk->give_up(*job, GiveUp::unwanted);
  EXPECT_EQ(settle_within, 1s);
  auto call = heard()->call();
  EXPECT_EQ(heard()->type(), wire::Type::cancel);
  EXPECT_FALSE(talk->usable());
  peer.say({.type = NUCLIO_WIRE_REPLY, .call = call.value(), .body = "late"});
  until([this] { return talk->usable(); });
  begin();
  auto second = heard()->call();
  EXPECT_NE(second, call);
  peer.say({.type = NUCLIO_WIRE_REPLY, .call = second.value(), .body = "good"});
  EXPECT_EQ(answered()->body, "good");
}

TEST_F(ConversationTest, StreamsAnAnswerPieceByPiece) {
  get_ready();
  begin();
  auto call = heard()->call().value();
  peer.say({.type = NUCLIO_WIRE_REPLY, .call = call, .flags = NUCLIO_WIRE_MORE, .body = "one"});
  auto& response = answered();
  ASSERT_TRUE(response && response->more);
  EXPECT_EQ(response->body, "one");
  peer.say({.type = NUCLIO_WIRE_CHUNK, .call = call, .flags = NUCLIO_WIRE_MORE, .body = "two"});
  peer.say({.type = NUCLIO_WIRE_CHUNK, .call = call, .body = "three"});
  EXPECT_EQ(talk->room(), 0);
  EXPECT_EQ(**next(*response), "two");
  EXPECT_EQ(**next(*response), "three");
  EXPECT_FALSE(*next(*response));
  EXPECT_EQ(talk->room(), 1) << "all of it has come";
}

TEST_F(ConversationTest, EndsAStreamWithAnErrorWhenTheHandlerFails) {
  get_ready();
  begin();
  auto call = heard()->call().value();
  peer.say({.type = NUCLIO_WIRE_REPLY, .call = call, .flags = NUCLIO_WIRE_MORE});
  auto& response = answered();
  peer.say({.type = NUCLIO_WIRE_CHUNK, .call = call, .flags = NUCLIO_WIRE_FAILED, .strings = {"no more"}});
  auto piece = next(*response);
  ASSERT_FALSE(piece);
  EXPECT_EQ(piece.error().what, "the handler failed in the midst of its answer: no more");
  response->more.reset();
  EXPECT_TRUE(talk->usable());
}

TEST_F(ConversationTest, EndsAStreamWithAnErrorWhenTheWorkerDies) {
  get_ready();
  begin();
  peer.say({.type = NUCLIO_WIRE_REPLY, .call = heard()->call().value(), .flags = NUCLIO_WIRE_MORE});
  auto& response = answered();
  peer.close();
  auto piece = next(*response);
  ASSERT_FALSE(piece);
  EXPECT_EQ(piece.error().why, Why::unavailable);
  response->more.reset();
}

TEST_F(ConversationTest, TellsTheWorkerThatNobodyReadsItsStreamAnyMore) {
  get_ready();
  begin();
  auto call = heard()->call().value();
  peer.say({.type = NUCLIO_WIRE_REPLY, .call = call, .flags = NUCLIO_WIRE_MORE});
  answered()->more.reset();
  EXPECT_EQ(heard()->type(), wire::Type::cancel);
  EXPECT_FALSE(talk->usable());
  peer.say({.type = NUCLIO_WIRE_CHUNK, .call = call, .flags = NUCLIO_WIRE_MORE, .body = "x"});
  peer.say({.type = NUCLIO_WIRE_CHUNK, .call = call, .flags = NUCLIO_WIRE_FAILED, .strings = {"cancelled"}});
  until([this] { return talk->usable(); });
}

TEST_F(ConversationTest, ReadsAStreamNoFurtherAheadThanItsReaderTakesIt) {
  get_ready();
  begin();
  auto call = heard()->call().value();
  peer.say({.type = NUCLIO_WIRE_REPLY, .call = call, .flags = NUCLIO_WIRE_MORE});
  auto& response = answered();
  std::string piece(64 << 10, 'x');
  std::size_t written = 0;
  std::string left;
  // A socket that took nothing for some rounds of the loop takes nothing for ever.
  for (int idle_rounds = 0; idle_rounds < 20;) {
    if (left.empty())
      left = encoded({.type = NUCLIO_WIRE_CHUNK, .call = call, .flags = NUCLIO_WIRE_MORE, .body = piece});
    std::size_t before = left.size();
    while (!left.empty() && peer.bytes(left.substr(0, 512))) left.erase(0, 512);
    written += before - left.size();
    idle_rounds = left.size() == before ? idle_rounds + 1 : 0;
    until([round = 0]() mutable { return round++ == 1; });
  }
  EXPECT_LT(written, 2u << 20);
  EXPECT_EQ((*next(*response))->size(), piece.size());
  response->more.reset();
}

TEST_F(ConversationTest, MatchesTheAnswersOfABatchToItsEvents) {
  get_ready();
  std::vector<Event> events(3);
  events[0].id = "a";
  events[1].id = "b";
  events[2].id = "c";
  Job batch{loop, Job::Kind::batch, events, call, Deadline::never()};
  ASSERT_TRUE(talk->take(batch));
  wire::Frame frame = heard();
  EXPECT_EQ(frame->inner().size(), 3u);
  std::string inner = encoded({.type = NUCLIO_WIRE_REPLY, .strings = {"", "c"}, .body = "C"}) +
                      encoded({.type = NUCLIO_WIRE_REPLY, .strings = {"", "a"}, .body = "A"});
  peer.say({.type = NUCLIO_WIRE_REPLY, .call = frame->call().value(), .flags = NUCLIO_WIRE_NESTED, .body = inner});
  until([&] { return batch.answered(); });
  auto all = batch.responses();
  ASSERT_TRUE(all);
  auto& responses = *all;
  ASSERT_EQ(responses.size(), 3u);
  EXPECT_EQ(responses[0]->body, "A");
  ASSERT_FALSE(responses[1]);
  EXPECT_EQ(responses[1].error().what,
            "the handler returned no response for event b; each response to a batch must have the event_id of its "
            "event");
  EXPECT_EQ(responses[2]->body, "C");
}

TEST_F(ConversationTest, GivesEachEventTheFailureOfItsBatch) {
  get_ready();
  std::vector<Event> events(2);
  events[0].id = "a";
  events[1].id = "b";
  Job batch{loop, Job::Kind::batch, events, call, Deadline::never()};
  ASSERT_TRUE(talk->take(batch));
  peer.say({.type = NUCLIO_WIRE_REPLY,
            .call = heard()->call().value(),
            .flags = NUCLIO_WIRE_FAILED,
            .strings = {"", "", "no"}});
  until([&] { return batch.answered(); });
  auto all = batch.responses();
  ASSERT_TRUE(all);
  for (auto& response : *all) EXPECT_EQ(response->failure->message, "no");
  EXPECT_EQ((*all)[1]->event_id, "b");
}

TEST_F(ConversationTest, WaitsForACallbackUntilItIsDone) {
  get_ready();
  std::optional<bool> done;
  group.spawn(detail::keep(talk->control(wire::Control::terminate, Deadline::in(10s)), done));
  wire::Frame frame = heard();
  EXPECT_EQ(frame->number(NUCLIO_WIRE_CONTROL_KIND), NUCLIO_WIRE_TERMINATE);
  EXPECT_FALSE(done);
  peer.say({.type = NUCLIO_WIRE_CONTROL, .call = frame->call().value(), .numbers = {NUCLIO_WIRE_DONE}});
  until([&] { return done.has_value(); });
  EXPECT_TRUE(*done);
}

TEST_F(ConversationTest, WaitsForACallbackNoLongerThanItsDeadline) {
  get_ready();
  EXPECT_FALSE(run_until_done(loop, talk->control(wire::Control::drain, Deadline::in(5ms))));
}

// What no worker may say ends the conversation, with a fault that names it, and nothing else.
struct Hostile {
  const char* name;
  std::string bytes;
  const char* fault;
};

class HostileWorker : public ConversationTest, public testing::WithParamInterface<Hostile> {};

TEST_P(HostileWorker, IsLeftWithAReason) {
  get_ready();
  begin();
  ASSERT_EQ(heard()->call().value(), 1u);
  peer.bytes(GetParam().bytes);
  auto& response = answered();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().why, Why::unavailable);
  ASSERT_TRUE(fault);
  EXPECT_NE(fault->find(GetParam().fault), std::string::npos) << *fault;
  EXPECT_FALSE(talk->usable());
}

INSTANTIATE_TEST_SUITE_P(
    Frames, HostileWorker,
    testing::Values(Hostile{"Noise", std::string(64, '\xff'), "no frame"},
                    Hostile{"TooLong", std::string("\x00\x00\x00\x40", 4) + std::string(60, '\0'), "above the limit"},
                    Hostile{"AnotherCall", encoded({.type = NUCLIO_WIRE_REPLY, .call = 77}), "does not have"},
                    Hostile{"CallZero", encoded({.type = NUCLIO_WIRE_REPLY}), "does not have"},
                    Hostile{"AnEvent", encoded({.type = NUCLIO_WIRE_EVENT, .call = 1}), "only a processor may"},
                    Hostile{"ChunkOfNothing", encoded({.type = NUCLIO_WIRE_CHUNK, .call = 1}), "never begun"},
                    Hostile{"BatchForOne", encoded({.type = NUCLIO_WIRE_REPLY, .call = 1, .flags = NUCLIO_WIRE_NESTED}),
                            "as if it were a batch"},
                    Hostile{"StatusZero", encoded({.type = NUCLIO_WIRE_REPLY, .call = 1, .numbers = {0}}), "status"},
                    Hostile{"SecondStart", encoded({.type = NUCLIO_WIRE_START}), "twice"}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace nuclio::processor
