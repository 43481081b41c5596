/* SPDX-License-Identifier: Apache-2.0 */
/* The shared memory of a ring, byte by byte, for its two sides and their tests; FORMAT.md explains it. Every field that
 * both sides touch is read and written with atomic operations (__atomic_*), never plainly. */
#ifndef NUCLIO_RING_LAYOUT_H
#define NUCLIO_RING_LAYOUT_H
#include <stddef.h>
#include <stdint.h>

enum {
  NUCLIO_RING_MAGIC = 0x4752434e, /* "NCRG" in memory */
  NUCLIO_RING_VERSION = 1,
  NUCLIO_RING_SLOTS = 64, /* of each of the two rings; a power of two */
  NUCLIO_RING_EVENTS_AT = 4096,
  NUCLIO_RING_REPLIES_AT = 8192,
  NUCLIO_RING_ARENA_AT = 12288,                 /* the reply arena, up to the end of the channel */
  NUCLIO_RING_LARGEST = (4 << 20) + (64 << 10), /* longest frame that goes through an arena */
  NUCLIO_RING_ALIGN = 64,                       /* of every frame in an arena */
  NUCLIO_RING_MOST_SPIN_NS = 20000,
};

/* The first page of the channel. What only one side writes lies in cache lines of its own. */
typedef struct {
  /* Written by the processor before there is a worker, and never again. */
  uint32_t magic;
  uint32_t version;
  uint64_t channel_size; /* of this memory; a multiple of 4096 */
  uint64_t events_size;  /* of the event arena */
  uint32_t frame_limit;
  uint32_t spin_ns; /* how long a worker may spin before it sleeps; 0 not at all */
  uint8_t reserved0[32];

  /* Written by the processor. */
  uint64_t replies_released; /* reply slots, and their memory, that the worker may use again */
  uint64_t cancelled_call;
  uint32_t closed;        /* 1: nothing more will be published */
  uint32_t room_turn;     /* a futex: goes up when replies_released did and the worker wants to know */
  uint32_t processor_cpu; /* where it last ran, plus 1; 0 unknown */
  uint32_t give_back;     /* set by the processor, cleared by the worker: give back pages of large replies */
  uint8_t reserved1[32];

  /* Set by the worker, cleared by whoever comes first. */
  uint32_t worker_sleeping;
  uint32_t wants_room;
  uint8_t reserved2[56];

  /* Set by the processor, cleared by whoever comes first. */
  uint32_t processor_sleeping;
  uint8_t reserved3[60];
} nuclio_ring_header;

enum nuclio_ring_kind {
  NUCLIO_RING_OLD = 0,       /* only as the whole word 0: nothing was ever here */
  NUCLIO_RING_PUBLISHED = 1, /* by its producer, as the last of the slot's fields */
  NUCLIO_RING_TAKEN = 2,     /* an event: by the worker, which has begun it */
  NUCLIO_RING_REVOKED = 3,   /* an event: by the processor, before the worker took it */
};

enum nuclio_ring_where { NUCLIO_RING_IN_ARENA = 0, NUCLIO_RING_ON_SOCKET = 1 };

/* A cache line. Positions count what was ever published in a ring, beginning with NUCLIO_RING_SLOTS so that the word 0
 * is an old one; position p is in slot p % NUCLIO_RING_SLOTS. */
typedef struct {
  uint64_t state;  /* position * 4 + kind */
  uint64_t offset; /* of the frame: an event's in the event arena, a reply's in the reply arena */
  uint32_t length; /* of the frame */
  uint32_t where;
  uint8_t reserved[40];
} nuclio_ring_slot;

static inline uint64_t nuclio_ring_word(uint64_t position, enum nuclio_ring_kind kind) {
  return position << 2 | (uint64_t)kind;
}

#endif
