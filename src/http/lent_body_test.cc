// SPDX-License-Identifier: Apache-2.0
// Answers in somebody else's memory. The lender here writes over it as soon as it has it back, so that an answer that
// arrives whole was not given back too early.
#include <gmock/gmock.h>

#include "http/server.h"
#include "http/test_http2.h"
#include "http/test_tls.h"
#include "loop/wait_list.h"

namespace nuclio::http {
namespace {

// play() keeps the lambda until its task is done.
// NOLINTBEGIN(cppcoreguidelines-avoid-capturing-lambda-coroutines)

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

const std::string kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kLastGet = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
// More than the kernel takes for a peer that does not read.
constexpr std::size_t kHuge = 32 << 20;

class Lender {
 public:
  explicit Lender(std::size_t size) : size_(size) {}

  Answers::Function answers(int status = 200) {
    return [this, status](Request&) { return answer(*this, status); };
  }
  std::string& memory() { return memory_; }
  std::string text() const { return std::string(size_, 'm'); }
  int lent() const { return lent_; }
  int returned() const { return returned_; }

 private:
  class Lent final : public Loan {
   public:
    explicit Lent(Lender& lender) : lender_(lender) {}
    ~Lent() override {
      ++lender_.returned_;
      std::ranges::fill(lender_.memory_, '#');
    }

   private:
    Lender& lender_;
  };
  static Task<Response> answer(Lender& lender, int status) {
    ++lender.lent_;
    lender.memory_ = lender.text();
    Response response = Response::empty(status);
    response.body = LentBody{lender.memory_, std::make_unique<Lent>(lender)};
    co_return response;
  }

  std::size_t size_;
  std::string memory_;
  int lent_ = 0;
  int returned_ = 0;
};

TEST(LentBody, ArrivesWholeAndIsGivenBackBeforeTheConnectionEnds) {
  for (std::size_t size : {0, 5, 16 << 10, (16 << 10) + 1, 1 << 20}) {
    Lender lender{size};
    TestServer test{lender.answers()};
    test.play([&](TestServer& test) -> Task<bool> {
      Peer peer{test.loop, test.port()};
      for (int i = 1; i <= 3; ++i) {
        co_await peer.send(kGet);
        std::string answer = co_await peer.read_answer();
        EXPECT_THAT(answer, HasSubstr("Content-Length: " + std::to_string(size) + "\r\n"));
        EXPECT_TRUE(body_of(answer) == lender.text()) << size;
        co_await until(test.loop, [&] { return lender.returned() == i; });
      }
      EXPECT_EQ(lender.lent(), 3);
      co_return true;
    });
  }
}

TEST(LentBody, IsSentFromTheLendersMemory) {
  Lender lender{kHuge};
  Limits limits;
  limits.loan_time = 60s;
  TestServer test{lender.answers(), limits};
  test.play([&](TestServer& test) -> Task<bool> {
    Peer peer{test.loop, test.port()};
    co_await peer.send(kLastGet);
    (void)co_await peer.read_until("\r\n\r\n");
    co_await settle(test.loop);
    EXPECT_EQ(lender.returned(), 0);
    lender.memory().back() = '!';
    std::string body = co_await peer.read_to_end();
    EXPECT_TRUE(body == lender.text().substr(1) + "!") << body.size();
    co_await until(test.loop, [&] { return lender.returned() == 1; });
    co_return true;
  });
}

TEST(LentBody, IsNotKeptByASlowPeer) {
  Lender lender{kHuge};
  Limits limits;
  limits.loan_time = 20ms;
  TestServer test{lender.answers(), limits};
  test.play([&](TestServer& test) -> Task<bool> {
    Peer peer{test.loop, test.port()};
    co_await peer.send(kLastGet);
    co_await until(test.loop, [&] { return lender.returned() == 1; });
    std::string answer = co_await peer.read_to_end();
    EXPECT_TRUE(body_of(answer) == lender.text()) << body_of(answer).size();
    co_return true;
  });
  EXPECT_EQ(lender.returned(), 1);
}

TEST(LentBody, IsGivenBackWhenItIsNotSent) {
  for (int status : {200, 204, 304}) {
    Lender lender{1 << 20};
    TestServer test{lender.answers(status)};
    std::string method = status == 200 ? "HEAD" : "GET";
    std::string head = test.exchange(method + " / HTTP/1.1\r\nHost: x\r\n\r\n" + method +
                                     " / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(head, Not(HasSubstr("mm")));
    EXPECT_EQ(lender.lent(), 2);
    EXPECT_EQ(lender.returned(), 2);
  }
}

// A peer that wants no more answers may still be sending; that is read for a while, without the loan.
TEST(LentBody, IsGivenBackBeforeTheServerLingers) {
  Lender lender{1 << 20};
  TestServer test{lender.answers()};
  test.play([&](TestServer& test) -> Task<bool> {
    Peer peer{test.loop, test.port()};
    co_await peer.send(kLastGet + "more");
    std::string answer = co_await peer.read_to_end();
    EXPECT_TRUE(body_of(answer) == lender.text());
    EXPECT_EQ(lender.returned(), 1);
    EXPECT_EQ(test.server.connections(), 1u);
    co_return true;
  });
}

TEST(LentBody, IsGivenBackOnceWhenThePeerGoesInTheMiddle) {
  Lender lender{kHuge};
  Limits limits;
  limits.loan_time = 60s;
  TestServer test{lender.answers(), limits};
  test.play([&](TestServer& test) -> Task<bool> {
    {
      Peer peer{test.loop, test.port()};
      co_await peer.send(kGet);
      (void)co_await peer.read_until("\r\n\r\n");
      EXPECT_EQ(lender.returned(), 0);
    }
    co_await until(test.loop, [&] { return test.nobody_connected(); });
    co_return true;
  });
  EXPECT_EQ(lender.returned(), 1);
}

TEST(LentBody, IsGivenBackOnceWhenTheServerGoesInTheMiddle) {
  Lender lender{kHuge};
  {
    Limits limits;
    limits.loan_time = 60s;
    TestServer test{lender.answers(), limits};
    test.play([&](TestServer& test) -> Task<bool> {
      Peer peer{test.loop, test.port()};
      co_await peer.send(kGet);
      (void)co_await peer.read_until("\r\n\r\n");
      EXPECT_EQ(lender.returned(), 0);
      auto drained = co_await test.server.drain(Deadline::in(10ms));
      EXPECT_EQ(drained, Server::Drained::deadline_passed);
      co_return true;
    });
    EXPECT_EQ(lender.returned(), 1);
  }
  EXPECT_EQ(lender.returned(), 1);
}

TEST(LentBody, GoesThroughTls) {
  for (std::size_t size : {5, 1 << 20}) {
    Lender lender{size};
    TestServer test{lender.answers()};
    Folder folder;
    write_certificate(folder / "tls.crt", folder / "tls.key");
    auto tls = Tls::load({.certificate = folder / "tls.crt", .key = folder / "tls.key"});
    auto listener = Listener::listen(test.loop, Address{"127.0.0.1", 0, ""});
    test.server.serve(std::move(*listener), tls->get());
    test.play([&](TestServer& test) -> Task<bool> {
      TlsPeer peer{test.loop, test.server.addresses().back().port};
      bool shaken = co_await peer.handshake();
      EXPECT_TRUE(shaken);
      co_await peer.send(kLastGet);
      std::string answer = co_await peer.read_until("");
      EXPECT_TRUE(body_of(answer) == lender.text()) << body_of(answer).size();
      co_return true;
    });
    EXPECT_EQ(lender.returned(), 1);
  }
}

TEST(LentBody, IsCopiedForHttp2) {
  Lender lender{1 << 20};
  TestServer test{lender.answers()};
  test.play([&](TestServer& test) -> Task<bool> {
    frames::Client client{test.loop, test.port()};
    co_await client.send(frames::kHello + frames::head(1, "GET", "/"));
    // The peer's windows are used up by now.
    co_await until(test.loop, [&] { return lender.returned() == 1; });
    co_await client.send(frames::window(0, 1 << 20) + frames::window(1, 1 << 20));
    frames::Answer answer = co_await client.answer(1);
    EXPECT_EQ(answer.fields["content-length"], std::to_string(1 << 20));
    EXPECT_TRUE(answer.body == lender.text()) << answer.body.size();
    co_await client.send(frames::head(3, "HEAD", "/"));
    frames::Answer head = co_await client.answer(3);
    EXPECT_EQ(head.fields["content-length"], std::to_string(1 << 20));
    EXPECT_EQ(head.body, "");
    EXPECT_EQ(lender.returned(), 2);
    co_return true;
  });
  EXPECT_EQ(lender.returned(), 2);
}

TEST(LentBody, IsGivenBackWhenAStreamOfHttp2WasGivenUpMeanwhile) {
  Lender lender{1 << 20};
  WaitList* gate = nullptr;
  TestServer test{[&](Request& request) {
    return [](Lender& lender, WaitList& gate, Request& request) -> Task<Response> {
      (void)co_await gate.wait();
      co_return co_await lender.answers()(request);
    }(lender, *gate, request);
  }};
  WaitList list{test.loop};
  gate = &list;
  test.play([&](TestServer& test) -> Task<bool> {
    frames::Client client{test.loop, test.port()};
    co_await client.send(frames::kHello + frames::head(1, "GET", "/"));
    co_await settle(test.loop);
    co_await client.send(frames::reset(1));
    co_await settle(test.loop);
    list.notify_all();
    co_await until(test.loop, [&] { return lender.returned() == 1; });
    EXPECT_EQ(client.answers[1].status(), "");
    co_return true;
  });
  EXPECT_EQ(lender.lent(), 1);
  EXPECT_EQ(lender.returned(), 1);
}

// NOLINTEND(cppcoreguidelines-avoid-capturing-lambda-coroutines)

}  // namespace
}  // namespace nuclio::http
