// SPDX-License-Identifier: Apache-2.0
// The worker's C code over memory in which a processor that went wrong wrote what it liked.
#include <fcntl.h>
#include <nuclio_ring.h>
#include <nuclio_ring_layout.h>
#include <nuclio_wire.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/check.h"

namespace {

constexpr std::size_t kChannel = NUCLIO_RING_ARENA_AT + (64 << 10);
constexpr std::size_t kEvents = 64 << 10;

char* memory(int fd, std::size_t size) {
  CHECK(fd >= 0 && ftruncate(fd, static_cast<off_t>(size)) == 0);
  void* mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  CHECK(mapped != MAP_FAILED);
  return static_cast<char*>(mapped);
}

std::size_t touch(nuclio_wire_text text) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < text.length; ++i) sum += static_cast<unsigned char>(text.data[i]);
  return sum;
}

std::size_t touch(const nuclio_wire_frame& frame) {
  std::size_t sum = touch(nuclio_wire_text{reinterpret_cast<const char*>(frame.body), frame.body_length});
  for (std::size_t i = 0; i <= frame.strings; ++i) sum += touch(nuclio_wire_string(&frame, i));
  for (std::size_t i = 0; i <= frame.headers; ++i) sum += touch(nuclio_wire_header(&frame, i).value);
  std::size_t position = 0;
  nuclio_wire_frame inner;
  while (nuclio_wire_next(&frame, &position, &inner)) sum += touch(inner);
  return sum;
}

void take(nuclio_ring* ring) {
  const void* data = nullptr;
  std::uint32_t size = 0;
  if (nuclio_ring_take(ring, &data, &size) != NUCLIO_RING_FRAME) return;
  std::size_t arena_size = 0;
  const void* arena = nuclio_ring_events(ring, &arena_size);
  nuclio_wire_frame frame;
  if (nuclio_wire_decode_shared(data, size, nuclio_ring_frame_limit(ring), arena, arena_size, &frame)) return;
  volatile std::size_t sum = touch(frame);
  (void)sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input{reinterpret_cast<const char*>(data), size};
  int channel = memfd_create("channel", MFD_CLOEXEC);
  int events = memfd_create("events", MFD_CLOEXEC);
  char* base = memory(channel, kChannel);
  char* event_arena = memory(events, kEvents);
  auto* header = reinterpret_cast<nuclio_ring_header*>(base);
  header->magic = NUCLIO_RING_MAGIC;
  header->version = NUCLIO_RING_VERSION;
  header->channel_size = kChannel;
  header->events_size = kEvents;
  header->frame_limit = 32 << 10;
  header->replies_released = NUCLIO_RING_SLOTS;
  nuclio_ring* ring = nuclio_ring_attach(channel, events, eventfd(0, EFD_NONBLOCK), eventfd(0, EFD_NONBLOCK));
  CHECK(ring);
  std::uint64_t next = NUCLIO_RING_SLOTS;
  auto number = [&](std::size_t bytes) {
    std::uint64_t value = 0;
    std::size_t have = std::min(bytes, input.size());
    std::memcpy(&value, input.data(), have);
    input.remove_prefix(have);
    return value;
  };
  while (!input.empty()) {
    switch (number(1) % 8) {
      case 0: take(ring); break;
      case 1: {
        std::size_t at = number(1) * 64;
        std::size_t length = std::min<std::size_t>(number(2), input.size());
        std::memcpy(event_arena + at, input.data(), std::min(length, kEvents - at));
        input.remove_prefix(length);
        break;
      }
      case 2: {
        auto& slot = reinterpret_cast<nuclio_ring_slot*>(base + NUCLIO_RING_EVENTS_AT)[next % NUCLIO_RING_SLOTS];
        slot.offset = number(1) * 64;
        std::memcpy(&slot.length, event_arena + slot.offset, sizeof slot.length);
        slot.where = static_cast<std::uint32_t>(number(1) % 8 == 0);
        slot.state = nuclio_ring_word(next++, NUCLIO_RING_PUBLISHED);
        break;
      }
      case 3: {
        auto& slot = reinterpret_cast<nuclio_ring_slot*>(base + NUCLIO_RING_EVENTS_AT)[number(1) % NUCLIO_RING_SLOTS];
        slot.offset = number(8);
        slot.length = static_cast<std::uint32_t>(number(4));
        slot.where = static_cast<std::uint32_t>(number(1) % 3);
        slot.state = number(2);
        break;
      }
      case 4: base[number(2) % NUCLIO_RING_ARENA_AT] = static_cast<char>(number(1)); break;
      case 5: {
        std::size_t length = number(2);
        if (void* room = nuclio_ring_reserve(ring, length)) {
          std::memset(room, 1, length);
          nuclio_ring_publish(ring, length);
        }
        break;
      }
      case 6: header->replies_released += number(1) % 4; break;
      case 7:
        nuclio_ring_wait(ring, 0);
        nuclio_ring_arm(ring);
        nuclio_ring_woken(ring);
        nuclio_ring_wait_room(ring, number(2), 0);
        nuclio_ring_announce(ring, number(2));
        break;
    }
  }
  nuclio_ring_detach(ring);
  munmap(base, kChannel);
  munmap(event_arena, kEvents);
  return 0;
}
