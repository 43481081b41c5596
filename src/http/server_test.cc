// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "http/serializer.h"
#include "http/test_server.h"
#include "loop/wait_list.h"

namespace nuclio::http {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kGet = "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kLastGet = "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

std::string post(const std::string& headers, const std::string& body) {
  return "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers + "\r\n" + body;
}

TEST(Server, AnswersAndKeepsTheConnection) {
  TestServer test;
  test.play([](TestServer& test) -> Task<bool> {
    Peer peer{test.loop, test.port()};
    for (int i = 0; i < 3; ++i) {
      co_await peer.send(kGet);
      std::string answer = co_await peer.read_answer();
      EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nServer: nuclio\r\nDate: "));
      EXPECT_THAT(answer, HasSubstr("Content-Length: 11\r\n"));
      EXPECT_THAT(answer, EndsWith("\r\n\r\nGET /a?b=c|"));
    }
    EXPECT_EQ(test.server.connections(), 1u);
    co_return true;
  });
}

TEST(Server, ReadsARequestThatArrivesByteByByte) {
  TestServer test;
  test.play([](TestServer& test) -> Task<bool> {
    Peer peer{test.loop, test.port()};
    for (char c : post("Content-Length: 5\r\n", "hello")) {
      co_await peer.send(std::string(1, c));
      co_await test.loop.yield();
    }
    std::string answer = co_await peer.read_to_end();
    EXPECT_EQ(body_of(answer), "POST /|hello");
    co_return true;
  });
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  TestServer test;
  std::string requests;
  std::string expected;
  for (int i = 0; i < 500; ++i) {
    std::string path = "/" + std::to_string(i);
    std::string body(static_cast<std::size_t>(i), 'b');
    requests += "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(i) + "\r\n\r\n" + body;
    expected += "POST " + path + "|" + body + ";";
  }
  std::string answers = test.exchange(requests + kLastGet);
  std::string bodies;
  for (std::size_t at = 0; (at = answers.find("\r\n\r\n", at)) != std::string::npos;) {
    std::size_t end = std::min(answers.find("HTTP/1.1 ", at), answers.size());
    bodies += answers.substr(at + 4, end - at - 4) + ";";
    at = end;
  }
  EXPECT_EQ(bodies, expected + "GET /last|;");
}

Task<Response> path_or_wait(Request& request, WaitList& gate) {
  if (request.path == "/slow") (void)co_await gate.wait();
  co_return Response::text(200, std::string(request.path));
}

TEST(Server, SendsAnAnswerBeforeASlowHandlerIsThroughWithTheNextRequest) {
  WaitList* gate = nullptr;
  TestServer test{[&](Request& request) { return path_or_wait(request, *gate); }};
  WaitList list{test.loop};
  gate = &list;
  test.play([](TestServer& test) -> Task<bool> {
    Peer peer{test.loop, test.port()};
    co_await peer.send("GET /quick HTTP/1.1\r\nHost: x\r\n\r\nGET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    std::string first = co_await peer.read_answer();
    EXPECT_EQ(body_of(first), "/quick");
    co_return true;
  });
  EXPECT_FALSE(list.empty());  // the second is still being worked on
}

TEST(Server, ReadsBodiesOfEverySizeAndFraming) {
  TestServer test;
  Limits limits;
  for (std::size_t size : {0UL, 1UL, 4000UL, 4096UL, 16384UL, 16385UL, 100'000UL, 1UL << 20, limits.body_bytes.count}) {
    SCOPED_TRACE(size);
    std::string body(size, ' ');
    for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>('a' + i % 23);
    std::string counted = test.exchange(post("Content-Length: " + std::to_string(size) + "\r\n", body));
    EXPECT_TRUE(body_of(counted) == "POST /|" + body);
    std::string chunks;
    for (std::size_t at = 0; at < size; at += 7777) {
      std::string_view piece = std::string_view(body).substr(at, 7777);
      append_chunk_size(chunks, piece.size());
      chunks.append(piece).append("\r\n");
    }
    std::string chunked = test.exchange(post("Transfer-Encoding: chunked\r\n", chunks + std::string(kLastChunk)));
    EXPECT_TRUE(body_of(chunked) == "POST /|" + body);
  }
}

TEST(Server, GivesTheHandlerWhatItNeedsToKnow) {
  std::string seen;
  TestServer test{[&seen](Request& request) -> Task<Response> {
    seen = std::string(request.path) + "|" + std::string(request.query) + "|" +
           std::string(request.headers.get("x-y")) + "|" + std::to_string(request.minor_version) + "|" +
           std::string(request.remote_address.substr(0, request.remote_address.find(':')));
    return echo(request);
  }};
  (void)test.exchange("GET /p%20q?r=s HTTP/1.1\r\nHost: x\r\nX-Y: z\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(seen, "/p%20q|r=s|z|1|127.0.0.1");
}

TEST(Server, AsksForABodyOnlyWhenItIsWanted) {
  TestServer test;
  test.play([](TestServer& test) -> Task<bool> {
    Peer peer{test.loop, test.port()};
    co_await peer.send(post("Content-Length: 5\r\nExpect: 100-continue\r\n", ""));
    std::string go_on = co_await peer.read_until("\r\n\r\n");
    EXPECT_EQ(go_on, "HTTP/1.1 100 Continue\r\n\r\n");
    co_await peer.send("hello");
    std::string answer = co_await peer.read_to_end();
    EXPECT_EQ(body_of(answer), "POST /|hello");
    co_return true;
  });
  // The body is there already, there is none, or the client speaks HTTP/1.0: no go-ahead.
  EXPECT_THAT(test.exchange(post("Content-Length: 5\r\nExpect: 100-continue\r\n", "hello")),
              StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(test.exchange(post("Expect: 100-continue\r\n", "")), StartsWith("HTTP/1.1 200"));
  // Refused before the body was sent.
  std::string refused = test.exchange(post("Content-Length: 5000000\r\nExpect: 100-continue\r\n", ""));
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(test.exchange(post("Expect: a miracle\r\n", "")), StartsWith("HTTP/1.1 417 "));
}

TEST(Server, AnswersHeadWithTheLengthAndWithoutTheBody) {
  TestServer test;
  std::string answer = test.exchange("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n" + kLastGet);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 8\r\n\r\nHTTP/1.1 200 OK\r\n"));
}

TEST(Server, SpeaksHttp10) {
  TestServer test;
  std::string once = test.exchange("GET /a HTTP/1.0\r\n\r\n");
  EXPECT_THAT(once, HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(body_of(once), "GET /a|");
  std::string twice = test.exchange("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n");
  EXPECT_THAT(twice, HasSubstr("Connection: keep-alive\r\n"));
  EXPECT_THAT(twice, EndsWith("GET /b|"));
}

TEST(Server, ClosesWhenTheHandlerSaysSo) {
  TestServer test{[](Request&) -> Task<Response> {
    Response response = Response::text(503, "later");
    response.headers.add("Connection", "close");
    co_return response;
  }};
  std::string answer = test.exchange(kGet + kGet);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(answer, EndsWith("Connection: close\r\n\r\nlater"));
}

Task<Response> finish_later(WaitList& gate, bool& finished) {
  (void)co_await gate.wait();
  finished = true;
  co_return Response::text(200, "nobody reads this");
}

Task<bool> leave_early(TestServer& test, WaitList& gate) {
  {
    Peer peer{test.loop, test.port()};
    co_await peer.send(kGet);
    co_await until(test.loop, [&] { return !gate.empty(); });
  }
  co_await settle(test.loop);
  gate.notify_all();
  co_await until(test.loop, [&] { return test.nobody_connected(); });
  co_return true;
}

TEST(Server, FinishesARequestWhoseClientHasGone) {
  bool finished = false;
  WaitList* gate = nullptr;
  TestServer test{[&](Request&) { return finish_later(*gate, finished); }};
  WaitList list{test.loop};
  gate = &list;
  EXPECT_TRUE(run_until_done(test.loop, leave_early(test, list)));
  EXPECT_TRUE(finished);
}

TEST(Server, AnswersAClientThatHasSaidAllItWillSay) {
  TestServer test;
  test.play([](TestServer& test) -> Task<bool> {
    Peer peer{test.loop, test.port()};
    std::string body(4 << 20, 'x');  // more than the kernel takes at once
    co_await peer.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4194304\r\n\r\n" + body);
    peer.stream().shut_down_writing();
    co_await settle(test.loop);
    std::string answer = co_await peer.read_to_end();
    EXPECT_TRUE(body_of(answer) == "POST /|" + body);
    co_return true;
  });
}

TEST(Server, ListensOnUnixSocketsToo) {
  TestServer test;
  std::string path = testing::TempDir() + "nuclio-http-" + std::to_string(getpid()) + ".sock";
  auto listener = Listener::listen(test.loop, Address{"", 0, path});
  ASSERT_TRUE(listener) << listener.error().what;
  test.server.serve(std::move(*listener));
  EXPECT_EQ(test.server.addresses().size(), 2u);
  EXPECT_EQ(test.server.addresses()[1].text(), "unix:" + path);
  std::filesystem::remove(path);
}

struct TempFile {
  explicit TempFile(const std::string& text) : path(testing::TempDir() + "nuclio-http-" + std::to_string(getpid())) {
    std::ofstream(path) << text;
  }
  ~TempFile() { std::filesystem::remove(path); }
  std::string path;
};

Answers::Function sends_file(std::string path, DeleteAfterSend after) {
  return [path, after](Request&) -> Task<Response> {
    return [](std::string path, DeleteAfterSend after) -> Task<Response> {
      auto file = FileBody::open(path, after);
      if (!file) co_return Response::error(file.error());
      Response response;
      response.body = std::move(*file);
      co_return response;
    }(path, after);
  };
}

TEST(Server, SendsAFileAndMayRemoveItAfterwards) {
  std::string text(3'000'000, 'f');
  TempFile file{text};
  {
    TestServer test{sends_file(file.path, DeleteAfterSend::no)};
    EXPECT_TRUE(body_of(test.exchange(kLastGet)) == text);
    std::string head = test.exchange("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(head, HasSubstr("Content-Length: 3000000\r\n"));
    EXPECT_EQ(body_of(head), "");
    EXPECT_TRUE(std::filesystem::exists(file.path));
  }
  TestServer test{sends_file(file.path, DeleteAfterSend::yes)};
  EXPECT_TRUE(body_of(test.exchange(kLastGet)) == text);
  EXPECT_FALSE(std::filesystem::exists(file.path));
  EXPECT_THAT(test.exchange(kLastGet), StartsWith("HTTP/1.1 404 "));
}

TEST(FileBody, IsARegularFile) {
  EXPECT_EQ(FileBody::open("/").error().why, Why::invalid);
  EXPECT_EQ(FileBody::open("/dev/null").error().why, Why::invalid);
  EXPECT_EQ(FileBody::open("/nonexistent/file").error().why, Why::not_found);
}

}  // namespace
}  // namespace nuclio::http
