// SPDX-License-Identifier: Apache-2.0
// The SDK as a host sees it: this program is the function and, through RecordingHost, the processor.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nuclio/nuclio.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <string>

#include "recording_host.h"

using namespace std::chrono_literals;
using nuclio::Context;
using nuclio::Event;
using nuclio::Response;
using nuclio::Writer;
using nuclio::test::RecordingHost;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

namespace {

struct Greeting {
  std::string word;
  int uses = 0;
};
bool init_fails = false;

void init_context(Context& context) {
  if (init_fails) throw std::invalid_argument("no database at db:5432");
  context.user_data = Greeting{"hello"};
  context.on_drain([&context] { context.logger.info("drained"); });
  context.on_terminate([&context] {
    context.logger.info("terminated");
    throw std::runtime_error("could not say goodbye");
  });
}
NUCLIO_INIT(init_context)

std::string text(Context&, const Event&) { return "text"; }
const char* literal(Context&, const Event&) { return "literal"; }
std::string_view body(Context&, const Event& event) { return event.body(); }
std::pair<int, std::string> pair(Context&, const Event&) { return {201, "made"}; }
auto literal_pair(Context&, const Event&) { return std::pair(202, "taken"); }
void nothing(Context&, const Event&) {}
Response whole(Context&, Event) { return Response("<p>", "text/html", 203).header("X-One", "1").header("X-Two", "2"); }
Response braces(Context&, const Event&) { return {404, "none"}; }
Response json(Context&, Event&) { return Response::json("{}"); }
NUCLIO_HANDLER(text)
NUCLIO_HANDLER(literal)
NUCLIO_HANDLER(body)
NUCLIO_HANDLER(pair)
NUCLIO_HANDLER(literal_pair)
NUCLIO_HANDLER(nothing)
NUCLIO_HANDLER(whole)
NUCLIO_HANDLER(braces)
NUCLIO_HANDLER(json)

std::string own_error(Context&, const Event&) { throw nuclio::Error(409, "taken"); }
std::string standard_error(Context&, const Event&) { return std::string("ab").substr(7); }
std::string odd_error(Context&, const Event&) { throw 7; }
Response bad_status(Context&, const Event&) { return {7, ""}; }
NUCLIO_HANDLER(own_error)
NUCLIO_HANDLER(standard_error)
NUCLIO_HANDLER(odd_error)
NUCLIO_HANDLER(bad_status)

int pieces_made = 0;
Response count(Context&, const Event&) {
  pieces_made = 0;
  return Response::stream([](Writer& writer) {
    while (pieces_made < 5 && writer.write(std::to_string(pieces_made))) ++pieces_made;
  });
}
Response breaks_off(Context&, const Event&) {
  return Response::stream([](Writer& writer) {
    writer.write("one");
    throw std::runtime_error("lost the source");
  });
}
NUCLIO_HANDLER(count)
NUCLIO_HANDLER(breaks_off)

std::string uses_data(Context& context, const Event&) {
  auto& greeting = context.data<Greeting>();
  return greeting.word + std::to_string(++greeting.uses);
}
std::string whoami(Context& context, const Event&) {
  return std::string(context.function_name()) + " " + std::string(context.trigger_kind()) + " " +
         std::string(context.trigger_name()) + " " + std::to_string(context.worker_id());
}
std::string is_gone(Context& context, const Event&) { return context.gone() ? "gone" : "there"; }
void logs(Context& context, const Event& event) {
  context.logger.debug("no variables");
  context.logger.info("kinds", {{"yes", true},
                                {"int", -5},
                                {"big", std::numeric_limits<std::uint64_t>::max()},
                                {"real", 0.1},
                                {"nan", std::nan("")},
                                {"literal", "x"},
                                {"string", std::string("y")},
                                {"view", event.body()}});
  context.logger.warn("warn");
  context.logger.error("error");
}
NUCLIO_HANDLER(uses_data)
NUCLIO_HANDLER(whoami)
NUCLIO_HANDLER(is_gone)
NUCLIO_HANDLER(logs)

// What a test wants to ask from within a handler.
std::function<std::string(Context&, const Event&)> question;
std::string asks(Context& context, const Event& event) { return question(context, event); }
NUCLIO_HANDLER(asks)

namespace shop {
std::string order(Context&, const Event&) { return "ordered"; }
}  // namespace shop
NUCLIO_HANDLER(shop::order)

std::string asks_again(Context&, const Event&) { return ""; }
NUCLIO_HANDLER(asks_again)
namespace second {
std::string asks_again(Context&, const Event&) { return ""; }
NUCLIO_HANDLER(asks_again)
}  // namespace second

nuclio_event event_with_body(std::string_view body) {
  return {.size = sizeof(nuclio_event), .body = RecordingHost::text(body)};
}

class Sdk : public testing::Test {
 protected:
  const RecordingHost::Answer& call(std::string_view handler, const nuclio_event& event = event_with_body("BODY"),
                                    int pieces = 1000) {
    if (!host.open("main:" + std::string(handler))) ADD_FAILURE() << host.open_failure;
    return host.call(event, pieces);
  }
  std::string ask(std::function<std::string(Context&, const Event&)> what, const nuclio_event& event) {
    question = std::move(what);
    return call("asks", event).body;
  }

  RecordingHost host{*nuclio_module()};
};

struct Form {
  const char* handler;
  int status;
  const char* content_type;
  const char* body;
};

class Forms : public Sdk, public testing::WithParamInterface<Form> {};

TEST_P(Forms, OfAResultBecomeAReply) {
  const auto& answer = call(GetParam().handler);
  EXPECT_EQ(answer.replies, 1);
  EXPECT_EQ(answer.failures, 0);
  EXPECT_EQ(answer.status, GetParam().status);
  EXPECT_EQ(answer.content_type, GetParam().content_type);
  EXPECT_EQ(answer.body, GetParam().body);
  EXPECT_FALSE(answer.more);
}

INSTANTIATE_TEST_SUITE_P(
    , Forms,
    testing::Values(Form{"text", 200, "text/plain", "text"}, Form{"literal", 200, "text/plain", "literal"},
                    Form{"body", 200, "text/plain", "BODY"}, Form{"pair", 201, "text/plain", "made"},
                    Form{"literal_pair", 202, "text/plain", "taken"}, Form{"nothing", 200, "text/plain", ""},
                    Form{"whole", 203, "text/html", "<p>"}, Form{"braces", 404, "text/plain", "none"},
                    Form{"json", 200, "application/json", "{}"}, Form{"shop::order", 200, "text/plain", "ordered"}),
    [](const auto& info) {
      std::string name = info.param.handler;
      for (char& c : name)
        if (c == ':') c = '_';
      return name;
    });

TEST_F(Sdk, SendsTheHeadersOfAResponseInTheirOrder) {
  EXPECT_THAT(call("whole").headers, ElementsAre(Pair("X-One", "1"), Pair("X-Two", "2")));
}

TEST_F(Sdk, AnswersWithTheStatusAndMessageOfItsOwnError) {
  const auto& answer = call("own_error");
  EXPECT_EQ(answer.replies, 0);
  EXPECT_EQ(answer.failures, 1);
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.message, "taken");
  EXPECT_EQ(answer.body, "taken");
}

TEST_F(Sdk, ShowsAnotherExceptionInTheLogOnly) {
  const auto& answer = call("standard_error");
  EXPECT_EQ(answer.failures, 1);
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.message, testing::StartsWith("std::out_of_range: "));
  EXPECT_EQ(answer.body, "");
}

TEST_F(Sdk, NamesTheTypeOfWhatIsNoException) { EXPECT_EQ(call("odd_error").message, "threw a value of type int"); }

TEST_F(Sdk, RefusesAStatusThatIsNone) {
  const auto& answer = call("bad_status");
  EXPECT_EQ(answer.replies, 0);
  EXPECT_THAT(answer.message, HasSubstr("must be from 100 to 999, is 7"));
}

TEST_F(Sdk, StreamsThePiecesOfABody) {
  const auto& answer = call("count");
  EXPECT_TRUE(answer.more);
  EXPECT_THAT(answer.pieces, ElementsAre("0", "1", "2", "3", "4"));
  EXPECT_EQ(answer.failures, 0);
}

TEST_F(Sdk, TellsAStreamThatNobodyReads) {
  call("count", event_with_body(""), 2);
  EXPECT_EQ(pieces_made, 2);
}

TEST_F(Sdk, TellsTheHostThatAStreamBrokeOff) {
  const auto& answer = call("breaks_off");
  EXPECT_THAT(answer.pieces, ElementsAre("one"));
  EXPECT_EQ(answer.failures, 1);
  EXPECT_EQ(answer.message, "std::runtime_error: lost the source");
}

TEST_F(Sdk, KeepsWhatInitContextMadeForEachWorkerAlone) {
  RecordingHost other(*nuclio_module());
  ASSERT_TRUE(host.open("uses_data"));
  ASSERT_TRUE(other.open("uses_data"));
  EXPECT_EQ(host.call(event_with_body("")).body, "hello1");
  EXPECT_EQ(host.call(event_with_body("")).body, "hello2");
  EXPECT_EQ(other.call(event_with_body("")).body, "hello1");
}

TEST_F(Sdk, DoesNotOpenWhenInitContextThrows) {
  init_fails = true;
  EXPECT_FALSE(host.open("main:text"));
  init_fails = false;
  EXPECT_EQ(host.open_failure, "init_context failed: std::invalid_argument: no database at db:5432");
}

TEST_F(Sdk, ListsItsHandlersWhenTheOneAskedForIsMissing) {
  EXPECT_FALSE(host.open("main:handle"));
  EXPECT_THAT(host.open_failure, HasSubstr("there is no handler \"handle\" (spec.handler is \"main:handle\")"));
  EXPECT_THAT(host.open_failure, HasSubstr("the function has: text, literal, body"));
}

TEST_F(Sdk, DoesNotChooseBetweenTwoHandlersOfOneName) {
  EXPECT_FALSE(host.open("main:asks_again"));
  EXPECT_EQ(host.open_failure, "two handlers are named \"asks_again\"; rename one");
}

TEST_F(Sdk, NamesItsHandlersToAHost) {
  const auto name = [](int index) {
    const nuclio_text text = nuclio_module()->handler_name(index);
    return std::string(text.data == nullptr ? "" : text.data, text.size);
  };
  EXPECT_EQ(name(0), "text");
  EXPECT_EQ(name(1), "literal");
  EXPECT_EQ(name(1000), "");
}

TEST_F(Sdk, TellsAHandlerWhomItWorksFor) { EXPECT_EQ(call("whoami").body, "shop http front 3"); }

TEST_F(Sdk, TellsAHandlerWhetherAnyoneWaits) {
  EXPECT_EQ(call("is_gone").body, "there");
  host.gone = true;
  EXPECT_EQ(host.call(event_with_body("")).body, "gone");
}

TEST_F(Sdk, RunsTheCallbacksAndSurvivesTheirExceptions) {
  ASSERT_TRUE(host.open("text"));
  host.signal(NUCLIO_SIGNAL_DRAIN);
  host.signal(NUCLIO_SIGNAL_TERMINATE);
  EXPECT_THAT(host.log, ElementsAre("info drained", "info terminated",
                                    "error the termination callback: std::runtime_error: could not say goodbye"));
}

TEST_F(Sdk, LogsVariablesAsJson) {
  call("logs", event_with_body("q\"\\\n\x01 \xc3\xa9 \xff \xe2\x82"));
  EXPECT_THAT(host.log,
              ElementsAre("debug no variables",
                          "info kinds {\"yes\": true, \"int\": -5, \"big\": 18446744073709551615, \"real\": 0.1, "
                          "\"nan\": null, \"literal\": \"x\", \"string\": \"y\", "
                          "\"view\": \"q\\\"\\\\\\u000a\\u0001 \xc3\xa9 \xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\"}",
                          "warn warn", "error error"));
}

TEST_F(Sdk, ShowsTheWholeEvent) {
  const auto text = RecordingHost::text;
  const nuclio_pair headers[] = {{text("X-Shop"), text("north")}, {text("x-shop"), text("south")}};
  const nuclio_pair fields[] = {{text("q"), text("a b")}};
  const nuclio_event event = {.size = sizeof(nuclio_event),
                              .id = text("7"),
                              .method = text("POST"),
                              .path = text("/p"),
                              .url = text("/p?q=a+b"),
                              .content_type = text("text/csv"),
                              .trigger_kind = text("kafka"),
                              .trigger_name = text("orders"),
                              .type = text("t"),
                              .type_version = text("tv"),
                              .version = text("v"),
                              .topic = text("topic"),
                              .headers = {headers, 2},
                              .fields = {fields, 1},
                              .body = text(std::string_view("\0\xff", 2)),
                              .timestamp_ns = 1'500'000'000'123'456'789,
                              .deadline_ns = 1,
                              .shard_id = 4,
                              .num_shards = 5,
                              .offset = 6};
  ask(
      [](Context&, const Event& e) {
        EXPECT_EQ(e.id(), "7");
        EXPECT_EQ(e.method(), "POST");
        EXPECT_EQ(e.path(), "/p");
        EXPECT_EQ(e.url(), "/p?q=a+b");
        EXPECT_EQ(e.content_type(), "text/csv");
        EXPECT_EQ(e.trigger_kind(), "kafka");
        EXPECT_EQ(e.trigger_name(), "orders");
        EXPECT_EQ(e.type(), "t");
        EXPECT_EQ(e.type_version(), "tv");
        EXPECT_EQ(e.version(), "v");
        EXPECT_EQ(e.topic(), "topic");
        EXPECT_EQ(e.body(), std::string_view("\0\xff", 2));
        EXPECT_EQ(e.timestamp().time_since_epoch(), 1'500'000'000'123'456'789ns);
        EXPECT_EQ(e.shard_id(), 4);
        EXPECT_EQ(e.num_shards(), 5);
        EXPECT_EQ(e.offset(), 6);
        EXPECT_LT(*e.time_left(), 0s);
        EXPECT_EQ(e.headers().get("X-SHOP"), "north");
        EXPECT_EQ(e.headers().get("X-Other", "none"), "none");
        EXPECT_FALSE(e.headers().find("X-Sho"));
        EXPECT_EQ(e.fields().get("q"), "a b");
        EXPECT_FALSE(e.fields().find("Q"));
        std::string walked;
        for (auto [name, value] : e.headers()) walked += std::string(name) + "=" + std::string(value) + ";";
        EXPECT_EQ(walked, "X-Shop=north;x-shop=south;");
        return "";
      },
      event);
}

TEST_F(Sdk, TellsTheTimeThatIsLeftOnlyWhenThereIsALimit) {
  EXPECT_EQ(ask([](Context&, const Event& e) { return e.time_left() ? "some" : "none"; }, event_with_body("")), "none");
}

}  // namespace
