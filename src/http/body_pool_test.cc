// SPDX-License-Identifier: Apache-2.0
// Request bodies in memory of the handler's side: used where it helps, and given back once on every path.
#include "http/body_pool.h"

#include <gmock/gmock.h>

#include <map>

#include "http/server.h"
#include "http/test_server.h"
#include "loop/wait_list.h"

namespace nuclio::http {
namespace {

// play() keeps the lambda until its task is done.
// NOLINTBEGIN(cppcoreguidelines-avoid-capturing-lambda-coroutines)

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t kLong = 100'000;

class FakePool final : public BodyPool {
 public:
  ~FakePool() override { EXPECT_TRUE(held_.empty()) << held_.size() << " bodies were never given back"; }
  char* allocate(std::size_t size) override {
    if (full) return nullptr;
    ++allocated;
    auto memory = std::make_unique<char[]>(size);
    char* address = memory.get();
    held_.emplace(address, Held{std::move(memory), size});
    return address;
  }
  void release(const char* address) override {
    EXPECT_EQ(held_.erase(address), 1u) << "given back twice, or not allocated here";
    ++released;
  }
  bool holds(std::string_view body) const {
    auto at = held_.find(body.data());
    return at != held_.end() && at->second.size == body.size();
  }

  bool full = false;
  int allocated = 0;
  int released = 0;

 private:
  struct Held {
    std::unique_ptr<char[]> memory;
    std::size_t size;
  };
  std::map<const char*, Held> held_;
};

std::string text(std::size_t size) {
  std::string made(size, '.');
  for (std::size_t i = 0; i < size; i += 97) made[i] = static_cast<char>('a' + i % 26);
  return made;
}

std::string post(std::size_t size) {
  return "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
}

// Says where the body was: "pool" or "own".
struct Where {
  FakePool pool;
  Answers::Function function() {
    return [this](Request& request) { return answer(pool, request); };
  }
  static Task<Response> answer(const FakePool& pool, Request& request) {
    EXPECT_TRUE(request.body == text(request.body.size()));
    co_return Response::text(200, pool.holds(request.body) ? "pool" : "own");
  }
};

TEST(BodyPool, TakesLongBodiesOfKnownLength) {
  Where where;
  TestServer test{where.function(), {}, &where.pool};
  test.play([&](TestServer& test) -> Task<bool> {
    Peer peer{test.loop, test.port()};
    for (int i = 1; i <= 3; ++i) {
      co_await peer.send(post(kLong) + text(kLong));
      std::string answer = co_await peer.read_answer();
      EXPECT_EQ(body_of(answer), "pool");
      EXPECT_EQ(where.pool.released, i);
    }
    co_await peer.send(post(16 << 10) + text(16 << 10));
    std::string small = co_await peer.read_answer();
    EXPECT_EQ(body_of(small), "own");
    std::string chunk = text(kLong);
    co_await peer.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n" + chunk +
                       "\r\n0\r\n\r\n");
    std::string chunked = co_await peer.read_answer();
    EXPECT_EQ(body_of(chunked), "own");
    co_return true;
  });
  EXPECT_EQ(where.pool.allocated, 3);
}

TEST(BodyPool, IsDoneWithoutWhenItIsFull) {
  Where where;
  where.pool.full = true;
  TestServer test{where.function(), {}, &where.pool};
  test.play([&](TestServer& test) -> Task<bool> {
    Peer peer{test.loop, test.port()};
    co_await peer.send(post(kLong) + text(kLong));
    std::string first = co_await peer.read_answer();
    EXPECT_EQ(body_of(first), "own");
    where.pool.full = false;
    co_await peer.send(post(kLong) + text(kLong));
    std::string second = co_await peer.read_answer();
    EXPECT_EQ(body_of(second), "pool");
    co_return true;
  });
}

TEST(BodyPool, IsNotAskedForWhatIsRefused) {
  Where where;
  TestServer test{where.function(), {}, &where.pool};
  EXPECT_THAT(test.exchange(post(8 << 20)), StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(where.pool.allocated, 0);
}

TEST(BodyPool, HasItsMemoryBackWhenTheBodyIsCutInTheMiddle) {
  Where where;
  TestServer test{where.function(), {}, &where.pool};
  test.play([&](TestServer& test) -> Task<bool> {
    {
      Peer peer{test.loop, test.port()};
      co_await peer.send(post(kLong) + text(kLong / 2));
      co_await until(test.loop, [&] { return where.pool.allocated == 1; });
      EXPECT_EQ(where.pool.released, 0);
    }
    co_await until(test.loop, [&] { return test.nobody_connected(); });
    co_return true;
  });
  EXPECT_EQ(where.pool.released, 1);
}

// The refusal is read at leisure, without the memory.
TEST(BodyPool, HasItsMemoryBackWhenTheBodyIsLate) {
  Where where;
  Limits limits;
  limits.transfer_grace = 40ms;
  TestServer test{where.function(), limits, &where.pool};
  test.play([&](TestServer& test) -> Task<bool> {
    Peer peer{test.loop, test.port()};
    co_await peer.send(post(kLong) + text(kLong / 2));
    std::string answer = co_await peer.read_answer();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 408 "));
    EXPECT_EQ(where.pool.allocated, 1);
    EXPECT_EQ(where.pool.released, 1);
    EXPECT_EQ(test.server.connections(), 1u);
    co_return true;
  });
}

Task<Response> wait_at(WaitList& gate) {
  (void)co_await gate.wait();
  co_return Response::empty(200);
}

TEST(BodyPool, KeepsTheBodyUntilTheHandlerIsDone) {
  FakePool pool;
  WaitList* gate = nullptr;
  TestServer test{[&gate](Request&) { return wait_at(*gate); }, {}, &pool};
  WaitList list{test.loop};
  gate = &list;
  test.play([&](TestServer& test) -> Task<bool> {
    Peer peer{test.loop, test.port()};
    co_await peer.send(post(kLong) + text(kLong));
    co_await until(test.loop, [&] { return pool.allocated == 1; });
    co_await settle(test.loop);
    EXPECT_EQ(pool.released, 0);
    list.notify_all();
    std::string answer = co_await peer.read_answer();
    EXPECT_THAT(answer, HasSubstr(" 200 OK"));
    EXPECT_EQ(pool.released, 1);
    co_return true;
  });
}

TEST(BodyPool, HasItsMemoryBackWhenTheHandlerIsCancelled) {
  FakePool pool;
  WaitList* gate = nullptr;
  TestServer test{[&gate](Request&) { return wait_at(*gate); }, {}, &pool};
  WaitList list{test.loop};
  gate = &list;
  test.play([&](TestServer& test) -> Task<bool> {
    Peer peer{test.loop, test.port()};
    co_await peer.send(post(kLong) + text(kLong));
    co_await until(test.loop, [&] { return pool.allocated == 1; });
    auto drained = co_await test.server.drain(Deadline::in(10ms));
    EXPECT_EQ(drained, Server::Drained::deadline_passed);
    co_return true;
  });
  EXPECT_EQ(pool.released, 1);
}

// NOLINTEND(cppcoreguidelines-avoid-capturing-lambda-coroutines)

}  // namespace
}  // namespace nuclio::http
