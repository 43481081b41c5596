// SPDX-License-Identifier: Apache-2.0
// What happens to a peer that wants too much, and how a server ends.
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

const std::string kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kLastGet = "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

Limits quick() {
  Limits limits;
  limits.header_timeout = 40ms;
  limits.idle_timeout = 40ms;
  limits.transfer_grace = 40ms;
  return limits;
}

TEST(ServerLimits, RefusesAndClosesWithAReason) {
  TestServer test;
  std::string answer = test.exchange("GET / HTTP/1.1\r\nHost : x\r\n\r\n" + kLastGet);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(body_of(answer), HasSubstr("{\"error\": \"a header name is empty or has"));
  EXPECT_THAT(body_of(answer), Not(HasSubstr("HTTP/1.1")));  // what came behind it is not looked at
}

TEST(ServerLimits, AnswersWhatCameBeforeARefusedRequest) {
  TestServer test;
  std::string answer = test.exchange(kGet + "nonsense\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("GET /a|HTTP/1.1 400 Bad Request\r\n"));
}

TEST(ServerLimits, LetsTheClientReadTheRefusalOfWhatItIsStillSending) {
  TestServer test;
  std::string large(8 << 20, 'x');
  EXPECT_THAT(test.exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8388608\r\n\r\n" + large),
              StartsWith("HTTP/1.1 413 Content Too Large\r\n"));
  EXPECT_THAT(test.exchange("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n800000\r\n" + large),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(test.exchange("GET / HTTP/1.1\r\nHost: x\r\nX: " + large), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(test.exchange("GET /" + large), StartsWith("HTTP/1.1 414 "));
}

TEST(ServerLimits, DoesNotWaitForSlowHeaders) {
  TestServer test{echo, quick()};
  std::string answer = test.exchange("GET / HTTP/1.1\r\nHost: x\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_THAT(answer, HasSubstr("the headers did not arrive in time"));
}

TEST(ServerLimits, DoesNotWaitForSlowBodies) {
  TestServer test{echo, quick()};
  const std::string post = "POST / HTTP/1.1\r\nHost: x\r\n";
  for (const std::string& request : {post + "Content-Length: 10\r\n\r\nhel", post + "Content-Length: 100000\r\n\r\nhel",
                                     post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel"}) {
    std::string answer = test.exchange(request);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
    EXPECT_THAT(answer, HasSubstr("the body did not arrive in time"));
  }
}

TEST(ServerLimits, ClosesIdleConnectionsWithoutAWord) {
  TestServer test{echo, quick()};
  EXPECT_EQ(test.exchange(""), "");
  EXPECT_THAT(test.exchange(kGet), EndsWith("GET /a|"));
}

TEST(ServerLimits, GivesABodyThatComesSteadilyItsTime) {
  Limits limits;
  limits.transfer_grace = 100ms;
  limits.transfer_rate = Bytes{20};  // 50 ms a byte
  TestServer test{echo, limits};
  test.play([](TestServer& test) -> Task<bool> {
    Peer peer{test.loop, test.port()};
    co_await peer.send("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 40\r\n\r\n");
    for (int i = 0; i < 40; ++i) {  // longer than the grace, faster than the rate
      co_await test.loop.sleep(4ms);
      co_await peer.send("x");
    }
    std::string answer = co_await peer.read_to_end();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
    co_return true;
  });
}

TEST(ServerLimits, DoesNotLetABodyTrickleAfterABurst) {
  Limits limits;
  limits.transfer_grace = 40ms;
  limits.transfer_rate = Bytes{1 << 10};
  const std::string post = "POST / HTTP/1.1\r\nHost: x\r\n";
  const std::string burst(1 << 20, 'x');  // at this rate worth a quarter of an hour
  TestServer test{echo, limits};
  EXPECT_THAT(test.exchange(post + "Content-Length: 2000000\r\n\r\n" + burst), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(test.exchange(post + "Transfer-Encoding: chunked\r\n\r\n1e8480\r\n" + burst),
              StartsWith("HTTP/1.1 408 "));
}

TEST(ServerLimits, TellsWhoIsOneTooMany) {
  Limits limits;
  limits.connections = 1;
  TestServer test{echo, limits};
  test.play([](TestServer& test) -> Task<bool> {
    Peer first{test.loop, test.port()};
    co_await first.send(kGet);
    (void)co_await first.read_answer();
    Peer second{test.loop, test.port()};
    std::string refused = co_await second.read_to_end();
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
    EXPECT_THAT(refused, HasSubstr("Retry-After: 1\r\n"));
    co_await first.send(kGet);
    std::string answer = co_await first.read_answer();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
    co_return true;
  });
}

Task<Response> wait_at(WaitList& gate) {
  (void)co_await gate.wait();
  co_return Response::text(200, "done");
}

Task<Server::Drained> end_after(Server& server, std::chrono::milliseconds pause) {
  co_await server.stop_accepting(pause, Deadline::in(5s));
  co_return co_await server.drain(Deadline::in(5s));
}

Task<bool> drain_while_one_works(TestServer& test, WaitList& gate) {
  Peer working{test.loop, test.port()};
  Peer idle{test.loop, test.port()};
  Peer unused{test.loop, test.port()};
  co_await working.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  co_await idle.send(kGet);
  std::string kept = co_await idle.read_answer();
  EXPECT_THAT(kept, Not(HasSubstr("Connection: close")));
  co_await until(test.loop, [&] { return test.server.connections() == 3; });

  std::optional<Server::Drained> drained;
  Group group{test.loop};
  group.spawn(detail::keep(end_after(test.server, 20ms), drained));
  co_await test.loop.yield();
  Peer late{test.loop, test.port()};  // in the pause: served, and told to close
  co_await late.send(kGet);
  std::string last = co_await late.read_to_end();
  EXPECT_THAT(last, HasSubstr("Connection: close\r\n"));

  std::string nothing = co_await idle.read_to_end();
  std::string nothing_either = co_await unused.read_to_end();
  EXPECT_EQ(nothing + nothing_either, "");
  EXPECT_FALSE(drained);
  EXPECT_EQ(test.server.connections(), 1u);
  EXPECT_TRUE(test.server.addresses().empty());  // nobody listens any more

  gate.notify_all();
  std::string answer = co_await working.read_to_end();
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(body_of(answer), "done");
  bool over = co_await group.empty(Deadline::in(5s));
  EXPECT_TRUE(over);
  co_return drained == Server::Drained::completely;
}

// As when a program is replaced by another that has the same listening socket: what comes is for that one.
Task<bool> leave_to_the_heir(TestServer& test) {
  Address local{.host = "127.0.0.1", .port = 0};
  auto of_both = Listener::listen(test.loop, local);
  EXPECT_TRUE(of_both);
  auto ours = Listener::adopt(test.loop, of_both->duplicate());
  EXPECT_TRUE(ours);
  const int port = of_both->address().port;
  test.server.serve(std::move(*ours));
  Peer before{test.loop, port};
  co_await until(test.loop, [&] { return test.server.connections() == 1; });
  co_await test.server.stop_accepting(0ms, Deadline::in(5s));
  Peer after{test.loop, port};
  co_await after.send(kGet);
  co_await settle(test.loop);
  EXPECT_EQ(test.server.connections(), 1u);
  co_await before.send(kGet);
  std::string answer = co_await before.read_to_end();
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  auto drained = co_await test.server.drain(Deadline::in(5s));
  co_return drained == Server::Drained::completely;
}

TEST(ServerDrain, LeavesThoseWhoComeOnceItStopsAcceptingToOthers) {
  TestServer test{echo};
  EXPECT_TRUE(run_until_done(test.loop, leave_to_the_heir(test)));
}

struct GatedServer {
  TestServer test{[this](Request& request) { return request.path == "/slow" ? wait_at(gate) : echo(request); }};
  WaitList gate{test.loop};
};

TEST(ServerDrain, AnswersWhatHasBegunAndClosesTheRest) {
  GatedServer gated;
  EXPECT_TRUE(run_until_done(gated.test.loop, drain_while_one_works(gated.test, gated.gate)));
}

Task<bool> drain_in_vain(TestServer& test) {
  Peer working{test.loop, test.port()};
  co_await working.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  co_await until(test.loop, [&] { return !test.nobody_connected(); });
  co_await settle(test.loop);
  auto drained = co_await test.server.drain(Deadline::in(20ms));
  EXPECT_EQ(drained, Server::Drained::deadline_passed);
  EXPECT_EQ(test.server.connections(), 0u);
  std::string nothing = co_await working.read_to_end();
  co_return nothing.empty();
}

TEST(ServerDrain, CutsWhatIsNotAnsweredByTheDeadline) {
  GatedServer gated;
  EXPECT_TRUE(run_until_done(gated.test.loop, drain_in_vain(gated.test)));
  EXPECT_TRUE(gated.gate.empty());  // the handler was cancelled
}

Task<bool> send_while_it_drains(TestServer& test) {
  Peer fresh{test.loop, test.port()};
  Peer kept{test.loop, test.port()};
  co_await kept.send(kGet);
  std::string first = co_await kept.read_answer();
  co_await until(test.loop, [&] { return test.server.connections() == 2; });
  std::optional<Server::Drained> drained;
  Group group{test.loop};
  group.spawn(detail::keep(test.server.drain(Deadline::in(5s)), drained));
  co_await until(test.loop, [&] { return test.server.addresses().empty(); });
  co_await fresh.send(kGet);
  co_await kept.send(kGet);
  std::string answers = co_await fresh.read_to_end() + co_await kept.read_to_end();
  bool over = co_await group.empty(Deadline::in(5s));
  EXPECT_TRUE(over);
  std::size_t second = answers.find("HTTP/1.1 200 ", 1);
  co_return answers.starts_with("HTTP/1.1 200 ") && second != std::string::npos;
}

TEST(ServerDrain, AnswersAPeerThatWasAboutToSend) {
  TestServer test{echo};
  EXPECT_TRUE(run_until_done(test.loop, send_while_it_drains(test)));
}

TEST(ServerDrain, OfAnIdleServerIsOverAtOnce) {
  TestServer test;
  (void)test.exchange(kLastGet);
  auto drained = run_until_done(test.loop, test.server.drain(Deadline::in(5s)));
  EXPECT_EQ(drained, Server::Drained::completely);
}

TEST(Server, CancelsHandlersAtWorkWhenItIsDestroyed) {
  GatedServer gated;
  gated.test.play([](TestServer& test) -> Task<bool> {
    Peer peer{test.loop, test.port()};
    co_await peer.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    co_await until(test.loop, [&] { return !test.nobody_connected(); });
    co_await settle(test.loop);
    co_return true;
  });
  EXPECT_FALSE(gated.gate.empty());
}

}  // namespace
}  // namespace nuclio::http
