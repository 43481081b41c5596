// SPDX-License-Identifier: Apache-2.0
#include "wire/ring_channel.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <nuclio_wire.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <limits>
#include <utility>

#include "base/check.h"
#include "wire/cpus.h"

namespace nuclio::wire {
namespace {

static_assert(offsetof(nuclio_ring_header, replies_released) == 64 && offsetof(nuclio_ring_header, give_back) == 92 &&
              offsetof(nuclio_ring_header, worker_sleeping) == 128 &&
              offsetof(nuclio_ring_header, processor_sleeping) == 192);
static_assert(sizeof(nuclio_ring_header) == 256 && sizeof(nuclio_ring_slot) == 64);
static_assert(RingChannel::kSize.count % 4096 == 0 && NUCLIO_RING_LARGEST % NUCLIO_RING_ALIGN == 0);

void wake_up(int descriptor) {
  // Non-blocking: a worker that filled the counter has wake-ups enough.
  std::uint64_t one = 1;
  while (write(descriptor, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

}  // namespace

Result<RingChannel::Ends> RingChannel::create(Bytes events, Bytes limit) {
  Descriptor memory{memfd_create("nuclio-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (!memory) return fail_errno("making memory to share with a worker");
  if (ftruncate(memory.get(), static_cast<off_t>(kSize.count)) != 0)
    return fail_errno("sizing memory to share with a worker");
  // A worker that could shrink it could have the processor killed at its next look.
  if (fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return fail_errno("sealing memory to share with a worker");
  Descriptor wake_worker{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  Descriptor wake_processor{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (!wake_worker || !wake_processor) return fail_errno("making wake-ups for a worker");
  Ends ends{nullptr, Descriptor{fcntl(memory.get(), F_DUPFD_CLOEXEC, 0)},
            Descriptor{fcntl(wake_worker.get(), F_DUPFD_CLOEXEC, 0)},
            Descriptor{fcntl(wake_processor.get(), F_DUPFD_CLOEXEC, 0)}};
  if (!ends.memory || !ends.wake_worker || !ends.wake_processor) return fail_errno("sharing memory with a worker");
  void* base = mmap(nullptr, kSize.count, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
  if (base == MAP_FAILED) return fail_errno("mapping memory to share with a worker");

  ends.channel.reset(
      new RingChannel{std::move(memory), static_cast<char*>(base), std::move(wake_worker), std::move(wake_processor)});
  nuclio_ring_header& header = ends.channel->header();
  header.magic = NUCLIO_RING_MAGIC;
  header.version = NUCLIO_RING_VERSION;
  header.channel_size = kSize.count;
  header.events_size = events.count;
  header.frame_limit =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(limit.count, std::numeric_limits<std::uint32_t>::max()));
  header.spin_ns = several_cpus() ? NUCLIO_RING_MOST_SPIN_NS : 0;
  header.replies_released = NUCLIO_RING_SLOTS;
  ends.channel->tells_cpu_ = header.spin_ns > 0;
  return ends;
}

RingChannel::RingChannel(Descriptor memory, char* base, Descriptor wake_worker, Descriptor wake_processor)
    : memory_(std::move(memory)),
      base_(base),
      wake_worker_(std::move(wake_worker)),
      wake_processor_(std::move(wake_processor)) {}

RingChannel::~RingChannel() { munmap(base_, kSize.count); }

nuclio_ring_slot& RingChannel::event_slot(std::uint64_t position) const {
  return reinterpret_cast<nuclio_ring_slot*>(base_ + NUCLIO_RING_EVENTS_AT)[position % NUCLIO_RING_SLOTS];
}

nuclio_ring_slot& RingChannel::reply_slot(std::uint64_t position) const {
  return reinterpret_cast<nuclio_ring_slot*>(base_ + NUCLIO_RING_REPLIES_AT)[position % NUCLIO_RING_SLOTS];
}

bool RingChannel::has_slot() const { return taken(next_event_ - NUCLIO_RING_SLOTS); }

// The worker's only honest change of the word is from published to taken; after any other it is on its own.
bool RingChannel::taken(std::uint64_t position) const {
  return __atomic_load_n(&event_slot(position).state, __ATOMIC_ACQUIRE) !=
         nuclio_ring_word(position, NUCLIO_RING_PUBLISHED);
}

std::uint64_t RingChannel::publish(nuclio_ring_where where, std::uint64_t offset, std::uint32_t length) {
  std::uint64_t position = next_event_++;
  nuclio_ring_slot& slot = event_slot(position);
  __atomic_store_n(&slot.offset, offset, __ATOMIC_RELAXED);
  __atomic_store_n(&slot.length, length, __ATOMIC_RELAXED);
  __atomic_store_n(&slot.where, static_cast<std::uint32_t>(where), __ATOMIC_RELAXED);
  __atomic_store_n(&slot.state, nuclio_ring_word(position, NUCLIO_RING_PUBLISHED), __ATOMIC_RELEASE);
  if (tells_cpu_)
    __atomic_store_n(&header().processor_cpu, static_cast<std::uint32_t>(sched_getcpu()) + 1, __ATOMIC_RELAXED);
  wake();
  return position;
}

bool RingChannel::revoke(std::uint64_t position) {
  std::uint64_t published = nuclio_ring_word(position, NUCLIO_RING_PUBLISHED);
  return __atomic_compare_exchange_n(&event_slot(position).state, &published,
                                     nuclio_ring_word(position, NUCLIO_RING_REVOKED), false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE);
}

void RingChannel::cancel(std::uint64_t call) {
  __atomic_store_n(&header().cancelled_call, call, __ATOMIC_RELEASE);
  wake();
}

Result<std::optional<RingChannel::Reply>> RingChannel::next() {
  nuclio_ring_slot& slot = reply_slot(next_reply_);
  std::uint64_t state = __atomic_load_n(&slot.state, __ATOMIC_ACQUIRE);
  if (state != nuclio_ring_word(next_reply_, NUCLIO_RING_PUBLISHED)) {
    std::uint64_t before = next_reply_ - NUCLIO_RING_SLOTS;
    if (state == (before < NUCLIO_RING_SLOTS ? 0 : nuclio_ring_word(before, NUCLIO_RING_PUBLISHED)))
      return std::nullopt;
    return fail(Why::invalid, "the worker wrote into a slot of its ring out of turn");
  }
  if (next_reply_ - released_ >= NUCLIO_RING_SLOTS)
    return fail(Why::invalid, "the worker used a slot of its ring that was not free");
  // The worker's number becomes a nuclio_ring_where only when it is one.
  std::uint32_t where = __atomic_load_n(&slot.where, __ATOMIC_RELAXED);
  Reply reply{next_reply_, NUCLIO_RING_IN_ARENA, __atomic_load_n(&slot.offset, __ATOMIC_RELAXED),
              __atomic_load_n(&slot.length, __ATOMIC_RELAXED)};
  bool ok = reply.length >= NUCLIO_WIRE_HEADER_SIZE && reply.length % 8 == 0;
  if (where == NUCLIO_RING_IN_ARENA) {
    ok = ok && reply.length <= NUCLIO_RING_LARGEST && reply.offset % NUCLIO_RING_ALIGN == 0 &&
         reply.offset <= kArena.count - reply.length;
  } else {
    ok = ok && where == NUCLIO_RING_ON_SOCKET;
    reply.where = NUCLIO_RING_ON_SOCKET;
  }
  if (!ok) return fail(Why::invalid, "the worker published a frame that is not in the memory it shares");
  ++next_reply_;
  return reply;
}

void RingChannel::release(std::uint64_t position) {
  CHECK(position >= released_ && position < next_reply_ && !done_[position % NUCLIO_RING_SLOTS]);
  done_.set(position % NUCLIO_RING_SLOTS);
  if (position != released_) return;
  while (released_ < next_reply_ && done_[released_ % NUCLIO_RING_SLOTS]) done_.reset(released_++ % NUCLIO_RING_SLOTS);
  __atomic_store_n(&header().replies_released, released_, __ATOMIC_RELEASE);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (__atomic_load_n(&header().wants_room, __ATOMIC_RELAXED) &&
      __atomic_exchange_n(&header().wants_room, 0, __ATOMIC_ACQ_REL))
    wake_for_room();
}

void RingChannel::wake_for_room() {
  __atomic_fetch_add(&header().room_turn, 1, __ATOMIC_RELEASE);
  syscall(SYS_futex, &header().room_turn, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

// Either the worker's store of the flag comes before this look at it, or what was published before the fence is seen by
// the worker's look that follows its store: it never sleeps on something that is there.
void RingChannel::wake() {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (__atomic_load_n(&header().worker_sleeping, __ATOMIC_RELAXED) &&
      __atomic_exchange_n(&header().worker_sleeping, 0, __ATOMIC_ACQ_REL))
    wake_up(wake_worker_.get());
}

bool RingChannel::arm() {
  __atomic_store_n(&header().processor_sleeping, 1, __ATOMIC_SEQ_CST);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  // Anything but what was there last time, nonsense included, is for next() to judge.
  std::uint64_t before = next_reply_ - NUCLIO_RING_SLOTS;
  std::uint64_t state = __atomic_load_n(&reply_slot(next_reply_).state, __ATOMIC_ACQUIRE);
  if (state == (before < NUCLIO_RING_SLOTS ? 0 : nuclio_ring_word(before, NUCLIO_RING_PUBLISHED))) return true;
  disarm();
  return false;
}

void RingChannel::disarm() { __atomic_store_n(&header().processor_sleeping, 0, __ATOMIC_RELAXED); }

void RingChannel::ask_to_give_back() {
  __atomic_store_n(&header().give_back, 1, __ATOMIC_RELEASE);
  wake();
}

void RingChannel::close() {
  __atomic_store_n(&header().closed, 1, __ATOMIC_SEQ_CST);
  wake_up(wake_worker_.get());
  wake_for_room();
}

}  // namespace nuclio::wire
