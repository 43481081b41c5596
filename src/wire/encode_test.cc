// SPDX-License-Identifier: Apache-2.0
#include "wire/encode.h"

#include <gtest/gtest.h>

#include "wire/frame.h"

namespace nuclio::wire {
namespace {

using namespace std::chrono_literals;

std::string joined(const Encoded& frame) {
  std::string bytes;
  for (const iovec& part : frame.parts()) bytes.append(static_cast<const char*>(part.iov_base), part.iov_len);
  return bytes;
}

TEST(Encode, AnEventArrivesWithAllItHas) {
  Pair headers[] = {{"Host", "x"}, {"X-Empty", ""}};
  Pair fields[] = {{"q", "1"}};
  Event event{.call = CallId{9},
              .time_left = 3s,
              .timestamp = std::chrono::system_clock::time_point{1700000000s},
              .id = "id",
              .method = "PUT",
              .path = "/p",
              .url = "u",
              .content_type = "c",
              .trigger_kind = "http",
              .trigger_name = "n",
              .type = "t",
              .type_version = "tv",
              .version = "v",
              .topic = "to",
              .shard_id = 4,
              .num_shards = 5,
              .offset = 6,
              .headers = headers,
              .fields = fields,
              .body = "hello"};
  Encoded out;
  ASSERT_TRUE(encode(event, out));
  std::string bytes = joined(out);
  EXPECT_EQ(out.size().count, bytes.size());
  auto view = FrameView::decode(bytes);
  ASSERT_TRUE(view) << view.error().what;
  EXPECT_EQ(view->type(), Type::event);
  EXPECT_EQ(view->call(), CallId{9});
  EXPECT_EQ(view->time_left(), 3s);
  EXPECT_EQ(view->timestamp(), event.timestamp);
  std::string_view strings[] = {"id", "PUT", "/p", "u", "c", "http", "n", "t", "tv", "v", "to"};
  ASSERT_EQ(view->string_count(), std::size(strings));
  for (std::size_t i = 0; i < std::size(strings); ++i) EXPECT_EQ(view->string(i), strings[i]);
  EXPECT_EQ(view->number(NUCLIO_WIRE_EVENT_SHARD_ID), 4);
  EXPECT_EQ(view->number(NUCLIO_WIRE_EVENT_NUM_SHARDS), 5);
  EXPECT_EQ(view->number(NUCLIO_WIRE_EVENT_OFFSET), 6);
  ASSERT_EQ(view->header_count(), 2u);
  EXPECT_EQ(view->header(1), headers[1]);
  ASSERT_EQ(view->field_count(), 1u);
  EXPECT_EQ(view->field(0), fields[0]);
  EXPECT_EQ(view->body(), "hello");
}

TEST(Encode, ABodyIsSentFromWhereItIs) {
  std::string body(1000, 'x');
  Event event{.body = body};
  Encoded out;
  ASSERT_TRUE(encode(event, out));
  bool borrowed = false;
  for (const iovec& part : out.parts()) borrowed = borrowed || part.iov_base == body.data();
  EXPECT_TRUE(borrowed);
}

TEST(Encode, AReusedBufferKeepsNothingOfTheFrameBefore) {
  Encoded reused, fresh;
  Event large{.id = "a long one", .body = "with a body"};
  Event small{.id = "s"};
  ASSERT_TRUE(encode(large, reused));
  ASSERT_TRUE(encode(small, reused));
  ASSERT_TRUE(encode(small, fresh));
  EXPECT_EQ(joined(reused), joined(fresh));
}

TEST(Encode, ABatchHoldsItsEventsInOrder) {
  std::string body(333, 'b');
  Event events[] = {{.id = "1", .body = "odd"}, {.id = "2"}, {.id = "3", .body = body}};
  Encoded out;
  ASSERT_TRUE(encode_batch(CallId{5}, 1s, events, out));
  std::string bytes = joined(out);
  auto view = FrameView::decode(bytes);
  ASSERT_TRUE(view) << view.error().what;
  EXPECT_EQ(view->type(), Type::batch);
  EXPECT_EQ(view->call(), CallId{5});
  auto inner = view->inner();
  ASSERT_EQ(inner.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(inner[i].string(NUCLIO_WIRE_EVENT_ID), events[i].id);
    EXPECT_EQ(inner[i].body(), events[i].body);
  }
}

TEST(Encode, WhatDoesNotFitIsTooLarge) {
  std::string body(1000, 'x');
  Event event{.body = body};
  Encoded out;
  ASSERT_TRUE(encode(event, out));
  Bytes exact = out.size();
  EXPECT_TRUE(encode(event, out, exact));
  auto refused = encode(event, out, Bytes{exact.count - 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().why, Why::too_large);

  Event two[] = {event, event};
  EXPECT_FALSE(encode_batch(CallId{1}, 0s, two, out, exact));

  std::vector<Pair> many(65536, Pair{"a", "b"});
  Event crowded{.headers = many};
  auto crowd = encode(crowded, out);
  ASSERT_FALSE(crowd);
  EXPECT_EQ(crowd.error().why, Why::too_large);
  Event fewer{.headers = std::span{many}.first(65535)};
  EXPECT_TRUE(encode(fewer, out));
}

TEST(Encode, ControlAndCancelSayWhichCallTheyMean) {
  Encoded out;
  encode_control(Control::terminate, CallId{3}, out);
  std::string bytes = joined(out);
  auto view = FrameView::decode(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->type(), Type::control);
  EXPECT_EQ(view->call(), CallId{3});
  EXPECT_EQ(view->number(NUCLIO_WIRE_CONTROL_KIND), NUCLIO_WIRE_TERMINATE);
  encode_cancel(CallId{4}, out);
  bytes = joined(out);
  view = FrameView::decode(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->type(), Type::cancel);
  EXPECT_EQ(view->call(), CallId{4});
}

}  // namespace
}  // namespace nuclio::wire
