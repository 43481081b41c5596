/* SPDX-License-Identifier: Apache-2.0 */
/* Connection, with the same methods as connection.py's. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "native.h"

/* One read takes several small frames; a longer frame is read straight into memory of its own. */
enum { READ_SIZE = 64 << 10 };
/* A head on the stack; longer ones, with many headers, are rare. */
enum { HEAD_SIZE = 4096 };
/* The kernel's limit for one call. */
enum { MOST_PARTS = 1024 };

static PyTypeObject* type;
static freefunc release;

void link_closed(int error) { PyErr_SetString(known.closed, error ? strerror(error) : "the socket was closed"); }

/* Receiving */

static int is_open(const link_object* link) {
  if (link->socket >= 0) return 1;
  PyErr_SetString(known.closed, "the connection is closed");
  return 0;
}

/* Reads once. 1: something came. 0: nothing was there and `flags` said not to wait. */
static int socket_read(link_object* link, int flags) {
  if (!is_open(link)) return -1;
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
    room = READ_SIZE - link->end;
  }
  ssize_t count;
  int error;
  int socket = link->socket;
  do {
    Py_BEGIN_ALLOW_THREADS;
    count = recv(socket, to, room, flags);
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

int link_take(link_object* link, nuclio_wire_frame* frame, PyObject** memory) {
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
  if (have < length) return length > READ_SIZE ? begin_large(link, length) : 0;
  if (decoded(link, link->buffer + link->begin, length, frame) < 0) return -1;
  link->begin += length;
  return 1;
}

int link_wait(link_object* link) { return socket_read(link, 0) < 0 ? -1 : 0; }

int link_is_cancelled(link_object* link, uint64_t call) {
  nuclio_wire_frame frame;
  for (size_t at = link->begin; at < link->end; at += frame.length) {
    if (nuclio_wire_decode(link->buffer + at, link->end - at, link->limit, &frame) != NUCLIO_WIRE_OK) break;
    if (frame.type == NUCLIO_WIRE_CANCEL && frame.call == call) return 1;
  }
  return 0;
}

int link_settle(link_object* link) {
  if (link->frame) {
    frame_forget(link->frame);
    Py_CLEAR(link->frame);
  }
  if (!link->event) return 0;
  int result = event_keep(link->event);
  Py_CLEAR(link->event);
  return result;
}

/* Sending */

/* Also sends what is left after an interruption. Holds the lock; the GIL is released when it has to wait. */
static int write_all(link_object* link, struct iovec* parts, int count) {
  int socket = link->socket;
  int error = 0;
  int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
  while (count > 0) {
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)(count < MOST_PARTS ? count : MOST_PARTS)};
    ssize_t sent;
    if (flags & MSG_DONTWAIT) {
      sent = sendmsg(socket, &message, flags);
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

static int lock(link_object* link) {
  if (!PyThread_acquire_lock(link->lock, NOWAIT_LOCK)) {
    Py_BEGIN_ALLOW_THREADS;
    PyThread_acquire_lock(link->lock, WAIT_LOCK);
    Py_END_ALLOW_THREADS;
  }
  if (is_open(link)) return 0;
  PyThread_release_lock(link->lock);
  return -1;
}

int link_send(link_object* link, const nuclio_wire_head* head, const void* body) {
  static const char zeros[8];
  size_t head_size = nuclio_wire_head_size(head, UINT32_MAX);
  if (!head_size) {
    PyErr_SetString(PyExc_ValueError, "the answer is larger than 4 GiB");
    return -1;
  }
  char small[HEAD_SIZE];
  char* out = head_size <= sizeof small ? small : PyMem_Malloc(head_size);
  if (!out) {
    PyErr_NoMemory();
    return -1;
  }
  nuclio_wire_encode(head, UINT32_MAX, out);
  struct iovec parts[3] = {
      {out, head_size}, {(void*)body, head->body_length}, {(void*)zeros, nuclio_wire_padding(head->body_length)}};
  int result = lock(link);
  if (result == 0) {
    result = write_all(link, parts, 3);
    PyThread_release_lock(link->lock);
  }
  if (out != small) PyMem_Free(out);
  return result;
}

/* Methods */

static link_object* link_of(PyObject* object) { return (link_object*)object; }

static PyObject* fileno_(PyObject* self, PyObject* nothing) {
  (void)nothing;
  return PyLong_FromLong(link_of(self)->socket);
}

static void close_socket(link_object* link) {
  if (link->socket >= 0) close(link->socket);
  link->socket = -1;
}

static PyObject* close_(PyObject* self, PyObject* nothing) {
  (void)nothing;
  close_socket(link_of(self));
  Py_RETURN_NONE;
}

/* A process that the handler forks neither holds the socket open nor writes to it. Another thread may have held the
 * lock, and does not exist there. */
static PyObject* leave_in_child(PyObject* self, PyObject* nothing) {
  (void)nothing;
  PyThread_type_lock fresh = PyThread_allocate_lock();
  if (!fresh) return PyErr_NoMemory();
  link_of(self)->lock = fresh;
  close_socket(link_of(self));
  Py_RETURN_NONE;
}

/* What is taken for the Python half has memory of its own over a socket: it may read on while a handler awaits. */
static PyObject* taken(link_object* link) {
  nuclio_wire_frame view;
  PyObject* memory;
  int got = link_take(link, &view, &memory);
  if (got < 0) return NULL;
  if (got == 0) Py_RETURN_NONE;
  if (!memory) {
    memory = PyBytes_FromStringAndSize((const char*)view.data, (Py_ssize_t)view.length);
    if (!memory) return NULL;
    const uint8_t* data = (const uint8_t*)PyBytes_AsString(memory);
    view.body = data + (view.body - view.data);
    view.data = data;
  }
  PyObject* frame = frame_new(&view, memory);
  Py_DECREF(memory);
  return frame;
}

static PyObject* take(PyObject* self, PyObject* nothing) {
  (void)nothing;
  return taken(link_of(self));
}

static PyObject* receive(PyObject* self, PyObject* nothing) {
  (void)nothing;
  for (;;) {
    PyObject* frame = taken(link_of(self));
    if (frame != Py_None) return frame;
    Py_DECREF(frame);
    if (link_wait(link_of(self)) != 0) return NULL;
  }
}

static PyObject* read_ready(PyObject* self, PyObject* nothing) {
  (void)nothing;
  if (socket_read(link_of(self), MSG_DONTWAIT) < 0) return NULL;
  Py_RETURN_NONE;
}

static PyObject* has_more(PyObject* self, PyObject* nothing) {
  (void)nothing;
  return PyBool_FromLong(link_of(self)->begin < link_of(self)->end);
}

static PyObject* is_cancelled(PyObject* self, PyObject* call) {
  unsigned long long number = PyLong_AsUnsignedLongLong(call);
  if (PyErr_Occurred()) return NULL;
  return PyBool_FromLong(link_is_cancelled(link_of(self), number));
}

/* What was lent for a call ends with the last frame of its answer. */
static int ends_call(const nuclio_wire_text* head) {
  if (head->length < NUCLIO_WIRE_HEADER_SIZE) return 0;
  uint8_t type = (uint8_t)head->data[4];
  return (type == NUCLIO_WIRE_REPLY || type == NUCLIO_WIRE_CHUNK) && !(head->data[6] & NUCLIO_WIRE_MORE);
}

static int send_parts(link_object* link, PyObject* tuple, struct iovec* parts, int count) {
  for (int i = 0; i < count; ++i) {
    char* data;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(PyTuple_GetItem(tuple, i), &data, &length) != 0) return -1;
    parts[i].iov_base = data;
    parts[i].iov_len = (size_t)length;
  }
  nuclio_wire_text first = {parts->iov_base, parts->iov_len};
  if (count > 0 && ends_call(&first) && link_settle(link) != 0) return -1;
  if (lock(link) != 0) return -1;
  int result = write_all(link, parts, count);
  PyThread_release_lock(link->lock);
  return result;
}

static PyObject* send_(PyObject* self, PyObject* sequence) {
  PyObject* tuple = PySequence_Tuple(sequence);
  if (!tuple) return NULL;
  Py_ssize_t count = PyTuple_Size(tuple);
  struct iovec few[32];
  struct iovec* parts = count <= 32 ? few : PyMem_Malloc((size_t)count * sizeof *parts);
  int result = -1;
  if (parts) {
    result = send_parts(link_of(self), tuple, parts, (int)count);
  } else {
    PyErr_NoMemory();
  }
  if (parts != few) PyMem_Free(parts);
  Py_DECREF(tuple);
  if (result != 0) return NULL;
  Py_RETURN_NONE;
}

static PyObject* event(PyObject* self, PyObject* object) {
  frame_object* frame = frame_of(object);
  return frame ? event_new(&frame->view, frame->memory, link_of(self)->raw) : NULL;
}

static PyObject* get_call(PyObject* self, void* closure) {
  (void)closure;
  return PyLong_FromUnsignedLongLong(link_of(self)->call);
}

static int set_call(PyObject* self, PyObject* value, void* closure) {
  (void)closure;
  unsigned long long call = value ? PyLong_AsUnsignedLongLong(value) : 0;
  if (PyErr_Occurred()) return -1;
  link_of(self)->call = call;
  return 0;
}

/* Connection(descriptor, limit, raw): takes over the descriptor. */
static PyObject* new_(PyTypeObject* subtype, PyObject* arguments, PyObject* named) {
  (void)named;
  int descriptor;
  unsigned int limit;
  int raw;
  if (!PyArg_ParseTuple(arguments, "iIp:Connection", &descriptor, &limit, &raw)) return NULL;
  /* A program that the handler starts must not hold the socket open after the worker's death. */
  int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0 || fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0 || fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK) != 0)
    return PyErr_SetFromErrno(PyExc_OSError);
  PyObject* self = ((allocfunc)PyType_GetSlot(subtype, Py_tp_alloc))(subtype, 0);
  if (!self) return NULL;
  link_object* link = link_of(self);
  link->socket = -1;
  link->limit = limit;
  link->raw = (char)raw;
  link->lock = PyThread_allocate_lock();
  link->buffer = PyMem_Malloc(READ_SIZE);
  if (!link->lock || !link->buffer) {
    Py_DECREF(self);
    return PyErr_NoMemory();
  }
  link->socket = descriptor;
  return self;
}

static void destroy(PyObject* self) {
  link_object* link = link_of(self);
  close_socket(link);
  if (link->lock) PyThread_free_lock(link->lock);
  PyMem_Free(link->buffer);
  Py_XDECREF(link->large);
  Py_XDECREF(link->event);
  Py_XDECREF(link->frame);
  release(self);
  Py_DECREF(type);
}

int link_add_type(PyObject* module) {
  static PyGetSetDef attributes[] = {{"call", get_call, set_call, NULL, NULL}, {NULL}};
  static PyMethodDef methods[] = {
      {"fileno", fileno_, METH_NOARGS, NULL},
      {"close", close_, METH_NOARGS, NULL},
      {"leave_in_child", leave_in_child, METH_NOARGS, NULL},
      {"take", take, METH_NOARGS, NULL},
      {"receive", receive, METH_NOARGS, NULL},
      {"read_ready", read_ready, METH_NOARGS, NULL},
      {"has_more", has_more, METH_NOARGS, NULL},
      {"is_cancelled", is_cancelled, METH_O, NULL},
      {"send", send_, METH_O, NULL},
      {"event", event, METH_O, NULL},
      {"serve", serve, METH_VARARGS, NULL},
      {"answer", answer, METH_VARARGS, NULL},
      {NULL},
  };
  PyType_Slot slots[] = {
      {Py_tp_new, new_}, {Py_tp_dealloc, destroy}, {Py_tp_getset, attributes}, {Py_tp_methods, methods}, {0, NULL},
  };
  PyType_Spec spec = {
      .name = "nuclio_worker._native.Connection",
      .basicsize = (int)sizeof(link_object),
      .flags = Py_TPFLAGS_DEFAULT,
      .slots = slots,
  };
  type = (PyTypeObject*)PyType_FromModuleAndSpec(module, &spec, NULL);
  if (!type) return -1;
  release = (freefunc)PyType_GetSlot(type, Py_tp_free);
  Py_INCREF(type);
  return PyModule_AddObject(module, "Connection", (PyObject*)type);
}
