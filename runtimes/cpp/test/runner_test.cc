// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "processor_end.h"

using nuclio::test::body_of;
using nuclio::test::Frame;
using nuclio::test::ProcessorEnd;
using nuclio::test::string_of;
using nuclio::test::Transport;
using testing::HasSubstr;

namespace {

class Runner : public testing::TestWithParam<Transport> {
 protected:
  // Runs the test function and takes its start frame.
  void start(ProcessorEnd& processor) {
    processor.run(NUCLIO_TEST_FUNCTION, {.handler = "function:handler", .trigger_kind = "http", .index = 2});
    const auto start = processor.receive();
    ASSERT_TRUE(start);
    ASSERT_EQ(start->view.type, NUCLIO_WIRE_START);
    ASSERT_EQ(start->view.flags, 0) << string_of(*start, NUCLIO_WIRE_START_MESSAGE);
  }

  // The message of a start that failed.
  std::string refusal(const std::string& object, const nuclio::runner::Worker& worker) {
    processor.run(object, worker);
    const auto start = processor.receive();
    if (!start || start->view.type != NUCLIO_WIRE_START || start->view.flags != NUCLIO_WIRE_FAILED) return "";
    EXPECT_EQ(processor.exit_code(), 1);
    return string_of(*start, NUCLIO_WIRE_START_MESSAGE);
  }

  ProcessorEnd processor{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Transports, Runner, testing::Values(Transport::socket, Transport::ring),
                         [](const auto& test) { return test.param == Transport::ring ? "Ring" : "Socket"; });

class RunnerOverASocket : public Runner {};
INSTANTIATE_TEST_SUITE_P(Transports, RunnerOverASocket, testing::Values(Transport::socket));

TEST_P(Runner, SaysWhatRunsWhenItIsReady) {
  processor.run(NUCLIO_TEST_FUNCTION, {.handler = "function:handler", .index = 2});
  const auto start = processor.receive();
  ASSERT_TRUE(start);
  EXPECT_EQ(start->view.type, NUCLIO_WIRE_START);
  EXPECT_EQ(start->view.flags, 0);
  EXPECT_GT(nuclio_wire_number(&start->view, NUCLIO_WIRE_START_PID, 0), 0);
  EXPECT_THAT(string_of(*start, NUCLIO_WIRE_START_RUNTIME), HasSubstr("c++ sdk"));
  ASSERT_EQ(processor.log().size(), 1u);
  EXPECT_EQ(string_of(processor.log()[0], NUCLIO_WIRE_LOG_MESSAGE), "initialised");
  EXPECT_EQ(string_of(processor.log()[0], NUCLIO_WIRE_LOG_WITH), "{\"worker\": 2}");
  EXPECT_EQ(processor.log()[0].view.call, 0u);
}

TEST_P(Runner, SaysThatTheObjectIsMissing) {
  EXPECT_EQ(refusal("/nowhere/handler.so", {.handler = "a:b"}),
            "there is no /nowhere/handler.so; build the function again");
}

TEST_P(Runner, SaysThatAFileIsNoObject) {
  const std::string text = testing::TempDir() + "no-object-" + std::to_string(getpid());
  std::ofstream(text) << "text";
  EXPECT_THAT(refusal(text, {.handler = "a:b"}), HasSubstr("cannot load the function: " + text));
  unlink(text.c_str());
}

TEST_P(Runner, SaysThatAnObjectIsNoFunction) {
  EXPECT_THAT(refusal(NUCLIO_TEST_NO_FUNCTION, {.handler = "a:b"}), HasSubstr("it has no symbol nuclio_module"));
}

TEST_P(Runner, SaysThatAnObjectIsOfAnotherVersion) {
  EXPECT_THAT(
      refusal(NUCLIO_TEST_OTHER_VERSION, {.handler = "a:b"}),
      HasSubstr("was built for version 99 of the interface between Nuclio and C++ functions, this is version 1"));
}

TEST_P(Runner, ListsTheHandlersWhenTheOneAskedForIsMissing) {
  EXPECT_EQ(refusal(NUCLIO_TEST_FUNCTION, {.handler = "function:main"}),
            "there is no handler \"main\" (spec.handler is \"function:main\"); the function has: handler");
}

TEST_P(Runner, SaysThatInitContextFailed) {
  EXPECT_EQ(refusal(NUCLIO_TEST_FUNCTION, {.handler = "function:handler", .trigger_name = "broken"}),
            "init_context failed: std::runtime_error: the trigger is broken");
}

TEST_P(Runner, AnswersCallsInOrder) {
  start(processor);
  for (std::uint64_t call = 1; call <= 3; ++call) processor.send_event(call, "/x", "body " + std::to_string(call));
  for (std::uint64_t call = 1; call <= 3; ++call) {
    const auto reply = processor.receive();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->view.type, NUCLIO_WIRE_REPLY);
    EXPECT_EQ(reply->view.flags, 0);
    EXPECT_EQ(reply->view.call, call);
    EXPECT_EQ(nuclio_wire_number(&reply->view, NUCLIO_WIRE_REPLY_STATUS, 200), 200);
    EXPECT_GT(nuclio_wire_number(&reply->view, NUCLIO_WIRE_REPLY_DURATION_NS, 0), 0);
    EXPECT_EQ(string_of(*reply, NUCLIO_WIRE_REPLY_CONTENT_TYPE), "text/plain");
    EXPECT_THAT(body_of(reply->view), HasSubstr("body=body " + std::to_string(call)));
  }
}

TEST_P(Runner, SendsHeaders) {
  start(processor);
  processor.send_event(1, "/headers");
  const auto reply = processor.receive();
  ASSERT_TRUE(reply);
  ASSERT_EQ(reply->view.headers, 2);
  const nuclio_wire_pair second = nuclio_wire_header(&reply->view, 1);
  EXPECT_EQ(std::string(second.name.data, second.name.length), "X-B");
  EXPECT_EQ(std::string(second.value.data, second.value.length), "2");
}

TEST_P(Runner, TellsAFailureApartFromAnAnswer) {
  start(processor);
  processor.send_event(1, "/teapot");
  const auto own = processor.receive();
  ASSERT_TRUE(own);
  EXPECT_EQ(own->view.flags, NUCLIO_WIRE_FAILED);
  EXPECT_EQ(nuclio_wire_number(&own->view, NUCLIO_WIRE_REPLY_STATUS, 0), 418);
  EXPECT_EQ(body_of(own->view), "short and stout");
  processor.send_event(2, "/raise");
  const auto raised = processor.receive();
  ASSERT_TRUE(raised);
  EXPECT_EQ(raised->view.flags, NUCLIO_WIRE_FAILED);
  EXPECT_EQ(nuclio_wire_number(&raised->view, NUCLIO_WIRE_REPLY_STATUS, 0), 500);
  EXPECT_EQ(string_of(*raised, NUCLIO_WIRE_REPLY_MESSAGE), "std::logic_error: impossible");
  EXPECT_EQ(body_of(raised->view), "");
}

TEST_P(Runner, LogsWithTheCallThatItHandles) {
  start(processor);
  processor.send_event(7, "/log");
  ASSERT_TRUE(processor.receive_log("a line"));
  const Frame& line = processor.log().back();
  EXPECT_EQ(line.view.call, 7u);
  EXPECT_GT(line.view.timestamp_ns, 1'600'000'000'000'000'000);
  EXPECT_EQ(nuclio_wire_number(&line.view, NUCLIO_WIRE_LOG_LEVEL, -1), 2);
  EXPECT_EQ(string_of(line, NUCLIO_WIRE_LOG_WITH), "{\"n\": 1}");
}

TEST_P(Runner, StreamsInChunks) {
  start(processor);
  processor.send_event(1, "/stream");
  const auto head = processor.receive();
  ASSERT_TRUE(head);
  EXPECT_EQ(head->view.type, NUCLIO_WIRE_REPLY);
  EXPECT_EQ(head->view.flags, NUCLIO_WIRE_MORE);
  EXPECT_EQ(nuclio_wire_number(&head->view, NUCLIO_WIRE_REPLY_STATUS, 0), 206);
  std::string body = body_of(head->view);
  int last_flags = NUCLIO_WIRE_MORE;
  while (last_flags == NUCLIO_WIRE_MORE) {
    const auto chunk = processor.receive();
    ASSERT_TRUE(chunk);
    ASSERT_EQ(chunk->view.type, NUCLIO_WIRE_CHUNK);
    EXPECT_EQ(chunk->view.call, 1u);
    body += body_of(chunk->view);
    last_flags = chunk->view.flags;
  }
  EXPECT_EQ(last_flags, 0);
  EXPECT_EQ(body, "one two three");
}

TEST_P(Runner, EndsABrokenStreamWithAFailedChunk) {
  start(processor);
  processor.send_event(1, "/broken-stream");
  ASSERT_TRUE(processor.receive());
  ASSERT_TRUE(processor.receive());
  const auto last = processor.receive();
  ASSERT_TRUE(last);
  EXPECT_EQ(last->view.type, NUCLIO_WIRE_CHUNK);
  EXPECT_EQ(last->view.flags, NUCLIO_WIRE_FAILED);
  EXPECT_EQ(string_of(*last, NUCLIO_WIRE_CHUNK_MESSAGE), "std::runtime_error: lost the source");
  // And the worker goes on.
  processor.send_event(2, "/x");
  const auto next = processor.receive();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->view.call, 2u);
}

TEST_P(Runner, StopsAStreamThatIsCancelled) {
  start(processor);
  processor.send_event(1, "/endless");
  ASSERT_TRUE(processor.receive());
  processor.send({.type = NUCLIO_WIRE_CANCEL, .call = 1});
  EXPECT_TRUE(processor.receive_log("nobody reads"));
}

TEST_P(Runner, LetsAHandlerSeeThatItsCallIsCancelled) {
  start(processor);
  processor.send_event(1, "/until-gone");
  ASSERT_TRUE(processor.receive_log("waiting"));
  processor.send({.type = NUCLIO_WIRE_CANCEL, .call = 1});
  const auto reply = processor.receive();
  ASSERT_TRUE(reply);
  EXPECT_EQ(body_of(reply->view), "gave up");
}

TEST_P(Runner, LetsAHandlerSeeThatItsTimeIsUp) {
  start(processor);
  processor.send_event(1, "/until-gone", "", 1'000'000);
  const auto reply = processor.receive();
  ASSERT_TRUE(reply);
  EXPECT_EQ(body_of(reply->view), "gave up");
}

TEST_P(RunnerOverASocket, DropsACallThatWasCancelledBeforeItBegan) {
  start(processor);
  const nuclio_wire_head cancel = {.type = NUCLIO_WIRE_CANCEL, .call = 2};
  processor.send_bytes(ProcessorEnd::event(1, "/x", "") + ProcessorEnd::event(2, "/x", "") +
                       nuclio::runner::encode(cancel, "", NUCLIO_WIRE_DEFAULT_LIMIT) +
                       ProcessorEnd::event(3, "/x", ""));
  const auto first = processor.receive();
  const auto second = processor.receive();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->view.call, 1u);
  EXPECT_EQ(second->view.call, 3u);
}

TEST_P(Runner, AnswersABatchEventByEvent) {
  start(processor);
  const std::string events = ProcessorEnd::event(9, "/teapot", "") + ProcessorEnd::event(9, "/stream", "") +
                             ProcessorEnd::event(9, "/broken-stream", "") + ProcessorEnd::event(9, "/headers", "");
  processor.send({.type = NUCLIO_WIRE_BATCH, .flags = NUCLIO_WIRE_NESTED, .call = 9, .body_length = events.size()},
                 events);
  const auto reply = processor.receive();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->view.flags, NUCLIO_WIRE_NESTED);
  EXPECT_EQ(reply->view.call, 9u);
  std::string seen;
  std::size_t position = 0;
  nuclio_wire_frame inner;
  while (nuclio_wire_next(&reply->view, &position, &inner) != 0) {
    const nuclio_wire_text id = nuclio_wire_string(&inner, NUCLIO_WIRE_REPLY_EVENT_ID);
    seen += std::string(id.data, id.length) + " " + std::to_string(inner.flags) + " " +
            std::to_string(nuclio_wire_number(&inner, NUCLIO_WIRE_REPLY_STATUS, 0)) + " " + body_of(inner) + "\n";
  }
  EXPECT_EQ(seen,
            "event-/teapot 1 418 short and stout\n"
            "event-/stream 0 206 one two three\n"
            "event-/broken-stream 1 500 \n"
            "event-/headers 0 200 h\n");
}

TEST_P(Runner, CarriesLargeBodiesBothWays) {
  start(processor);
  const std::string body(3 << 20, 'b');
  std::thread sender([&] {
    const nuclio_wire_text strings[] = {{"1", 1}, {"POST", 4}, {"/x", 2}};
    processor.send({.type = NUCLIO_WIRE_EVENT, .call = 1, .string = strings, .strings = 3, .body_length = body.size()},
                   body);
  });
  const auto reply = processor.receive();
  sender.join();
  ASSERT_TRUE(reply);
  EXPECT_TRUE(body_of(reply->view).ends_with("body=" + body + "\n"));
}

TEST_P(Runner, SaysThatAResponseIsTooLarge) {
  ProcessorEnd small(GetParam(), 64 << 10);
  start(small);
  small.send_event(1, "/large", "70000");
  const auto reply = small.receive();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->view.flags, NUCLIO_WIRE_FAILED);
  EXPECT_THAT(string_of(*reply, NUCLIO_WIRE_REPLY_MESSAGE), HasSubstr("its body has 70000 bytes"));
  small.send_event(2, "/large", "60000");
  const auto next = small.receive();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->view.body_length, 60000u);
}

TEST_P(Runner, RunsCallbacksAndSaysWhenTheyAreDone) {
  start(processor);
  processor.send_control(5, NUCLIO_WIRE_DRAIN);
  const auto drained = processor.receive();
  ASSERT_TRUE(drained);
  EXPECT_EQ(drained->view.call, 5u);
  EXPECT_EQ(nuclio_wire_number(&drained->view, NUCLIO_WIRE_CONTROL_KIND, 0), NUCLIO_WIRE_DONE);
  EXPECT_EQ(string_of(processor.log().back(), NUCLIO_WIRE_LOG_MESSAGE), "drained");
  processor.send_control(6, NUCLIO_WIRE_CONTINUE);
  processor.send_event(7, "/x");
  const auto reply = processor.receive();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->view.call, 7u);
  processor.send_control(8, NUCLIO_WIRE_TERMINATE);
  const auto done = processor.receive();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->view.call, 8u);
  EXPECT_EQ(string_of(processor.log().back(), NUCLIO_WIRE_LOG_MESSAGE), "terminated");
  EXPECT_FALSE(processor.receive());
  EXPECT_EQ(processor.exit_code(), 0);
}

TEST_P(Runner, EndsQuietlyWhenTheProcessorCloses) {
  start(processor);
  processor.hang_up();
  EXPECT_EQ(processor.exit_code(), 0);
  EXPECT_EQ(processor.complaint(), "");
}

}  // namespace
