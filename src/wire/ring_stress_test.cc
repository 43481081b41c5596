// SPDX-License-Identifier: Apache-2.0
// A ring under two threads or processes that do as they like: nothing is lost, nobody sleeps on what is there, and a
// worker that breaks the rules or dies takes nobody with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nuclio_ring_layout.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <set>
#include <thread>

#include "wire/test_worker.h"

namespace nuclio::wire {
namespace {

using namespace std::chrono_literals;

void linger(std::mt19937& random) {
  // Mostly nothing, sometimes long enough that the other side sleeps, and all between.
  for (volatile unsigned i = 0, most = random() % (random() % 8 == 0 ? 20'000 : 200); i < most; i = i + 1) {
  }
}

enum class Waiting { blocked, in_an_event_loop };

// Answers each event with its own body until the ring closes.
void echo(nuclio_ring* ring, Waiting waiting, unsigned seed) {
  std::mt19937 random{seed};
  for (;;) {
    const void* data = nullptr;
    std::uint32_t size = 0;
    auto result = nuclio_ring_take(ring, &data, &size);
    if (result == NUCLIO_RING_FRAME) {
      std::size_t arena_size = 0;
      const void* arena = nuclio_ring_events(ring, &arena_size);
      nuclio_wire_frame event;
      if (nuclio_wire_decode_shared(data, size, NUCLIO_WIRE_DEFAULT_LIMIT, arena, arena_size, &event)) return;
      linger(random);
      std::string reply = reply_bytes(event.call, body_of(event));
      void* room;
      while (!(room = nuclio_ring_reserve(ring, reply.size())))
        if (nuclio_ring_wait_room(ring, reply.size(), -1) < 0) return;
      std::memcpy(room, reply.data(), reply.size());
      nuclio_ring_publish(ring, reply.size());
    } else if (result != NUCLIO_RING_EMPTY) {
      return;
    } else if (waiting == Waiting::blocked) {
      if (nuclio_ring_wait(ring, -1) < 0 && errno != EINTR) return;
    } else if (!nuclio_ring_arm(ring)) {
      pollfd woken{nuclio_ring_descriptor(ring), POLLIN, 0};
      ::poll(&woken, 1, -1);
      nuclio_ring_woken(ring);
    }
  }
}

// Keeps a worker busy with up to `depth` calls, some of which it takes back, and checks each answer.
class Caller final : public Port::Listener {
 public:
  Caller(Loop& loop, RingEnds& ends, std::size_t depth, std::size_t largest)
      : loop_(loop), ends_(ends), depth_(depth), largest_(largest) {
    ends_.port->listen(*this);
  }

  void received(Frame frame) override {
    ++answered;
    std::uint64_t call = frame->call().value();
    EXPECT_EQ(waiting_.erase(call), 1u);
    std::string_view body = frame->body();
    EXPECT_TRUE(body.size() >= 8 && std::memcmp(body.data(), &call, 8) == 0) << call;
    fill();
  }
  void ended(std::string fault) override { end = std::move(fault); }

  void fill() {
    while (!stopping && !end && waiting_.size() < depth_) {
      std::uint64_t call = ++last_call_;
      std::size_t size = 8 + (largest_ > 0 && random_() % 16 == 0 ? random_() % largest_ : 0);
      std::string body(size, 'x');
      std::memcpy(body.data(), &call, 8);
      Event event{.call = CallId{call}, .body = body};
      if (!ends_.port->post(event)) break;
      linger(random_);
      waiting_.insert(call);
      std::uint64_t victim = call - random_() % depth_;
      if (random_() % 4 == 0 && ends_.port->revoke(CallId{victim})) {
        ++revoked;
        EXPECT_EQ(waiting_.erase(victim), 1u);
      }
    }
  }

  // For `time`, and on until there are more than `least` answers; false when the last answers did not come.
  bool run(std::chrono::milliseconds time, std::uint64_t least) {
    Deadline deadline = Deadline::in(time);
    run_until_done(loop_, go(deadline, least));
    stopping = true;
    return run_until(loop_, [&] { return waiting_.empty() || end; });
  }

  std::uint64_t answered = 0;
  std::uint64_t revoked = 0;
  bool stopping = false;
  std::optional<std::string> end;

 private:
  Task<int> go(Deadline deadline, std::uint64_t least) {
    Deadline last = Deadline::in(30s);
    while ((!deadline.passed() || answered <= least) && !last.passed() && !end) {
      fill();
      co_await loop_.sleep(20ms);
    }
    co_return 0;
  }

  Loop& loop_;
  RingEnds& ends_;
  std::size_t depth_;
  std::size_t largest_;
  std::set<std::uint64_t> waiting_;
  std::uint64_t last_call_ = 0;
  std::mt19937 random_{11};
};

struct Variant {
  std::size_t depth;
  std::size_t largest;
  Waiting waiting;
};

class RingStress : public testing::TestWithParam<Variant> {};

TEST_P(RingStress, NothingIsLostBetweenTwoThreads) {
  auto [depth, largest, waiting] = GetParam();
  Loop loop;
  RingEnds ends{loop};
  nuclio_ring* ring = ends.attach();
  std::thread worker{[&] { echo(ring, waiting, 5); }};
  Caller caller{loop, ends, depth, largest};
  EXPECT_TRUE(caller.run(400ms, 100)) << "an answer is missing after " << caller.answered;
  EXPECT_FALSE(caller.end);
  EXPECT_GT(caller.answered, 100u);
  EXPECT_EQ(ends.arena->in_use(), 0u);
  ends.port.reset();
  worker.join();
}

INSTANTIATE_TEST_SUITE_P(Variants, RingStress,
                         testing::Values(Variant{1, 0, Waiting::blocked}, Variant{2, 0, Waiting::blocked},
                                         Variant{16, 0, Waiting::blocked}, Variant{16, 3'000'000, Waiting::blocked},
                                         Variant{2, 200'000, Waiting::in_an_event_loop},
                                         Variant{16, 0, Waiting::in_an_event_loop}));

TEST(RingKill, AWorkerKilledAtAnyMomentIsSeenAndLosesOnlyWhatItHadBegun) {
  std::mt19937 random{3};
  std::uint64_t left_over = 0;
  for (int round = 0; round < 40; ++round) {
    Loop loop;
    RingEnds ends{loop};
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      echo(ends.attach(), Waiting::blocked, static_cast<unsigned>(round));
      _exit(0);
    }
    ends.socket.reset();  // the child has its own
    struct Calls final : Port::Listener {
      void received(Frame frame) override {
        ++answered;
        waiting.erase(frame->call().value());
        for (auto call : waiting) revoked += port->revoke(CallId{call}) && gone.insert(call).second;
        for (auto call : gone) waiting.erase(call);
      }
      void ended(std::string fault) override { end = std::move(fault); }
      Port* port = nullptr;
      std::set<std::uint64_t> waiting;
      std::set<std::uint64_t> gone;
      std::uint64_t answered = 0;
      std::uint64_t revoked = 0;
      std::optional<std::string> end;
    } calls;
    calls.port = ends.port.get();
    ends.port->listen(calls);
    for (std::uint64_t call = 1; call <= 48; ++call) {
      Event event{.call = CallId{call}, .body = "b"};
      ASSERT_TRUE(ends.port->post(event));
      calls.waiting.insert(call);
    }
    auto kill_after = std::chrono::microseconds{random() % 3000};
    std::thread killer{[&] {
      std::this_thread::sleep_for(kill_after);  // the moment is to be any
      ::kill(child, SIGKILL);
    }};
    EXPECT_TRUE(run_until(loop, [&] { return calls.end.has_value(); }));
    killer.join();
    EXPECT_EQ(*calls.end, "");
    for (std::uint64_t call = 1; call <= 48; ++call)
      if (calls.waiting.contains(call) && ends.port->revoke(CallId{call})) calls.waiting.erase(call);
    EXPECT_LE(calls.waiting.size(), 1u) << "a worker begins one call at a time";
    left_over += calls.waiting.size();
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
  }
  RecordProperty("begun_when_killed", std::to_string(left_over));
}

// The worker's side of the memory in the hands of somebody who writes what he likes.
class HostileRing : public testing::Test {
 protected:
  HostileRing() {
    base_ = static_cast<char*>(
        mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, ends_.descriptors.channel.get(), 0));
    EXPECT_NE(static_cast<void*>(base_), MAP_FAILED);
    ends_.port->listen(heard_);
  }
  ~HostileRing() override { munmap(base_, kSize); }

  nuclio_ring_slot& reply(std::uint64_t position) {
    return reinterpret_cast<nuclio_ring_slot*>(base_ + NUCLIO_RING_REPLIES_AT)[position % NUCLIO_RING_SLOTS];
  }
  nuclio_ring_slot& event(std::uint64_t position) {
    return reinterpret_cast<nuclio_ring_slot*>(base_ + NUCLIO_RING_EVENTS_AT)[position % NUCLIO_RING_SLOTS];
  }
  char* arena() { return base_ + NUCLIO_RING_ARENA_AT; }
  // The first reply of the ring.
  void publish(std::uint64_t offset, std::uint32_t length, std::uint32_t where = NUCLIO_RING_IN_ARENA) {
    reply(kFirst).offset = offset;
    reply(kFirst).length = length;
    reply(kFirst).where = where;
    __atomic_store_n(&reply(kFirst).state, nuclio_ring_word(kFirst, NUCLIO_RING_PUBLISHED), __ATOMIC_RELEASE);
    wake();
  }
  void wake() {
    std::uint64_t one = 1;
    ASSERT_EQ(write(ends_.descriptors.wake_processor.get(), &one, sizeof one), 8);
  }
  void expect_fault(std::string_view part) {
    ASSERT_TRUE(run_until(loop_, [&] { return heard_.end.has_value(); }));
    EXPECT_THAT(*heard_.end, testing::HasSubstr(std::string{part}));
  }
  void put(const std::string& bytes, std::uint64_t offset = 0) {
    std::memcpy(arena() + offset, bytes.data(), bytes.size());
  }

  static constexpr std::size_t kSize = NUCLIO_RING_ARENA_AT + 2 * std::size_t{NUCLIO_RING_LARGEST};
  static constexpr std::uint64_t kFirst = NUCLIO_RING_SLOTS;
  Loop loop_;
  RingEnds ends_{loop_};
  Heard heard_;
  char* base_;
};

TEST_F(HostileRing, ASlotOutOfTheArenaEndsTheWorker) {
  struct Bad {
    std::uint64_t offset;
    std::uint32_t length;
    std::uint32_t where;
  };
  constexpr std::uint64_t kArena = 2 * std::uint64_t{NUCLIO_RING_LARGEST};
  for (Bad bad : {Bad{kArena, 64, 0}, Bad{kArena - 64, 128, 0}, Bad{~0ull - 63, 64, 0}, Bad{0, 0, 0}, Bad{0, 48, 0},
                  Bad{0, 61, 0}, Bad{32, 64, 0}, Bad{0, NUCLIO_RING_LARGEST + 64, 0}, Bad{0, ~0u - 7, 0}, Bad{0, 64, 2},
                  Bad{0, 8, NUCLIO_RING_ON_SOCKET}}) {
    Loop loop;
    RingEnds ends{loop};
    Heard heard;
    ends.port->listen(heard);
    auto* base =
        static_cast<char*>(mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, ends.descriptors.channel.get(), 0));
    auto& slot = reinterpret_cast<nuclio_ring_slot*>(base + NUCLIO_RING_REPLIES_AT)[0];
    slot.offset = bad.offset;
    slot.length = bad.length;
    slot.where = bad.where;
    __atomic_store_n(&slot.state, nuclio_ring_word(kFirst, NUCLIO_RING_PUBLISHED), __ATOMIC_RELEASE);
    EXPECT_TRUE(run_until(loop, [&] { return heard.end.has_value(); })) << bad.offset << " " << bad.length;
    EXPECT_THAT(heard.end.value_or(""), testing::HasSubstr("not in the memory it shares"));
    munmap(base, kSize);
  }
}

TEST_F(HostileRing, ASlotOutOfTurnEndsTheWorker) {
  reply(kFirst).state = nuclio_ring_word(kFirst + 64, NUCLIO_RING_PUBLISHED);
  wake();
  expect_fault("out of turn");
}

TEST_F(HostileRing, AFrameWhoseLengthIsAnotherThanItsSlotsEndsTheWorker) {
  put(reply_bytes(1, "body"));
  publish(0, static_cast<std::uint32_t>(reply_bytes(1, "body").size() + 8));
  expect_fault("another than its slot's");
}

TEST_F(HostileRing, BytesThatAreNoFrameEndTheWorker) {
  std::string bytes = reply_bytes(1, std::string(40'000, 'x'));
  bytes[5] = 77;
  put(bytes);
  publish(0, static_cast<std::uint32_t>(bytes.size()));
  expect_fault("another version");
}

TEST_F(HostileRing, AFrameThatSaysItsBodyIsElsewhereEndsTheWorker) {
  std::string bytes = bytes_of({.type = NUCLIO_WIRE_REPLY, .flags = NUCLIO_WIRE_SHARED, .call = 1}, "");
  put(bytes);
  publish(0, static_cast<std::uint32_t>(bytes.size()));
  expect_fault("flags");
}

TEST_F(HostileRing, ALargeBodyThatIsNotTheRestOfTheFrameEndsTheWorker) {
  std::string bytes = reply_bytes(1, std::string(40'000, 'x'));
  for (std::uint64_t length : {std::uint64_t{39'000}, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    Loop loop;
    RingEnds ends{loop};
    Heard heard;
    ends.port->listen(heard);
    ends.attach();
    std::memcpy(bytes.data() + 48, &length, 8);
    ASSERT_TRUE(ends.publish(bytes));
    EXPECT_TRUE(run_until(loop, [&] { return heard.end.has_value(); }));
    EXPECT_THAT(heard.end.value_or(""), testing::HasSubstr("not exactly the rest"));
  }
}

TEST_F(HostileRing, AnAnswerToWhatWasNotTakenEndsTheWorker) {
  Event event{.call = CallId{9}};
  ASSERT_TRUE(ends_.port->post(event));
  put(reply_bytes(9, ""));
  publish(0, static_cast<std::uint32_t>(reply_bytes(9, "").size()));
  expect_fault("a call that it had not taken");
}

TEST_F(HostileRing, GarbageInTheEventSlotsCostsOnlyTheWorkerItself) {
  std::mt19937_64 random{1};
  for (std::uint64_t call = 1; call < 500; ++call) {
    Event event{.call = CallId{call}, .body = "b"};
    (void)ends_.port->post(event);
    for (std::uint64_t position = 0; position < NUCLIO_RING_SLOTS; ++position)
      if (random() % 3 == 0) __atomic_store_n(&HostileRing::event(position).state, random(), __ATOMIC_RELEASE);
    (void)ends_.port->revoke(CallId{random() % 600});
    (void)ends_.port->begun(CallId{random() % 600});
  }
  EXPECT_FALSE(heard_.end);
}

TEST_F(HostileRing, ManyWakeUpsForNothingEndNobody) {
  std::uint64_t most = ~0ull - 1;
  ASSERT_EQ(write(ends_.descriptors.wake_worker.get(), &most, sizeof most), 8);
  __atomic_store_n(&reinterpret_cast<nuclio_ring_header*>(base_)->worker_sleeping, 1, __ATOMIC_SEQ_CST);
  Event event{.call = CallId{1}};
  ASSERT_TRUE(ends_.port->post(event));  // its wake-up finds the counter full, and does not wait
  for (int i = 0; i < 100; ++i) wake();
  run_until_done(loop_, some_rounds(loop_, 100));
  EXPECT_FALSE(heard_.end);
}

// Another process that writes at random while the processor reads.
TEST_F(HostileRing, MemoryThatChangesUnderTheProcessorNeverCarriesItBeyond) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    Loop loop;
    RingEnds ends{loop};
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto* base = static_cast<char*>(
          mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, ends.descriptors.channel.get(), 0));
      std::mt19937_64 random{seed};
      std::string good = reply_bytes(1, std::string(30'000, 'x'));
      for (std::uint64_t position = kFirst;; ++position) {
        auto& slot = reinterpret_cast<nuclio_ring_slot*>(base + NUCLIO_RING_REPLIES_AT)[position % NUCLIO_RING_SLOTS];
        std::memcpy(base + NUCLIO_RING_ARENA_AT, good.data(), good.size());
        slot.offset = 0;
        slot.length = static_cast<std::uint32_t>(good.size());
        slot.where = 0;
        __atomic_store_n(&slot.state, nuclio_ring_word(position, NUCLIO_RING_PUBLISHED), __ATOMIC_RELEASE);
        std::uint64_t one = 1;
        if (write(ends.descriptors.wake_processor.get(), &one, sizeof one) < 0) _exit(1);
        for (int i = 0; i < 200; ++i) base[NUCLIO_RING_ARENA_AT + random() % 64] = static_cast<char>(random());
      }
    }
    Heard heard;
    ends.port->listen(heard);
    EXPECT_TRUE(run_until(loop, [&] { return heard.end.has_value(); }));
    EXPECT_FALSE(heard.end.value_or("").empty());
    kill(child, SIGKILL);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
  }
}

}  // namespace
}  // namespace nuclio::wire
