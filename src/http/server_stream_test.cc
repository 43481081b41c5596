// SPDX-License-Identifier: Apache-2.0
// Answers that are made while they are sent.
#include <gmock/gmock.h>

#include "http/server.h"
#include "http/test_server.h"
#include "loop/wait_list.h"

namespace nuclio::http {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kLastGet = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

// Gives `pieces`, then an error or the end.
class Pieces final : public BodySource {
 public:
  explicit Pieces(std::vector<std::string> pieces, std::optional<Error> error = {})
      : pieces_(std::move(pieces)), error_(std::move(error)) {}
  Task<Result<std::optional<std::string>>> next() override {
    if (at_ < pieces_.size()) co_return pieces_[at_++];
    if (error_) co_return fail(*error_);
    co_return std::optional<std::string>{};
  }

 private:
  std::vector<std::string> pieces_;
  std::optional<Error> error_;
  std::size_t at_ = 0;
};

Answers::Function streams(std::vector<std::string> pieces, std::optional<Error> error = {}) {
  return [pieces, error](Request&) -> Task<Response> {
    return [](std::vector<std::string> pieces, std::optional<Error> error) -> Task<Response> {
      Response response;
      response.body = std::make_unique<Pieces>(std::move(pieces), std::move(error));
      co_return response;
    }(pieces, error);
  };
}

TEST(ServerStream, IsChunkedInHttp11) {
  TestServer test{streams({"hello", "", std::string(20'000, 'x'), "end"})};
  std::string answer = test.exchange(kGet + kLastGet);
  std::string one = "5\r\nhello\r\n4e20\r\n" + std::string(20'000, 'x') + "\r\n3\r\nend\r\n0\r\n\r\n";
  EXPECT_THAT(answer, HasSubstr("Transfer-Encoding: chunked\r\n\r\n" + one + "HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n" + one));
  EXPECT_THAT(answer, Not(HasSubstr("Content-Length")));
}

TEST(ServerStream, EndsWithTheConnectionInHttp10) {
  TestServer test{streams({"hello", "world"})};
  std::string answer = test.exchange("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("chunked")));
  EXPECT_EQ(body_of(answer), "helloworld");
}

TEST(ServerStream, HasNoBodyForHead) {
  TestServer test{streams({"hello"})};
  std::string answer = test.exchange("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_EQ(body_of(answer), "");
}

TEST(ServerStream, IsCutWhenItsSourceFails) {
  TestServer test{streams({"hello"}, Error{Why::unavailable, "the worker died"})};
  test.play([](TestServer& test) -> Task<bool> {
    Peer peer{test.loop, test.port()};
    co_await peer.send(kGet);
    std::string got;
    char buffer[4096];
    for (;;) {
      auto count = co_await peer.stream().read_some(std::span<char>(buffer), Deadline::in(5s));
      if (!count || *count == 0) break;
      got.append(buffer, *count);
    }
    EXPECT_THAT(got, Not(EndsWith("0\r\n\r\n")));
    co_return true;
  });
}

// Gives a megabyte whenever it is asked, for ever, and counts.
struct Flow {
  int asked = 0;
  bool destroyed = false;
  WaitList* gate = nullptr;  // when set: waits there instead
};
class Endless final : public BodySource {
 public:
  explicit Endless(Flow& flow) : flow_(flow) {}
  ~Endless() override { flow_.destroyed = true; }
  Task<Result<std::optional<std::string>>> next() override {
    ++flow_.asked;
    if (flow_.gate) (void)co_await flow_.gate->wait();
    co_return std::string(1 << 20, 'e');
  }

 private:
  Flow& flow_;
};
Answers::Function endless(Flow& flow) {
  return [&flow](Request&) -> Task<Response> {
    return [](Flow& flow) -> Task<Response> {
      Response response;
      response.body = std::make_unique<Endless>(flow);
      co_return response;
    }(flow);
  };
}

TEST(ServerStream, WaitsForASlowReader) {
  Flow flow;
  TestServer test{endless(flow)};
  test.play([](TestServer& test) -> Task<bool> {
    Peer peer{test.loop, test.port()};
    co_await peer.send(kGet);
    (void)co_await peer.read_until("\r\n\r\n");
    co_await settle(test.loop);
    co_return true;
  });
  int without_reading = flow.asked;
  EXPECT_GE(without_reading, 1);
  EXPECT_LT(without_reading, 20);  // the kernel's buffers, not all there is
}

TEST(ServerStream, IsCutWhenItsReaderStopsReading) {
  Flow flow;
  Limits limits;
  limits.answer_grace = 30ms;
  TestServer test{endless(flow), limits};
  test.play([](TestServer& test) -> Task<bool> {
    Peer peer{test.loop, test.port()};
    co_await peer.send(kGet);
    (void)co_await peer.read_until("\r\n\r\n");
    co_await until(test.loop, [&] { return test.nobody_connected(); });
    co_return true;
  });
  EXPECT_TRUE(flow.destroyed);
}

TEST(ServerStream, EndsInTheMiddleOfTheSourceWhenTheClientGoes) {
  Flow flow;
  TestServer test{endless(flow)};
  WaitList gate{test.loop};
  flow.gate = &gate;
  test.play([](TestServer& test) -> Task<bool> {
    {
      Peer peer{test.loop, test.port()};
      co_await peer.send(kGet);
      std::string head = co_await peer.read_until("\r\n\r\n");  // sent although no piece is there yet
      EXPECT_THAT(head, StartsWith("HTTP/1.1 200"));
      EXPECT_EQ(test.server.connections(), 1u);
    }
    co_await until(test.loop, [&] { return test.nobody_connected(); });
    co_return true;
  });
  EXPECT_TRUE(flow.destroyed);
  EXPECT_EQ(flow.asked, 1);
}

// One piece, once the gate opens.
class Gated final : public BodySource {
 public:
  explicit Gated(WaitList& gate) : gate_(gate) {}
  Task<Result<std::optional<std::string>>> next() override {
    if (std::exchange(given_, true)) co_return std::optional<std::string>{};
    (void)co_await gate_.wait();
    co_return "streamed";
  }

 private:
  WaitList& gate_;
  bool given_ = false;
};

Task<Response> stream_or_next(Request& request, WaitList& gate) {
  if (request.path == "/next") co_return Response::text(200, "next");
  Response response;
  response.body = std::make_unique<Gated>(gate);
  co_return response;
}

Task<bool> send_meanwhile(TestServer& test, WaitList& gate) {
  Peer peer{test.loop, test.port()};
  co_await peer.send(kGet);
  (void)co_await peer.read_until("\r\n\r\n");
  co_await peer.send("GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  co_await settle(test.loop);  // so that the server sees that something came
  gate.notify_all();
  std::string streamed = co_await peer.read_until("0\r\n\r\n");
  EXPECT_THAT(streamed, HasSubstr("streamed"));
  std::string next = co_await peer.read_to_end();
  co_return body_of(next) == "next";
}

TEST(ServerStream, DoesNotLoseARequestThatCameMeanwhile) {
  WaitList* gate = nullptr;
  TestServer test{[&gate](Request& request) { return stream_or_next(request, *gate); }};
  WaitList list{test.loop};
  gate = &list;
  EXPECT_TRUE(run_until_done(test.loop, send_meanwhile(test, list)));
}

}  // namespace
}  // namespace nuclio::http
