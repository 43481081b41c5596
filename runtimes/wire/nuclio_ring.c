/* SPDX-License-Identifier: Apache-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* fallocate, sched_getcpu, syscall */
#endif
#include "nuclio_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "nuclio_ring_layout.h"
#include "nuclio_wire.h"

/* Pages of the reply arena that stay: small replies never leave them. */
#define KEPT ((size_t)64 << 10)
/* A spin that found nothing is not tried again for this many waits at most; it doubles with each. */
#define MOST_SKIPPED_SPINS 1024u

/* Who is at work in the reply arena. */
enum { ARENA_IDLE, ARENA_RESERVED, ARENA_GIVING_BACK };

struct nuclio_ring {
  nuclio_ring_header* header;
  nuclio_ring_slot* events;
  nuclio_ring_slot* replies;
  uint8_t* arena; /* of replies */
  const uint8_t* event_arena;
  size_t channel_size;
  size_t arena_size;
  size_t events_size;
  uint32_t frame_limit;
  uint32_t spin_ns;
  int channel_fd;
  int events_fd;
  int wake_worker_fd;
  int wake_processor_fd;
  int socket_fd; /* watched, not owned; -1 none */
  int sleeper;   /* an epoll of what ends a sleep; -1 until the first */

  /* The taking thread's. */
  uint64_t next_event;
  uint64_t seen_cancelled;
  int events_broken;
  int processor_gone;
  uint32_t spins_to_skip;
  uint32_t skip_next;

  /* The publishing thread's, and the taking thread's while it gives pages back: arena_use says whose. */
  uint32_t arena_use;
  int replies_broken;
  uint64_t next_reply;
  uint64_t oldest_reply; /* all before it are released */
  struct {
    size_t at;
    size_t size; /* 0: announced, without memory */
  } block[NUCLIO_RING_SLOTS];
  size_t write_at; /* behind the youngest block */
  size_t reserved_at;
  size_t dirty; /* end of what was ever written since pages were given back */
};

static size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

/* ---- Attaching ---- */

static int size_of(int fd, size_t* size) {
  struct stat status;
  if (fstat(fd, &status) != 0) return -1;
  if (status.st_size <= 0) {
    errno = EPROTO;
    return -1;
  }
  *size = (size_t)status.st_size;
  return 0;
}

/* The header does not change after the worker was started, so it is read once and believed from then on. */
static int check_header(nuclio_ring* ring) {
  const nuclio_ring_header* header = ring->header;
  ring->frame_limit = header->frame_limit;
  ring->spin_ns = header->spin_ns < NUCLIO_RING_MOST_SPIN_NS ? header->spin_ns : NUCLIO_RING_MOST_SPIN_NS;
  return header->magic == NUCLIO_RING_MAGIC && header->version == NUCLIO_RING_VERSION &&
         header->channel_size == ring->channel_size && header->events_size == ring->events_size &&
         ring->frame_limit >= NUCLIO_WIRE_HEADER_SIZE;
}

static int map(nuclio_ring* ring) {
  if (size_of(ring->channel_fd, &ring->channel_size) != 0 || size_of(ring->events_fd, &ring->events_size) != 0)
    return -1;
  if (ring->channel_size <= NUCLIO_RING_ARENA_AT) {
    errno = EPROTO;
    return -1;
  }
  void* channel = mmap(NULL, ring->channel_size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->channel_fd, 0);
  if (channel == MAP_FAILED) return -1;
  ring->header = channel;
  ring->events = (nuclio_ring_slot*)((uint8_t*)channel + NUCLIO_RING_EVENTS_AT);
  ring->replies = (nuclio_ring_slot*)((uint8_t*)channel + NUCLIO_RING_REPLIES_AT);
  ring->arena = (uint8_t*)channel + NUCLIO_RING_ARENA_AT;
  ring->arena_size = ring->channel_size - NUCLIO_RING_ARENA_AT;
  if (!check_header(ring)) {
    errno = EPROTO;
    return -1;
  }
  void* events = mmap(NULL, ring->events_size, PROT_READ, MAP_SHARED, ring->events_fd, 0);
  if (events == MAP_FAILED) return -1;
  ring->event_arena = events;
  return 0;
}

nuclio_ring* nuclio_ring_attach(int channel_fd, int events_fd, int wake_worker_fd, int wake_processor_fd) {
  const int descriptors[] = {channel_fd, events_fd, wake_worker_fd, wake_processor_fd};
  nuclio_ring* ring = calloc(1, sizeof *ring);
  int error = ENOMEM;
  if (ring) {
    ring->channel_fd = channel_fd;
    ring->events_fd = events_fd;
    ring->wake_worker_fd = wake_worker_fd;
    ring->wake_processor_fd = wake_processor_fd;
    ring->socket_fd = -1;
    ring->sleeper = -1;
    ring->next_event = ring->next_reply = ring->oldest_reply = NUCLIO_RING_SLOTS;
    ring->skip_next = 1;
    for (size_t i = 0; i < 4; ++i) fcntl(descriptors[i], F_SETFD, FD_CLOEXEC);
    if (map(ring) == 0) return ring;
    error = errno;
    nuclio_ring_detach(ring);
  } else {
    for (size_t i = 0; i < 4; ++i) close(descriptors[i]);
  }
  errno = error;
  return NULL;
}

void nuclio_ring_detach(nuclio_ring* ring) {
  if (ring->header) munmap(ring->header, ring->channel_size);
  if (ring->event_arena) munmap((void*)ring->event_arena, ring->events_size);
  if (ring->sleeper >= 0) close(ring->sleeper);
  close(ring->channel_fd);
  close(ring->events_fd);
  close(ring->wake_worker_fd);
  close(ring->wake_processor_fd);
  free(ring);
}

int nuclio_ring_watch(nuclio_ring* ring, int socket_fd) {
  if (fcntl(socket_fd, F_GETFD) < 0) return -1;
  ring->socket_fd = socket_fd;
  return 0;
}

size_t nuclio_ring_mapped(const nuclio_ring* ring) { return ring->channel_size + ring->events_size; }

uint32_t nuclio_ring_frame_limit(const nuclio_ring* ring) { return ring->frame_limit; }

const void* nuclio_ring_events(const nuclio_ring* ring, size_t* size) {
  *size = ring->events_size;
  return ring->event_arena;
}

/* ---- Taking ---- */

int nuclio_ring_closed(const nuclio_ring* ring) {
  return __atomic_load_n(&ring->header->closed, __ATOMIC_ACQUIRE) != 0;
}

static int closed(const nuclio_ring* ring) { return ring->processor_gone || nuclio_ring_closed(ring); }

static enum nuclio_ring_result broken(nuclio_ring* ring) {
  ring->events_broken = 1;
  return NUCLIO_RING_BROKEN;
}

enum nuclio_ring_result nuclio_ring_take(nuclio_ring* ring, const void** data, uint32_t* size) {
  if (ring->events_broken) return NUCLIO_RING_BROKEN;
  for (;;) {
    nuclio_ring_slot* slot = &ring->events[ring->next_event % NUCLIO_RING_SLOTS];
    uint64_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);
    uint64_t position = state >> 2;
    if (position < ring->next_event) return closed(ring) ? NUCLIO_RING_CLOSED : NUCLIO_RING_EMPTY;
    if (position > ring->next_event) {
      /* What was here is revoked and its slot used again. Positions are published in order, and a slot is used again
       * only when it is done with, so all that is a whole round behind is done with as well. */
      if ((position - ring->next_event) % NUCLIO_RING_SLOTS != 0) return broken(ring);
      ring->next_event = position - NUCLIO_RING_SLOTS + 1;
      continue;
    }
    enum nuclio_ring_kind kind = (enum nuclio_ring_kind)(state & 3);
    if (kind == NUCLIO_RING_REVOKED) {
      ++ring->next_event;
      continue;
    }
    if (kind != NUCLIO_RING_PUBLISHED) return broken(ring);
    /* Read before it is taken: from then on the processor may use the slot again. If it was revoked meanwhile, and even
     * used again, the exchange fails and what was read is forgotten. */
    uint64_t offset = __atomic_load_n(&slot->offset, __ATOMIC_RELAXED);
    uint32_t length = __atomic_load_n(&slot->length, __ATOMIC_RELAXED);
    uint32_t where = __atomic_load_n(&slot->where, __ATOMIC_RELAXED);
    if (!__atomic_compare_exchange_n(&slot->state, &state, nuclio_ring_word(position, NUCLIO_RING_TAKEN), 0,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
      continue;
    ++ring->next_event;
    if (length < NUCLIO_WIRE_HEADER_SIZE || length % 8 != 0 || length > ring->frame_limit) return broken(ring);
    *size = length;
    if (where == NUCLIO_RING_ON_SOCKET) return NUCLIO_RING_SOCKET;
    if (where != NUCLIO_RING_IN_ARENA || offset > ring->events_size || length > ring->events_size - offset)
      return broken(ring);
    *data = ring->event_arena + offset;
    return NUCLIO_RING_FRAME;
  }
}

int nuclio_ring_ready(const nuclio_ring* ring) {
  const nuclio_ring_slot* slot = &ring->events[ring->next_event % NUCLIO_RING_SLOTS];
  return __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) >> 2 >= ring->next_event;
}

uint64_t nuclio_ring_cancelled(const nuclio_ring* ring) {
  return __atomic_load_n(&ring->header->cancelled_call, __ATOMIC_ACQUIRE);
}

/* ---- Sleeping ---- */

/* Whether the caller of wait() has something to look at. A cancel is told once. */
static int something(nuclio_ring* ring) {
  if (nuclio_ring_ready(ring) || ring->events_broken || closed(ring)) return 1;
  uint64_t cancelled = nuclio_ring_cancelled(ring);
  if (cancelled == ring->seen_cancelled) return 0;
  ring->seen_cancelled = cancelled;
  return 1;
}

/* Everything that is released, so that the worker knows. 0 when the processor counts what cannot be. */
static int refresh(nuclio_ring* ring) {
  uint64_t released = __atomic_load_n(&ring->header->replies_released, __ATOMIC_ACQUIRE);
  if (released < ring->oldest_reply || released > ring->next_reply) ring->replies_broken = 1;
  if (ring->replies_broken) return 0;
  ring->oldest_reply = released;
  return 1;
}

static void give_back(nuclio_ring* ring) {
  if (!__atomic_load_n(&ring->header->give_back, __ATOMIC_RELAXED) ||
      !__atomic_exchange_n(&ring->header->give_back, 0, __ATOMIC_ACQ_REL))
    return;
  uint32_t idle = ARENA_IDLE;
  /* Another thread that is about to reply makes this the wrong moment. The processor will ask again. */
  if (!__atomic_compare_exchange_n(&ring->arena_use, &idle, ARENA_GIVING_BACK, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    return;
  if (refresh(ring) && ring->oldest_reply == ring->next_reply && ring->dirty > KEPT) {
    size_t end = round_up(ring->dirty, 4096);
    if (end > ring->arena_size) end = ring->arena_size;
    fallocate(ring->channel_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(NUCLIO_RING_ARENA_AT + KEPT),
              (off_t)(end - KEPT));
    ring->dirty = KEPT;
  }
  __atomic_store_n(&ring->arena_use, ARENA_IDLE, __ATOMIC_RELEASE);
}

static void set_sleeping(nuclio_ring* ring, uint32_t value) {
  __atomic_store_n(&ring->header->worker_sleeping, value, __ATOMIC_SEQ_CST);
}

int nuclio_ring_arm(nuclio_ring* ring) {
  /* Either this store comes before the processor's look at the flag, which then wakes, or the processor's publishing
   * comes before our look at the ring: the two fences allow nothing else. */
  set_sleeping(ring, 1);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  give_back(ring); /* within the same brackets, since it is asked for in the same way */
  if (!something(ring)) return 0;
  set_sleeping(ring, 0);
  return 1;
}

int nuclio_ring_descriptor(const nuclio_ring* ring) { return ring->wake_worker_fd; }

void nuclio_ring_woken(nuclio_ring* ring) {
  uint64_t count;
  while (read(ring->wake_worker_fd, &count, sizeof count) < 0 && errno == EINTR) {
  }
  set_sleeping(ring, 0);
  give_back(ring);
}

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* Looks again and again for a while, where that is allowed and has paid lately. */
static int spin(nuclio_ring* ring) {
  if (ring->spin_ns == 0) return 0;
  if (ring->spins_to_skip > 0) {
    --ring->spins_to_skip;
    return 0;
  }
  /* On the processor's own CPU a spin only keeps it from what is waited for. */
  uint32_t here = (uint32_t)sched_getcpu() + 1;
  if (__atomic_load_n(&ring->header->processor_cpu, __ATOMIC_RELAXED) == here) return 0;
  int64_t end = now_ns() + ring->spin_ns;
  do {
    for (int i = 0; i < 64; ++i) {
      if (nuclio_ring_ready(ring)) {
        ring->skip_next = 1;
        return 1;
      }
      relax();
    }
  } while (now_ns() < end);
  ring->spins_to_skip = ring->skip_next;
  if (ring->skip_next < MOST_SKIPPED_SPINS) ring->skip_next *= 2;
  return 0;
}

static int add_to_sleeper(int sleeper, int fd, uint32_t events) {
  struct epoll_event event = {.events = events | EPOLLET, .data.fd = fd};
  return epoll_ctl(sleeper, EPOLL_CTL_ADD, fd, &event);
}

/* Edge-triggered, so that a wake-up costs one call and the counter is never read. */
static int make_sleeper(nuclio_ring* ring) {
  int sleeper = epoll_create1(EPOLL_CLOEXEC);
  if (sleeper < 0) return -1;
  if (add_to_sleeper(sleeper, ring->wake_worker_fd, EPOLLIN) != 0 ||
      (ring->socket_fd >= 0 && add_to_sleeper(sleeper, ring->socket_fd, EPOLLRDHUP) != 0)) {
    int error = errno;
    close(sleeper);
    errno = error;
    return -1;
  }
  ring->sleeper = sleeper;
  return 0;
}

int nuclio_ring_wait(nuclio_ring* ring, int timeout_ms) {
  if (something(ring) || spin(ring)) return 0;
  if (ring->sleeper < 0 && make_sleeper(ring) != 0) return -1;
  if (nuclio_ring_arm(ring)) return 0;
  struct epoll_event events[2];
  int count = epoll_wait(ring->sleeper, events, 2, timeout_ms);
  set_sleeping(ring, 0);
  for (int i = 0; i < count; ++i)
    if (events[i].data.fd == ring->socket_fd) ring->processor_gone = 1;
  if (count >= 0) give_back(ring);
  return count < 0 ? -1 : count == 0;
}

/* ---- Replying ---- */

size_t nuclio_ring_largest(const nuclio_ring* ring) {
  size_t largest = ring->arena_size / NUCLIO_RING_ALIGN * NUCLIO_RING_ALIGN;
  if (largest > NUCLIO_RING_LARGEST) largest = NUCLIO_RING_LARGEST;
  return largest < ring->frame_limit ? largest : ring->frame_limit;
}

/* Where `size` bytes may go. 0 when there is no room, or no slot. Blocks are released in order, so what is in use is
 * one run that may go around the end; the front is preferred, so that small replies stay in few pages. */
static int place(nuclio_ring* ring, size_t size, size_t* at) {
  if (!refresh(ring)) return 0;
  if (ring->next_reply - ring->oldest_reply >= NUCLIO_RING_SLOTS) return 0;
  uint64_t oldest = ring->oldest_reply;
  while (oldest < ring->next_reply && ring->block[oldest % NUCLIO_RING_SLOTS].size == 0) ++oldest;
  if (oldest == ring->next_reply) {
    *at = 0;
    return 1;
  }
  size_t begin = ring->block[oldest % NUCLIO_RING_SLOTS].at;
  if (ring->write_at <= begin) { /* it goes around */
    *at = ring->write_at;
    return size <= begin - ring->write_at;
  }
  *at = size <= begin ? 0 : ring->write_at;
  return size <= begin || size <= ring->arena_size - ring->write_at;
}

static void begin_reply(nuclio_ring* ring) {
  for (;;) {
    uint32_t use = ARENA_IDLE;
    if (__atomic_compare_exchange_n(&ring->arena_use, &use, ARENA_RESERVED, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED) ||
        use == ARENA_RESERVED)
      return;
    sched_yield(); /* the taking thread gives back pages, which takes microseconds */
  }
}

static void end_reply(nuclio_ring* ring) { __atomic_store_n(&ring->arena_use, ARENA_IDLE, __ATOMIC_RELEASE); }

void* nuclio_ring_reserve(nuclio_ring* ring, size_t size) {
  if (size == 0 || size > nuclio_ring_largest(ring)) return NULL;
  begin_reply(ring);
  if (place(ring, round_up(size, NUCLIO_RING_ALIGN), &ring->reserved_at)) return ring->arena + ring->reserved_at;
  end_reply(ring);
  return NULL;
}

/* Hands over the next slot, and wakes the processor when it sleeps. See nuclio_ring_arm() for the other half. */
static void hand_over(nuclio_ring* ring, size_t at, size_t block_size, size_t length, enum nuclio_ring_where where) {
  nuclio_ring_slot* slot = &ring->replies[ring->next_reply % NUCLIO_RING_SLOTS];
  ring->block[ring->next_reply % NUCLIO_RING_SLOTS].at = at;
  ring->block[ring->next_reply % NUCLIO_RING_SLOTS].size = block_size;
  __atomic_store_n(&slot->offset, at, __ATOMIC_RELAXED);
  __atomic_store_n(&slot->length, (uint32_t)length, __ATOMIC_RELAXED);
  __atomic_store_n(&slot->where, (uint32_t)where, __ATOMIC_RELAXED);
  __atomic_store_n(&slot->state, nuclio_ring_word(ring->next_reply, NUCLIO_RING_PUBLISHED), __ATOMIC_RELEASE);
  ++ring->next_reply;
  end_reply(ring);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (!__atomic_load_n(&ring->header->processor_sleeping, __ATOMIC_RELAXED) ||
      !__atomic_exchange_n(&ring->header->processor_sleeping, 0, __ATOMIC_ACQ_REL))
    return;
  uint64_t one = 1;
  while (write(ring->wake_processor_fd, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void nuclio_ring_publish(nuclio_ring* ring, size_t size) {
  size_t block_size = round_up(size, NUCLIO_RING_ALIGN);
  ring->write_at = ring->reserved_at + block_size;
  if (ring->write_at > ring->dirty) ring->dirty = ring->write_at;
  hand_over(ring, ring->reserved_at, block_size, size, NUCLIO_RING_IN_ARENA);
}

int nuclio_ring_announce(nuclio_ring* ring, size_t size) {
  begin_reply(ring);
  if (refresh(ring) && ring->next_reply - ring->oldest_reply < NUCLIO_RING_SLOTS) {
    hand_over(ring, 0, 0, size, NUCLIO_RING_ON_SOCKET);
    return 0;
  }
  end_reply(ring);
  errno = EAGAIN;
  return -1;
}

/* Sleeps until the processor has released something. Without a watched socket the wait has no other end than the
 * processor's word; with one, the socket is looked at every second. 0 woken, 1 time-out, -1 errno. */
static int sleep_for_room(nuclio_ring* ring, uint32_t turn, int64_t deadline) {
  int64_t left = deadline < 0 ? INT64_MAX : deadline - now_ns();
  if (left <= 0) return 1;
  int look = ring->socket_fd >= 0 && left > 1000000000;
  if (look) left = 1000000000;
  struct timespec time = {.tv_sec = (time_t)(left / 1000000000), .tv_nsec = (long)(left % 1000000000)};
  if (syscall(SYS_futex, &ring->header->room_turn, FUTEX_WAIT, turn, left == INT64_MAX ? NULL : &time, NULL, 0) == 0 ||
      errno == EAGAIN)
    return 0;
  if (errno != ETIMEDOUT) return -1;
  if (!look) return 1;
  struct pollfd socket = {.fd = ring->socket_fd, .events = POLLRDHUP};
  if (poll(&socket, 1, 0) <= 0) return 0;
  errno = EPIPE;
  return -1;
}

int nuclio_ring_wait_room(nuclio_ring* ring, size_t size, int timeout_ms) {
  if (size > nuclio_ring_largest(ring)) {
    errno = EMSGSIZE;
    return -1;
  }
  int64_t deadline = timeout_ms < 0 ? -1 : now_ns() + timeout_ms * (int64_t)1000000;
  for (;;) {
    /* As in nuclio_ring_arm(): the turn is read before the flag is set, so a release that we do not see moves it. */
    uint32_t turn = __atomic_load_n(&ring->header->room_turn, __ATOMIC_ACQUIRE);
    __atomic_store_n(&ring->header->wants_room, 1, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    begin_reply(ring);
    size_t at;
    int room = place(ring, round_up(size, NUCLIO_RING_ALIGN), &at);
    end_reply(ring);
    int result = 0;
    if (nuclio_ring_closed(ring) || ring->replies_broken) {
      errno = EPIPE;
      result = -1;
    } else if (!room) {
      result = sleep_for_room(ring, turn, deadline);
      if (result == 0) continue;
    }
    __atomic_store_n(&ring->header->wants_room, 0, __ATOMIC_RELAXED);
    return result;
  }
}
