/* SPDX-License-Identifier: Apache-2.0 */
/* A connection's frames over its socket alone. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "native.h"

/* The kernel's limit for one call. */
enum { MOST_PARTS = 1024 };

/* Who sleeps in recv() on a Unix socket is also woken whenever the other side has read something, for nothing; who
 * sleeps in poll() is not. That saves two switches of context an event. */
static ssize_t await_and_receive(int socket, void* to, size_t room, int flags) {
  struct pollfd readable = {.fd = socket, .events = POLLIN};
  if (!(flags & MSG_DONTWAIT) && poll(&readable, 1, -1) < 0) return -1;
  return recv(socket, to, room, flags);
}

int socket_read(link_object* link, int flags) {
  if (!link_is_open(link)) return -1;
  uint8_t* to;
  size_t room;
  if (link->large) {
    to = (uint8_t*)PyBytes_AsString(link->large) + link->filled;
    room = (size_t)PyBytes_Size(link->large) - link->filled;
  } else {
    if (link->begin > 0) memmove(link->buffer, link->buffer + link->begin, link->end - link->begin);
    link->end -= link->begin;
    link->begin = 0;
    to = link->buffer + link->end;
    room = LINK_BUFFER - link->end;
  }
  ssize_t count;
  int error;
  int socket = link->socket;
  do {
    Py_BEGIN_ALLOW_THREADS;
    count = await_and_receive(socket, to, room, flags);
    error = errno;
    Py_END_ALLOW_THREADS;
    if (count < 0 && error == EINTR && PyErr_CheckSignals() != 0) return -1;
  } while (count < 0 && error == EINTR);
  if (count < 0 && (error == EAGAIN || error == EWOULDBLOCK)) return 0;
  if (count <= 0) {
    link_closed(count < 0 ? error : 0);
    return -1;
  }
  if (link->large) {
    link->filled += (size_t)count;
  } else {
    link->end += (size_t)count;
  }
  return 1;
}

static int decoded(link_object* link, const uint8_t* data, size_t size, nuclio_wire_frame* frame) {
  enum nuclio_wire_result result = nuclio_wire_decode(data, size, link->limit, frame);
  if (result == NUCLIO_WIRE_OK) return 1;
  frame_refuse(result);
  return -1;
}

/* A frame beyond the buffer's size gets memory of its own, which the event keeps: its body is copied once, when it is
 * read. */
static int begin_large(link_object* link, uint32_t length) {
  link->large = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)length);
  if (!link->large) return -1;
  link->filled = link->end - link->begin;
  memcpy(PyBytes_AsString(link->large), link->buffer + link->begin, link->filled);
  link->begin = link->end = 0;
  return 0;
}

int socket_take(link_object* link, nuclio_wire_frame* frame, PyObject** memory) {
  *memory = NULL;
  if (link->large) {
    size_t size = (size_t)PyBytes_Size(link->large);
    if (link->filled < size) return 0;
    *memory = link->large;
    link->large = NULL;
    if (decoded(link, (const uint8_t*)PyBytes_AsString(*memory), size, frame) == 1) return 1;
    Py_CLEAR(*memory);
    return -1;
  }
  uint32_t length;
  size_t have = link->end - link->begin;
  enum nuclio_wire_result result = nuclio_wire_length(link->buffer + link->begin, have, link->limit, &length);
  if (result == NUCLIO_WIRE_SHORT) return 0;
  if (result != NUCLIO_WIRE_OK) {
    frame_refuse(result);
    return -1;
  }
  if (have < length) return length > LINK_BUFFER ? begin_large(link, length) : 0;
  if (decoded(link, link->buffer + link->begin, length, frame) < 0) return -1;
  link->begin += length;
  return 1;
}

int socket_has_frame(const link_object* link) {
  if (link->large) return link->filled == (size_t)PyBytes_Size(link->large);
  uint32_t length;
  size_t have = link->end - link->begin;
  enum nuclio_wire_result result = nuclio_wire_length(link->buffer + link->begin, have, link->limit, &length);
  return result == NUCLIO_WIRE_OK ? have >= length : result != NUCLIO_WIRE_SHORT;
}

int socket_is_cancelled(link_object* link, uint64_t call) {
  nuclio_wire_frame frame;
  for (size_t at = link->begin; at < link->end; at += frame.length) {
    if (nuclio_wire_decode(link->buffer + at, link->end - at, link->limit, &frame) != NUCLIO_WIRE_OK) break;
    if (frame.type == NUCLIO_WIRE_CANCEL && frame.call == call) return 1;
  }
  return 0;
}

/* A short frame in one piece: to copy it costs less than the kernel takes for several. */
static int gather(struct iovec* parts, int count, uint8_t* to, size_t room) {
  size_t size = 0;
  for (int i = 0; i < count; ++i) {
    if (parts[i].iov_len > room - size) return 0;
    if (parts[i].iov_len > 0) memcpy(to + size, parts[i].iov_base, parts[i].iov_len);
    size += parts[i].iov_len;
  }
  parts[0].iov_base = to;
  parts[0].iov_len = size;
  return 1;
}

int socket_write(link_object* link, struct iovec* parts, int count) {
  int socket = link->socket;
  uint8_t piece[1024];
  if (count > 1 && gather(parts, count, piece, sizeof piece)) count = 1;
  int error = 0;
  int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
  while (count > 0) {
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)(count < MOST_PARTS ? count : MOST_PARTS)};
    ssize_t sent;
    if (flags & MSG_DONTWAIT) {
      sent = count == 1 ? send(socket, parts->iov_base, parts->iov_len, flags) : sendmsg(socket, &message, flags);
      error = errno;
    } else {
      Py_BEGIN_ALLOW_THREADS;
      sent = sendmsg(socket, &message, flags);
      error = errno;
      Py_END_ALLOW_THREADS;
    }
    if (sent < 0) {
      if (error == EINTR) continue; /* Python's handlers run when the frame is out: half of one is no place for them */
      if (error != EAGAIN && error != EWOULDBLOCK) {
        link_closed(error);
        return -1;
      }
      flags = MSG_NOSIGNAL;
      continue;
    }
    for (; count > 0 && (size_t)sent >= parts->iov_len; ++parts, --count) sent -= (ssize_t)parts->iov_len;
    if (count > 0) {
      parts->iov_base = (char*)parts->iov_base + sent;
      parts->iov_len -= (size_t)sent;
      flags = MSG_NOSIGNAL;
    }
  }
  return 0;
}
