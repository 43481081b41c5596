/* SPDX-License-Identifier: Apache-2.0 */
/* A connection's frames through memory that it shares with the processor. Frames of events are lent until their call is
 * answered; what is too large for the memory goes over the socket, announced in the ring. */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "native.h"

int ring_open(link_object* link, int channel, int events, int wake_worker, int wake_processor) {
  link->ring = nuclio_ring_attach(channel, events, wake_worker, wake_processor);
  /* A worker that dies with its parent need not look for its end at every sleep. */
  int signal = 0;
  if (link->ring && (prctl(PR_GET_PDEATHSIG, &signal) != 0 || signal == 0) &&
      nuclio_ring_watch(link->ring, link->socket) != 0) {
    nuclio_ring_detach(link->ring);
    link->ring = NULL;
  }
  if (!link->ring) {
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
  }
  link->limit = nuclio_ring_frame_limit(link->ring);
  return 0;
}

/* An announced frame, all of it. */
static PyObject* read_announced(link_object* link, uint32_t size) {
  PyObject* memory = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
  if (!memory) return NULL;
  char* data = PyBytes_AsString(memory);
  int socket = link->socket;
  for (size_t filled = 0; filled < size;) {
    ssize_t count;
    int error;
    Py_BEGIN_ALLOW_THREADS;
    count = recv(socket, data + filled, size - filled, MSG_WAITALL);
    error = errno;
    Py_END_ALLOW_THREADS;
    if (count > 0) {
      filled += (size_t)count;
    } else if (count == 0 || error != EINTR) {
      link_closed(count < 0 ? error : 0);
      Py_CLEAR(memory);
      break;
    } else if (PyErr_CheckSignals() != 0) {
      Py_CLEAR(memory);
      break;
    }
  }
  return memory;
}

static int decoded(link_object* link, const void* data, uint32_t size, nuclio_wire_frame* frame) {
  size_t arena_size;
  const void* arena = nuclio_ring_events(link->ring, &arena_size);
  enum nuclio_wire_result result = nuclio_wire_decode_shared(data, size, link->limit, arena, arena_size, frame);
  if (result == NUCLIO_WIRE_OK) return 1;
  frame_refuse(result);
  return -1;
}

int ring_take(link_object* link, nuclio_wire_frame* frame, PyObject** memory) {
  *memory = NULL;
  if (!link_is_open(link)) return -1;
  const void* data;
  uint32_t size;
  switch (nuclio_ring_take(link->ring, &data, &size)) {
    case NUCLIO_RING_FRAME: return decoded(link, data, size, frame);
    case NUCLIO_RING_EMPTY: return 0;
    case NUCLIO_RING_CLOSED: link_closed(0); return -1;
    case NUCLIO_RING_SOCKET: break;
    case NUCLIO_RING_BROKEN: PyErr_SetString(known.frame_error, "bad_ring"); return -1;
  }
  *memory = read_announced(link, size);
  if (*memory && decoded(link, PyBytes_AsString(*memory), size, frame) == 1) return 1;
  Py_CLEAR(*memory);
  return -1;
}

int ring_wait(link_object* link) {
  if (!link_is_open(link)) return -1;
  nuclio_ring* ring = link->ring;
  int result;
  int error;
  Py_BEGIN_ALLOW_THREADS;
  result = nuclio_ring_wait(ring, -1);
  error = errno;
  Py_END_ALLOW_THREADS;
  if (result >= 0) return 0;
  if (error == EINTR) return PyErr_CheckSignals();
  link_closed(error);
  return -1;
}

/* Room for a frame, or for the announcement of one. Signals wait: a frame is sent whole or not at all. */
static int wait_room(link_object* link, size_t size) {
  nuclio_ring* ring = link->ring;
  int result;
  int error;
  Py_BEGIN_ALLOW_THREADS;
  result = nuclio_ring_wait_room(ring, size, -1);
  error = errno;
  Py_END_ALLOW_THREADS;
  if (result >= 0 || error == EINTR) return 0;
  link_closed(error);
  return -1;
}

int ring_write(link_object* link, struct iovec* parts, int count) {
  size_t size = 0;
  for (int i = 0; i < count; ++i) size += parts[i].iov_len;
  if (size > nuclio_ring_largest(link->ring)) {
    while (nuclio_ring_announce(link->ring, size) != 0) {
      if (wait_room(link, 0) != 0) return -1;
    }
    return socket_write(link, parts, count);
  }
  char* to;
  while (!(to = nuclio_ring_reserve(link->ring, size))) {
    if (wait_room(link, size) != 0) return -1;
  }
  for (int i = 0; i < count; ++i) {
    memcpy(to, parts[i].iov_base, parts[i].iov_len);
    to += parts[i].iov_len;
  }
  nuclio_ring_publish(link->ring, size);
  return 0;
}
