/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's side of the ring: frames through memory that the worker shares with the processor. FORMAT.md describes
 * the memory and why no wake-up is lost; nuclio_wire.h reads and writes the frames.
 *
 * Threads: one at a time takes and waits for events (take, wait, arm, woken), one at a time reserves, publishes,
 * announces and waits for room; the two may be different threads at the same time. Callers lock, and do not hold a lock
 * that the other side needs across a wait. nuclio_ring_cancelled() may be called by any thread.
 *
 * Nothing here allocates after nuclio_ring_attach(). What is read from shared memory is checked, so that a processor
 * that went wrong makes NUCLIO_RING_BROKEN rather than a crash. */
#ifndef NUCLIO_RING_H
#define NUCLIO_RING_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nuclio_ring nuclio_ring; /* the worker's private state */

/* Maps both memories and checks magic, version and every size. NULL and errno when something is wrong: EPROTO for
 * another version or sizes that cannot be, else what the system said. Takes over the four descriptors, also when it
 * fails, and makes them close-on-exec. */
nuclio_ring* nuclio_ring_attach(int channel_fd, int events_fd, int wake_worker_fd, int wake_processor_fd);
/* Unmaps and closes everything. No pointer that came from the ring may be used afterwards. */
void nuclio_ring_detach(nuclio_ring* ring);

/* Makes nuclio_ring_wait() notice also a processor that died without a word: the end of this socket, which stays the
 * caller's and must be open until nuclio_ring_detach(). Before the first wait. 0 or -1 and errno. */
int nuclio_ring_watch(nuclio_ring* ring, int socket_fd);

/* How many bytes of address space the ring takes: to be added to a limit on a worker's memory. */
size_t nuclio_ring_mapped(const nuclio_ring* ring);
/* The limit on a frame's length that the processor keeps to and asks for. */
uint32_t nuclio_ring_frame_limit(const nuclio_ring* ring);

enum nuclio_ring_result {
  NUCLIO_RING_FRAME,  /* *data and *size are set */
  NUCLIO_RING_SOCKET, /* the next frame, *size bytes, comes over the socket: read all of it before the next take */
  NUCLIO_RING_EMPTY,
  NUCLIO_RING_CLOSED, /* the processor has closed the ring; nothing follows */
  NUCLIO_RING_BROKEN, /* shared memory holds what cannot be; nothing follows */
};

/* Takes, and so begins, the next event, batch or control frame: what is taken cannot be given to another worker any
 * more, so take it only when it is to run. Decode it with nuclio_wire_decode_shared(data, size, limit, arena,
 * arena_size, &frame), arena being nuclio_ring_events(). The frame and its body are valid until the last word on the
 * call (a reply without `more`, the last chunk, `done`) has been published, and are never written by anybody until
 * then. */
enum nuclio_ring_result nuclio_ring_take(nuclio_ring* ring, const void** data, uint32_t* size);
/* Whether take() would give something; costs a look at one word. */
int nuclio_ring_ready(const nuclio_ring* ring);
/* The event arena: where frames that were taken lie, and their bodies. Read-only. */
const void* nuclio_ring_events(const nuclio_ring* ring, size_t* size);

/* Waits until something may be there to take, a call was cancelled, or the ring was closed; may also return early.
 * Spins first where the processor allows it and it pays, then sleeps. timeout_ms < 0: for ever. 0: look, 1: timeout,
 * -1: errno, where EINTR is a signal, for which the caller may have something to do. Whoever holds a lock of its
 * language releases it around this. */
int nuclio_ring_wait(nuclio_ring* ring, int timeout_ms);

/* The same for an event loop, which watches nuclio_ring_descriptor() for reading (level-triggered is fine). arm() says
 * "wake me" and returns 1 when there is something to look at already; 0 when it is safe to sleep. When the descriptor
 * is readable, call woken(), then take until it is empty, then arm() again. Do not mix with nuclio_ring_wait(). */
int nuclio_ring_arm(nuclio_ring* ring);
int nuclio_ring_descriptor(const nuclio_ring* ring);
void nuclio_ring_woken(nuclio_ring* ring);

/* The call id that was cancelled last; 0 none yet. */
uint64_t nuclio_ring_cancelled(const nuclio_ring* ring);
/* Whether the processor has closed the ring: nobody waits for any call. Any thread. */
int nuclio_ring_closed(const nuclio_ring* ring);

/* The longest frame that nuclio_ring_reserve() may have room for; longer ones are announced and go over the socket. */
size_t nuclio_ring_largest(const nuclio_ring* ring);
/* Room for a frame of `size` bytes, contiguous, at a multiple of 64; NULL when there is none until the processor has
 * taken something (nuclio_ring_wait_room) or `size` is above the largest. A second call before publish replaces the
 * first. What was there before is of no interest: write every byte, padding included. */
void* nuclio_ring_reserve(nuclio_ring* ring, size_t size);
/* Waits until nuclio_ring_reserve(size) has room. timeout_ms as in nuclio_ring_wait(). 0: try again, 1: timeout, -1:
 * errno, EPIPE when the ring was closed, EMSGSIZE when `size` is above the largest. Releases no lock either. */
int nuclio_ring_wait_room(nuclio_ring* ring, size_t size, int timeout_ms);
/* Hands over the frame in what was reserved last: a whole frame, head and body, of `size` <= reserved bytes. Wakes the
 * processor when it sleeps. The memory is the processor's from here on. */
void nuclio_ring_publish(nuclio_ring* ring, size_t size);
/* Says that the next frame, `size` bytes, follows over the socket: write it there right after. 0, or NULL's case of
 * reserve as -1 and EAGAIN: nuclio_ring_wait_room(ring, 0, ...) and try again. */
int nuclio_ring_announce(nuclio_ring* ring, size_t size);

#ifdef __cplusplus
}
#endif
#endif
