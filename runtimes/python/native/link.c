/* SPDX-License-Identifier: Apache-2.0 */
/* Connection, with the same methods as pure_connection.py's. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "native.h"

/* A head on the stack; longer ones, with many headers, are rare. */
enum { HEAD_SIZE = 4096 };

static PyTypeObject* type;
static freefunc release;

void link_closed(int error) { PyErr_SetString(known.closed, error ? strerror(error) : "the socket was closed"); }

/* Receiving */

int link_is_open(const link_object* link) {
  if (link->socket >= 0) return 1;
  PyErr_SetString(known.closed, "the connection is closed");
  return 0;
}

int link_take(link_object* link, nuclio_wire_frame* frame, PyObject** memory) {
  return link->ring ? ring_take(link, frame, memory) : socket_take(link, frame, memory);
}

int link_wait(link_object* link) {
  /* A signal that came since Python code ran last interrupts no wait that begins now. */
  if (PyErr_CheckSignals() != 0) return -1;
  if (link->ring) return ring_wait(link);
  return socket_read(link, 0) < 0 ? -1 : 0;
}

int link_is_cancelled(link_object* link, uint64_t call) {
  return link->ring ? nuclio_ring_cancelled(link->ring) == call : socket_is_cancelled(link, call);
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

static int lock(link_object* link) {
  if (!PyThread_acquire_lock(link->lock, NOWAIT_LOCK)) {
    Py_BEGIN_ALLOW_THREADS;
    PyThread_acquire_lock(link->lock, WAIT_LOCK);
    Py_END_ALLOW_THREADS;
  }
  if (link_is_open(link)) return 0;
  PyThread_release_lock(link->lock);
  return -1;
}

/* Writes one frame under the lock. */
static int write_frame(link_object* link, struct iovec* parts, int count) {
  if (lock(link) != 0) return -1;
  int result = link->ring ? ring_write(link, parts, count) : socket_write(link, parts, count);
  PyThread_release_lock(link->lock);
  return result;
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
  int result = write_frame(link, parts, 3);
  if (out != small) PyMem_Free(out);
  return result;
}

/* Methods */

static link_object* link_of(PyObject* object) { return (link_object*)object; }

/* What an event loop watches. */
static PyObject* fileno_(PyObject* self, PyObject* nothing) {
  (void)nothing;
  link_object* link = link_of(self);
  return PyLong_FromLong(link->ring ? nuclio_ring_descriptor(link->ring) : link->socket);
}

/* The ring goes only when nobody can be in the midst of it. */
static int close_link(link_object* link) {
  int result = link_settle(link);
  if (link->socket >= 0) close(link->socket);
  link->socket = -1;
  if (link->ring && PyThread_acquire_lock(link->lock, NOWAIT_LOCK)) {
    nuclio_ring_detach(link->ring);
    link->ring = NULL;
    PyThread_release_lock(link->lock);
  }
  return result;
}

static PyObject* close_(PyObject* self, PyObject* nothing) {
  (void)nothing;
  if (close_link(link_of(self)) != 0) return NULL;
  Py_RETURN_NONE;
}

/* A process that the handler forks neither holds the connection open nor writes to it. Another thread may have held the
 * lock, and does not exist there. */
static PyObject* leave_in_child(PyObject* self, PyObject* nothing) {
  PyThread_type_lock fresh = PyThread_allocate_lock();
  if (!fresh) return PyErr_NoMemory();
  link_of(self)->lock = fresh;
  return close_(self, nothing);
}

static PyObject* taken(link_object* link) {
  nuclio_wire_frame view;
  PyObject* memory;
  if (link_settle(link) != 0) return NULL;
  int got = link_take(link, &view, &memory);
  if (got < 0) return NULL;
  if (got == 0) Py_RETURN_NONE;
  /* Over a socket it has memory of its own, since more is read while a handler awaits. */
  if (!memory && !link->ring && !(memory = frame_copy(&view, &view))) return NULL;
  PyObject* frame = frame_new(&view, memory);
  if (frame && !memory) {
    Py_INCREF(frame);
    link->frame = frame;
  }
  Py_XDECREF(memory);
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
  link_object* link = link_of(self);
  if (link->ring) {
    nuclio_ring_woken(link->ring);
  } else if (socket_read(link, MSG_DONTWAIT) < 0) {
    return NULL;
  }
  Py_RETURN_NONE;
}

static PyObject* arm(PyObject* self, PyObject* nothing) {
  (void)nothing;
  link_object* link = link_of(self);
  return PyBool_FromLong(link->ring ? nuclio_ring_arm(link->ring) : socket_has_frame(link));
}

/* A ring that holds an event wakes nobody. */
static PyObject* tells(PyObject* self, PyObject* nothing) {
  (void)nothing;
  link_object* link = link_of(self);
  return PyBool_FromLong(!link->ring || !nuclio_ring_arm(link->ring));
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
  return type == NUCLIO_WIRE_CONTROL ||
         ((type == NUCLIO_WIRE_REPLY || type == NUCLIO_WIRE_CHUNK) && !(head->data[6] & NUCLIO_WIRE_MORE));
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
  return write_frame(link, parts, count);
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
  link_object* link = link_of(self);
  PyObject* made = frame ? event_new(&frame->view, frame->memory, link->raw) : NULL;
  if (made && !frame->memory) {
    Py_INCREF(made);
    link->event = made;
  }
  return made;
}

static PyObject* get_mapped(PyObject* self, void* closure) {
  (void)closure;
  return PyLong_FromSize_t(link_of(self)->ring ? nuclio_ring_mapped(link_of(self)->ring) : 0);
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

static int prepare_socket(int socket) {
  /* A program that the handler starts must not hold the socket open after the worker's death. */
  int flags = fcntl(socket, F_GETFL);
  if (flags >= 0 && fcntl(socket, F_SETFD, FD_CLOEXEC) == 0 && fcntl(socket, F_SETFL, flags & ~O_NONBLOCK) == 0)
    return 0;
  PyErr_SetFromErrno(PyExc_OSError);
  return -1;
}

/* Connection(descriptor, limit, raw, ring): takes over the descriptor, and the four in the tuple `ring` unless it is
 * empty. */
static PyObject* new_(PyTypeObject* subtype, PyObject* arguments, PyObject* named) {
  (void)named;
  int socket;
  unsigned int limit;
  int raw;
  PyObject* ring;
  if (!PyArg_ParseTuple(arguments, "iIpO!:Connection", &socket, &limit, &raw, &PyTuple_Type, &ring)) return NULL;
  int ends[4] = {-1, -1, -1, -1};
  if (PyTuple_Size(ring) > 0 && !PyArg_ParseTuple(ring, "iiii", &ends[0], &ends[1], &ends[2], &ends[3])) return NULL;
  PyObject* self = ((allocfunc)PyType_GetSlot(subtype, Py_tp_alloc))(subtype, 0);
  if (!self) return NULL;
  link_object* link = link_of(self);
  link->socket = socket;
  link->limit = limit;
  link->raw = (char)raw;
  link->lock = PyThread_allocate_lock();
  link->buffer = PyTuple_Size(ring) > 0 ? NULL : PyMem_Malloc(LINK_BUFFER);
  if (!link->lock || (!link->buffer && PyTuple_Size(ring) == 0)) PyErr_NoMemory();
  if (PyErr_Occurred() || prepare_socket(socket) != 0 ||
      (PyTuple_Size(ring) > 0 && ring_open(link, ends[0], ends[1], ends[2], ends[3]) != 0)) {
    Py_CLEAR(self);
  }
  return self;
}

static void destroy(PyObject* self) {
  link_object* link = link_of(self);
  if (link->lock) close_link(link);
  if (link->lock) PyThread_free_lock(link->lock);
  PyMem_Free(link->buffer);
  Py_XDECREF(link->large);
  Py_XDECREF(link->event);
  Py_XDECREF(link->frame);
  release(self);
  Py_DECREF(type);
}

int link_add_type(PyObject* module) {
  static PyGetSetDef attributes[] = {
      {"call", get_call, set_call, NULL, NULL}, {"mapped", get_mapped, NULL, NULL, NULL}, {NULL}};
  static PyMethodDef methods[] = {
      {"fileno", fileno_, METH_NOARGS, NULL},
      {"close", close_, METH_NOARGS, NULL},
      {"leave_in_child", leave_in_child, METH_NOARGS, NULL},
      {"take", take, METH_NOARGS, NULL},
      {"receive", receive, METH_NOARGS, NULL},
      {"read_ready", read_ready, METH_NOARGS, NULL},
      {"arm", arm, METH_NOARGS, NULL},
      {"tells", tells, METH_NOARGS, NULL},
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
