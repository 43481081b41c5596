// SPDX-License-Identifier: Apache-2.0
#include "load/answer.h"

#include <gtest/gtest.h>

#include <string>

namespace nuclio::load {
namespace {

using enum Answer::State;

struct Case {
  const char* name;
  std::string bytes;
  Answer::State state;
  int status = 0;
  bool keep_alive = true;
  std::size_t beyond = 0;  // bytes at the end that belong to the next answer
  bool head_only = false;
};

const Case kCases[] = {
    {"a length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", complete, 200},
    {"no body", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", complete, 200},
    {"no reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", complete, 200},
    {"a body that is short", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", partial, 200},
    {"half a head", "HTTP/1.1 503 Service Unavailable\r\nRetry-A", partial, 503},
    {"no content", "HTTP/1.1 204 No Content\r\n\r\n", complete, 204},
    {"a close", "HTTP/1.1 503 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", complete, 503, false},
    {"an old server", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", complete, 200, false},
    {"chunks",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nA;x=y\r\n0123456789\r\n0\r\nT: t\r\n\r\n",
     complete, 200},
    {"chunks without the last", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", partial, 200},
    {"an interim answer", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", complete,
     201},
    {"the next answer too", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1", complete, 200, true, 8},
    {"the answer to HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", complete, 200, true, 0, true},
    {"a chunk that is longer than it says", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
     garbled, 200},
    {"another protocol", "SSH-2.0-OpenSSH\r\n", garbled},
    {"a bare line feed", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", garbled},
    {"no number", "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n", garbled, 200},
    {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", garbled, 200},
    {"a head without end", "HTTP/1.1 200 OK\r\nA: " + std::string(70'000, 'a'), garbled, 200},
};

TEST(Answer, IsReadTheSameHoweverItsBytesArrive) {
  for (const Case& one : kCases) {
    SCOPED_TRACE(one.name);
    for (std::size_t step : {one.bytes.size(), std::size_t{1}, std::size_t{7}}) {
      Answer answer{one.head_only};
      std::size_t at = 0;
      while (at < one.bytes.size() && answer.state() != complete && answer.state() != garbled)
        at += answer.take(std::string_view{one.bytes}.substr(at, step));
      EXPECT_EQ(answer.state(), one.state);
      EXPECT_EQ(answer.status(), one.status);
      if (one.state != complete) continue;
      EXPECT_EQ(answer.keep_alive(), one.keep_alive);
      EXPECT_EQ(one.bytes.size() - at, one.beyond);
    }
  }
}

TEST(Answer, WithoutLengthEndsWithTheConnection) {
  Answer answer;
  EXPECT_EQ(answer.take("HTTP/1.1 200 OK\r\n\r\nabc"), 22U);
  EXPECT_EQ(answer.state(), partial);
  answer.closed();
  EXPECT_EQ(answer.state(), complete);
  EXPECT_FALSE(answer.keep_alive());
}

TEST(Answer, ThatLacksPartOfItsBodyIsNotCompletedByTheClose) {
  Answer answer;
  answer.take("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc");
  answer.closed();
  EXPECT_EQ(answer.state(), partial);
}

}  // namespace
}  // namespace nuclio::load
