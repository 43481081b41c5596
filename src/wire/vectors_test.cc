// SPDX-License-Identifier: Apache-2.0
// The frames of test/vectors/wire, through the C library and what stands on it.
#include <gtest/gtest.h>

#include <array>
#include <boost/json.hpp>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "wire/frame.h"
#include "wire/from_worker.h"

namespace nuclio::wire {
namespace {

namespace json = boost::json;

json::array vectors(const std::string& file) {
  std::ifstream in(std::string{NUCLIO_VECTORS} + "/wire/" + file);
  std::ostringstream text;
  text << in.rdbuf();
  return json::parse(text.str()).as_array();
}

std::string unhex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string{hex.substr(i, 2)}, nullptr, 16)));
  return bytes;
}

std::string as_text(const json::value& value) {
  if (value.is_object()) return unhex(value.at("hex").as_string());
  return std::string{value.as_string()};
}

const json::value* find(const json::value& object, std::string_view key) { return object.as_object().if_contains(key); }

std::string text_of(const json::value& object, std::string_view key) {
  const json::value* value = find(object, key);
  return value ? as_text(*value) : "";
}

template <class T>
T number_of(const json::value& object, std::string_view key) {
  const json::value* value = find(object, key);
  return value ? value->to_number<T>() : T{};
}

bool flag_of(const json::value& object, std::string_view key) {
  const json::value* value = find(object, key);
  return value && value->as_bool();
}

std::size_t count_of(const json::value& object, std::string_view key) {
  const json::value* value = find(object, key);
  return value ? value->as_array().size() : 0;
}

bool has_flag(const json::value& frame, std::string_view flag) {
  if (const json::value* flags = find(frame, "flags"))
    for (const json::value& each : flags->as_array())
      if (each.as_string() == flag) return true;
  return false;
}

void expect_frame(const FrameView& view, const json::value& frame) {
  EXPECT_EQ(name(view.type()), std::string_view{frame.at("type").as_string()});
  EXPECT_EQ(view.failed(), has_flag(frame, "failed"));
  EXPECT_EQ(view.more(), has_flag(frame, "more"));
  EXPECT_EQ(view.nested(), has_flag(frame, "nested"));
  EXPECT_EQ(view.call().value(), number_of<std::uint64_t>(frame, "call"));
  EXPECT_EQ(view.time_left().count(), number_of<std::int64_t>(frame, "deadlineNs"));
  EXPECT_EQ(view.timestamp().time_since_epoch().count(), number_of<std::int64_t>(frame, "timestampNs"));
  ASSERT_EQ(view.number_count(), count_of(frame, "numbers"));
  for (std::size_t i = 0; i < view.number_count(); ++i)
    EXPECT_EQ(view.number(i), frame.at("numbers").at(i).to_number<std::int64_t>());
  ASSERT_EQ(view.string_count(), count_of(frame, "strings"));
  for (std::size_t i = 0; i < view.string_count(); ++i) EXPECT_EQ(view.string(i), as_text(frame.at("strings").at(i)));
  ASSERT_EQ(view.header_count(), count_of(frame, "headers"));
  for (std::size_t i = 0; i < view.header_count(); ++i) {
    EXPECT_EQ(view.header(i).name, as_text(frame.at("headers").at(i).at(0)));
    EXPECT_EQ(view.header(i).value, as_text(frame.at("headers").at(i).at(1)));
  }
  ASSERT_EQ(view.field_count(), count_of(frame, "fields"));
  for (std::size_t i = 0; i < view.field_count(); ++i) {
    EXPECT_EQ(view.field(i).name, as_text(frame.at("fields").at(i).at(0)));
    EXPECT_EQ(view.field(i).value, as_text(frame.at("fields").at(i).at(1)));
  }
  if (view.nested()) {
    EXPECT_EQ(view.inner().size(), number_of<std::size_t>(frame, "inner"));
  } else {
    EXPECT_EQ(view.body(), text_of(frame, "body"));
  }
}

// The vector's frame by the C encoder, from its parts alone.
std::string encoded(const FrameView& view, const json::value& frame) {
  std::vector<std::string> texts;
  auto keep = [&](const json::value* list) {
    if (!list) return;
    for (const json::value& each : list->as_array()) {
      if (each.is_array()) {
        for (const json::value& half : each.as_array()) texts.push_back(as_text(half));
      } else {
        texts.push_back(as_text(each));
      }
    }
  };
  keep(find(frame, "strings"));
  keep(find(frame, "headers"));
  keep(find(frame, "fields"));
  std::vector<nuclio_wire_text> strings;
  std::vector<nuclio_wire_pair> pairs;
  for (std::size_t i = 0; i < view.string_count(); ++i) strings.push_back({texts[i].data(), texts[i].size()});
  for (std::size_t i = view.string_count(); i + 1 < texts.size(); i += 2)
    pairs.push_back({{texts[i].data(), texts[i].size()}, {texts[i + 1].data(), texts[i + 1].size()}});
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < view.number_count(); ++i)
    numbers.push_back(frame.at("numbers").at(i).to_number<std::int64_t>());
  nuclio_wire_head head{};
  head.type = static_cast<std::uint8_t>(view.type());
  head.flags = static_cast<std::uint16_t>((has_flag(frame, "failed") ? NUCLIO_WIRE_FAILED : 0) |
                                          (has_flag(frame, "more") ? NUCLIO_WIRE_MORE : 0) |
                                          (has_flag(frame, "nested") ? NUCLIO_WIRE_NESTED : 0));
  head.call = number_of<std::uint64_t>(frame, "call");
  head.deadline_ns = number_of<std::uint64_t>(frame, "deadlineNs");
  head.timestamp_ns = number_of<std::int64_t>(frame, "timestampNs");
  head.number = numbers.data();
  head.numbers = static_cast<std::uint16_t>(numbers.size());
  head.string = strings.data();
  head.strings = static_cast<std::uint16_t>(strings.size());
  head.header = pairs.data();
  head.headers = static_cast<std::uint16_t>(view.header_count());
  head.field = pairs.data() + view.header_count();
  head.fields = static_cast<std::uint16_t>(view.field_count());
  head.body_length = view.body().size();
  std::string bytes(nuclio_wire_head_size(&head, NUCLIO_WIRE_DEFAULT_LIMIT), '?');
  EXPECT_EQ(nuclio_wire_encode(&head, NUCLIO_WIRE_DEFAULT_LIMIT, bytes.data()), bytes.size());
  bytes += view.body();
  bytes.append(nuclio_wire_padding(view.body().size()), '\0');
  return bytes;
}

TEST(WireVectors, EveryGoodFrameDecodesToWhatItSays) {
  for (const json::value& vector : vectors("frames.json")) {
    SCOPED_TRACE(json::serialize(vector.at("name")));
    std::string bytes = unhex(vector.at("hex").as_string());
    auto view = FrameView::decode(bytes);
    ASSERT_TRUE(view) << view.error().what;
    EXPECT_EQ(view->size().count, bytes.size());
    expect_frame(*view, vector.at("frame"));
  }
}

TEST(WireVectors, EveryGoodFrameIsWhatTheEncoderWrites) {
  for (const json::value& vector : vectors("frames.json")) {
    SCOPED_TRACE(json::serialize(vector.at("name")));
    std::string bytes = unhex(vector.at("hex").as_string());
    auto view = FrameView::decode(bytes);
    ASSERT_TRUE(view);
    EXPECT_TRUE(encoded(*view, vector.at("frame")) == bytes);
  }
}

TEST(WireVectors, WhatIsAbsentReadsAsItsDefault) {
  for (const json::value& vector : vectors("frames.json")) {
    std::string bytes = unhex(vector.at("hex").as_string());
    auto view = FrameView::decode(bytes);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->number(view->number_count(), -1), -1);
    EXPECT_EQ(view->number(static_cast<std::size_t>(-1), 5), 5);
    EXPECT_EQ(view->string(view->string_count()), "");
    EXPECT_EQ(view->string(static_cast<std::size_t>(-1)), "");
    EXPECT_EQ(view->header(view->header_count()), (Pair{"", ""}));
    EXPECT_EQ(view->field(static_cast<std::size_t>(-1)), (Pair{"", ""}));
  }
}

const std::map<std::string, nuclio_wire_result>& reasons() {
  static const std::map<std::string, nuclio_wire_result> kReasons{
      {"short", NUCLIO_WIRE_SHORT},           {"too_long", NUCLIO_WIRE_TOO_LONG},
      {"bad_length", NUCLIO_WIRE_BAD_LENGTH}, {"bad_version", NUCLIO_WIRE_BAD_VERSION},
      {"bad_type", NUCLIO_WIRE_BAD_TYPE},     {"bad_flags", NUCLIO_WIRE_BAD_FLAGS},
      {"bad_table", NUCLIO_WIRE_BAD_TABLE},   {"bad_string", NUCLIO_WIRE_BAD_STRING},
      {"bad_body", NUCLIO_WIRE_BAD_BODY},     {"bad_nested", NUCLIO_WIRE_BAD_NESTED},
  };
  return kReasons;
}

TEST(WireVectors, EveryBadFrameIsRefusedForItsReason) {
  for (const json::value& vector : vectors("refused.json")) {
    SCOPED_TRACE(json::serialize(vector.at("name")));
    std::string bytes = unhex(vector.at("hex").as_string());
    Bytes limit = find(vector, "limit") ? Bytes{number_of<std::uint64_t>(vector, "limit")} : kFrameLimit;
    nuclio_wire_frame frame;
    auto result = nuclio_wire_decode(bytes.data(), bytes.size(), static_cast<std::uint32_t>(limit.count), &frame);
    EXPECT_EQ(result, reasons().at(text_of(vector, "reason"))) << nuclio_wire_explain(result);
    auto view = FrameView::decode(bytes, limit);
    ASSERT_FALSE(view);
    EXPECT_EQ(view.error().why, result == NUCLIO_WIRE_TOO_LONG ? Why::too_large : Why::invalid);
    EXPECT_EQ(view.error().what, nuclio_wire_explain(result));
  }
}

TEST(WireVectors, BodiesInAnArenaAreReadThereOrRefused) {
  for (const json::value& vector : vectors("shared.json")) {
    SCOPED_TRACE(json::serialize(vector.at("name")));
    std::string bytes = unhex(vector.at("hex").as_string());
    std::string arena = unhex(vector.at("arena").as_string());
    Bytes limit = find(vector, "limit") ? Bytes{number_of<std::uint64_t>(vector, "limit")} : kFrameLimit;
    nuclio_wire_frame frame;
    auto result = nuclio_wire_decode_shared(bytes.data(), bytes.size(), static_cast<std::uint32_t>(limit.count),
                                            arena.data(), arena.size(), &frame);
    if (find(vector, "reason")) {
      EXPECT_EQ(result, reasons().at(text_of(vector, "reason"))) << nuclio_wire_explain(result);
      continue;
    }
    auto view = FrameView::decode_shared(bytes, arena, limit);
    ASSERT_TRUE(view) << view.error().what;
    if (const json::value* inner = find(vector, "inner")) {
      std::vector<FrameView> frames = view->inner();
      ASSERT_EQ(frames.size(), inner->as_array().size());
      for (std::size_t i = 0; i < frames.size(); ++i) EXPECT_EQ(frames[i].body(), as_text(inner->at(i)));
    } else {
      EXPECT_EQ(view->body(), text_of(vector, "body"));
    }
    if (view->shared()) {
      EXPECT_EQ(nuclio_wire_decode(bytes.data(), bytes.size(), NUCLIO_WIRE_DEFAULT_LIMIT, &frame),
                NUCLIO_WIRE_BAD_FLAGS);
    }
  }
}

// Compares a decoded message with the vector's meaning.
struct ExpectMeaning {
  const json::value& meaning;

  void kind(std::string_view is) const { EXPECT_EQ(is, text_of(meaning, "kind")); }
  void call(CallId is) const { EXPECT_EQ(is.value(), number_of<std::uint64_t>(meaning, "call")); }
  void operator()(const Start& start) const {
    kind("start");
    EXPECT_EQ(start.failed, flag_of(meaning, "failed"));
    EXPECT_EQ(start.pid, number_of<std::int64_t>(meaning, "pid"));
    EXPECT_EQ(start.message, text_of(meaning, "message"));
    EXPECT_EQ(start.traceback, text_of(meaning, "traceback"));
  }
  void operator()(const Reply& reply) const {
    kind("reply");
    call(reply.call);
    EXPECT_EQ(reply.failed, flag_of(meaning, "failed"));
    EXPECT_EQ(reply.more, flag_of(meaning, "more"));
    EXPECT_EQ(reply.status, number_of<int>(meaning, "status"));
    EXPECT_EQ(reply.duration.count(), number_of<std::int64_t>(meaning, "durationNs"));
    EXPECT_EQ(reply.message, text_of(meaning, "message"));
    EXPECT_EQ(reply.traceback, text_of(meaning, "traceback"));
    EXPECT_EQ(reply.body, text_of(meaning, "body"));
    if (find(meaning, "contentType")) {
      EXPECT_EQ(reply.content_type, text_of(meaning, "contentType"));
    }
  }
  void operator()(const BatchReply& batch) const {
    kind("batchReply");
    call(batch.call);
    ASSERT_EQ(batch.replies.size(), count_of(meaning, "eventIds"));
    for (std::size_t i = 0; i < batch.replies.size(); ++i)
      EXPECT_EQ(batch.replies[i].event_id, as_text(meaning.at("eventIds").at(i)));
  }
  void operator()(const Chunk& chunk) const {
    kind("chunk");
    call(chunk.call);
    EXPECT_EQ(chunk.failed, flag_of(meaning, "failed"));
    EXPECT_EQ(chunk.more, flag_of(meaning, "more"));
    EXPECT_EQ(chunk.message, text_of(meaning, "message"));
    EXPECT_EQ(chunk.body, text_of(meaning, "body"));
  }
  void operator()(const Log& line) const {
    kind("log");
    call(line.call);
    EXPECT_EQ(log::name(line.level), text_of(meaning, "level"));
    EXPECT_EQ(line.message, text_of(meaning, "message"));
    EXPECT_EQ(line.variables, text_of(meaning, "variables"));
    EXPECT_EQ(line.logger, text_of(meaning, "logger"));
  }
  void operator()(const Metric& metric) const {
    kind("metric");
    EXPECT_EQ(metric.name, text_of(meaning, "name"));
    EXPECT_EQ(metric.value, number_of<double>(meaning, "value"));
    EXPECT_EQ(static_cast<int>(metric.kind), number_of<int>(meaning, "metricKind"));
  }
  void operator()(const Ack& ack) const {
    kind("ack");
    EXPECT_EQ(ack.topic, text_of(meaning, "topic"));
    EXPECT_EQ(ack.partition, number_of<std::int64_t>(meaning, "partition"));
    EXPECT_EQ(ack.offset, number_of<std::int64_t>(meaning, "offset"));
  }
  void operator()(const Done& done) const {
    kind("done");
    call(done.call);
  }
};

TEST(WireVectors, WhatAWorkerSaysMeansWhatTheVectorSays) {
  int seen = 0;
  for (const json::value& vector : vectors("frames.json")) {
    const json::value* meaning = find(vector, "meaning");
    if (!meaning || !find(*meaning, "kind")) continue;
    SCOPED_TRACE(json::serialize(vector.at("name")));
    std::string bytes = unhex(vector.at("hex").as_string());
    auto view = FrameView::decode(bytes);
    ASSERT_TRUE(view);
    auto message = from_worker(*view);
    ASSERT_TRUE(message) << message.error().what;
    std::visit(ExpectMeaning{*meaning}, *message);
    ++seen;
  }
  EXPECT_GE(seen, 14);
}

TEST(WireVectors, WhatNoWorkerMaySayIsRefused) {
  for (const json::value& vector : vectors("not_from_a_worker.json")) {
    SCOPED_TRACE(json::serialize(vector.at("name")));
    std::string bytes = unhex(vector.at("hex").as_string());
    auto view = FrameView::decode(bytes);
    ASSERT_TRUE(view) << view.error().what;
    auto message = from_worker(*view);
    ASSERT_FALSE(message);
    EXPECT_EQ(message.error().why, Why::invalid);
    EXPECT_NE(message.error().what.find(text_of(vector, "says")), std::string::npos) << message.error().what;
  }
}

}  // namespace
}  // namespace nuclio::wire
