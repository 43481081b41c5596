// SPDX-License-Identifier: Apache-2.0
// A worker that writes what it likes into the memory that it shares: the input is a list of what it and the processor
// do.
#include <nuclio_ring_layout.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include "base/check.h"
#include "loop/run.h"
#include "loop/stream.h"
#include "wire/from_worker.h"
#include "wire/port.h"

namespace nuclio::wire {
namespace {

constexpr std::size_t kChannel = NUCLIO_RING_ARENA_AT + 2 * std::size_t{NUCLIO_RING_LARGEST};

class Input {
 public:
  explicit Input(std::string_view bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  template <class Number>
  Number number() {
    Number value{};
    std::string_view taken = take(sizeof value);
    std::memcpy(&value, taken.data(), taken.size());
    return value;
  }
  std::string_view take(std::size_t most) {
    std::string_view taken = bytes_.substr(0, most);
    bytes_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view bytes_;
};

// Reads all that a frame hands out.
class Reader final : public Port::Listener {
 public:
  void received(Frame frame) override {
    std::size_t sum = 0;
    for (char c : frame->body()) sum += static_cast<unsigned char>(c);
    for (std::size_t i = 0; i < frame->string_count(); ++i)
      for (char c : frame->string(i)) sum += static_cast<unsigned char>(c);
    volatile std::size_t seen = sum + (from_worker(frame.view()) ? 1 : 0);
    (void)seen;
    if (kept_) kept_->detach();
    kept_ = std::move(frame);
  }
  void ended(std::string) override { CHECK(!std::exchange(ended_, true)); }

 private:
  std::optional<Frame> kept_;
  bool ended_ = false;
};

Task<int> rounds(Loop& loop, int count) {
  for (int i = 0; i < count; ++i) co_await loop.yield();
  co_return 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input{{reinterpret_cast<const char*>(data), size}};
  Loop loop;
  auto arena = EventArena::create(loop, Bytes{1});
  auto sockets = socket_pair();
  auto ends = ring_port(loop, std::move(sockets->first), **arena, Bytes{1 << 20});
  auto& [port, worker] = *ends;
  void* mapped = mmap(nullptr, kChannel, PROT_READ | PROT_WRITE, MAP_SHARED, worker.channel.get(), 0);
  CHECK(mapped != MAP_FAILED);
  auto* base = static_cast<char*>(mapped);
  auto* events = reinterpret_cast<nuclio_ring_slot*>(base + NUCLIO_RING_EVENTS_AT);
  auto* replies = reinterpret_cast<nuclio_ring_slot*>(base + NUCLIO_RING_REPLIES_AT);
  Reader reader;
  port->listen(reader);
  std::uint64_t call = 0;
  std::uint64_t next = NUCLIO_RING_SLOTS;
  while (!input.empty()) {
    switch (input.number<std::uint8_t>() % 10) {
      case 0: {  // a frame, or what looks like one, where the next reply may be
        std::size_t at = input.number<std::uint8_t>() * std::size_t{NUCLIO_RING_ALIGN};
        std::string_view bytes = input.take(input.number<std::uint16_t>());
        std::memcpy(base + NUCLIO_RING_ARENA_AT + at, bytes.data(), bytes.size());
        break;
      }
      case 1: {
        auto& slot = replies[next % NUCLIO_RING_SLOTS];
        slot.offset = input.number<std::uint8_t>() * std::uint64_t{NUCLIO_RING_ALIGN};
        std::memcpy(&slot.length, base + NUCLIO_RING_ARENA_AT + slot.offset, sizeof slot.length);
        slot.where = 0;
        slot.state = nuclio_ring_word(next++, NUCLIO_RING_PUBLISHED);
        break;
      }
      case 2: {
        auto& slot = replies[input.number<std::uint8_t>() % NUCLIO_RING_SLOTS];
        slot.offset = input.number<std::uint64_t>();
        slot.length = input.number<std::uint32_t>();
        slot.where = input.number<std::uint8_t>() % 3;
        slot.state = nuclio_ring_word(input.number<std::uint8_t>(), NUCLIO_RING_PUBLISHED);
        break;
      }
      case 3: events[input.number<std::uint8_t>() % NUCLIO_RING_SLOTS].state = input.number<std::uint16_t>(); break;
      case 4: {
        std::string_view body = input.take(input.number<std::uint8_t>());
        Event event{.call = CallId{++call}, .body = body};
        (void)port->post(event);
        break;
      }
      case 5: {
        CallId some{input.number<std::uint8_t>()};
        (void)port->begun(some);
        (void)port->revoke(some);
        port->cancel(some);
        break;
      }
      case 6: run_until_done(loop, rounds(loop, 3)); break;
      case 7: base[input.number<std::uint16_t>() % NUCLIO_RING_ARENA_AT] = input.number<char>(); break;
      case 8: {
        std::string_view bytes = input.take(input.number<std::uint8_t>());
        (void)!write(sockets->second.get(), bytes.data(), bytes.size());
        break;
      }
      case 9: {
        std::uint64_t one = 1;
        (void)!write(worker.wake_processor.get(), &one, sizeof one);
        break;
      }
    }
  }
  run_until_done(loop, rounds(loop, 3));
  sockets->second.reset();
  run_until_done(loop, rounds(loop, 5));
  port.reset();
  CHECK((*arena)->in_use() == 0);
  munmap(mapped, kChannel);
  return 0;
}

}  // namespace nuclio::wire
