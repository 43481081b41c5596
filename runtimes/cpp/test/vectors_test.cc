// SPDX-License-Identifier: Apache-2.0
// The files of test/vectors/wire, as the runner and a function behind it read them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>
#include <string>

#include "processor_end.h"

namespace json = boost::json;
using nuclio::test::body_of;
using nuclio::test::ProcessorEnd;
using testing::HasSubstr;

namespace {

json::array vectors(const std::string& name) {
  std::ifstream file(std::string(NUCLIO_VECTORS) + "/wire/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return json::parse(text.str()).as_array();
}

std::string bytes(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return out;
}

// Text in a vector: a string, or {"hex": …} when it is no UTF-8.
std::string text(const json::value& value) {
  if (const auto* object = value.if_object()) return bytes(object->at("hex").as_string());
  return std::string(value.as_string());
}

// What function.cc says of an event, by what the vector says that it means.
std::vector<std::string> expected_lines(const json::object& frame, const json::object& meaning) {
  std::vector<std::string> lines;
  for (const char* name : {"id", "method", "path", "url", "content_type", "topic"})
    if (const auto* value = meaning.if_contains(name)) lines.push_back(std::string(name) + "=" + text(*value));
  for (const char* name : {"shard_id", "num_shards", "offset"})
    if (const auto* value = meaning.if_contains(name))
      lines.push_back(std::string(name) + "=" + json::serialize(*value));
  if (const auto* trigger = meaning.if_contains("trigger")) {
    lines.push_back("trigger_kind=" + text(trigger->at("kind")));
    lines.push_back("trigger_name=" + text(trigger->at("name")));
  }
  const auto* timestamp = frame.if_contains("timestampNs");
  lines.push_back("timestamp_ns=" + (timestamp == nullptr ? "0" : json::serialize(*timestamp)));
  lines.push_back(frame.contains("deadlineNs") ? "limited=yes" : "limited=no");
  for (const char* kind : {"header", "field"})
    if (const auto* pairs = frame.if_contains(std::string(kind) + "s"))
      for (const json::value& pair : pairs->as_array())
        lines.push_back(std::string(kind) + " " + text(pair.at(0)) + "=" + text(pair.at(1)));
  const auto* body = frame.if_contains("body");
  lines.push_back("body=" + (body == nullptr ? "" : text(*body)));
  return lines;
}

TEST(WireVectors, OfEventsMeanTheSameToAFunction) {
  ProcessorEnd processor;
  processor.run(NUCLIO_TEST_FUNCTION, {.handler = "function:handler"});
  ASSERT_TRUE(processor.receive());
  int events = 0;
  for (const json::value& vector : vectors("frames.json")) {
    const json::object& frame = vector.at("frame").as_object();
    if (frame.at("type").as_string() != "event") continue;
    SCOPED_TRACE(std::string(vector.at("name").as_string()));
    ++events;
    processor.send_bytes(bytes(vector.at("hex").as_string()));
    const auto reply = processor.receive();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->view.call, frame.at("call").to_number<std::uint64_t>());
    const std::string seen = body_of(reply->view);
    const auto* meaning = vector.as_object().if_contains("meaning");
    for (const std::string& line : expected_lines(frame, meaning == nullptr ? json::object() : meaning->as_object()))
      EXPECT_THAT(seen, HasSubstr(line + "\n"));
  }
  EXPECT_GT(events, 10);
}

TEST(WireVectors, OfBatchesAreAnsweredEventByEvent) {
  ProcessorEnd processor;
  processor.run(NUCLIO_TEST_FUNCTION, {.handler = "function:handler"});
  ASSERT_TRUE(processor.receive());
  int batches = 0;
  for (const json::value& vector : vectors("frames.json")) {
    const json::object& frame = vector.at("frame").as_object();
    if (frame.at("type").as_string() != "batch") continue;
    SCOPED_TRACE(std::string(vector.at("name").as_string()));
    ++batches;
    processor.send_bytes(bytes(vector.at("hex").as_string()));
    const auto reply = processor.receive();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->view.flags, NUCLIO_WIRE_NESTED);
    std::size_t position = 0;
    std::int64_t replies = 0;
    for (nuclio_wire_frame inner; nuclio_wire_next(&reply->view, &position, &inner) != 0;) ++replies;
    EXPECT_EQ(replies, frame.at("inner").as_int64());
  }
  EXPECT_GE(batches, 2);
}

TEST(WireVectors, ThatAreRefusedEndTheConnection) {
  int refused = 0;
  for (const json::value& vector : vectors("refused.json")) {
    SCOPED_TRACE(std::string(vector.at("name").as_string()));
    const auto* limit = vector.as_object().if_contains("limit");
    ProcessorEnd processor;
    nuclio::runner::SocketConnection connection(
        processor.take_runner_socket(),
        limit == nullptr ? NUCLIO_WIRE_DEFAULT_LIMIT : limit->to_number<std::uint32_t>());
    processor.send_bytes(bytes(vector.at("hex").as_string()));
    processor.hang_up();
    EXPECT_FALSE(connection.receive());
    // What is too short ends with the connection, and there is nothing to complain about.
    if (vector.at("reason").as_string() == "short") continue;
    EXPECT_THAT(connection.complaint(), HasSubstr("the processor wrote what is no frame: "));
    ++refused;
  }
  EXPECT_GT(refused, 10);
}

}  // namespace
