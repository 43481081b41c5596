/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled half of nuclio_worker: a lazy Event, the connection to the processor and the loop that serves plain
 * handlers. It is built once, for the stable ABI of CPython 3.10; what Python loads it finds everything in it by the
 * same names as in the pure modules, which remain for other interpreters.
 *
 * All functions want the GIL, unless they say otherwise. As in CPython's API, NULL and -1 mean that an exception is
 * set. */
#ifndef NUCLIO_NATIVE_H
#define NUCLIO_NATIVE_H
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <sys/uio.h>

#include "nuclio_ring.h"
#include "nuclio_wire.h"

/* What is looked up once, when the module is imported. */
typedef struct {
  PyObject* closed;      /* connection.Closed */
  PyObject* frame_error; /* frames.FrameError */
  PyObject* response;    /* nuclio_sdk.Response */
  PyObject* trigger_info;
  PyObject* parsed;   /* event.parsed: a JSON body */
  PyObject* restored; /* event.restored: an SDK event of a dictionary */
  PyObject* epoch;
  PyObject* timedelta;
  PyObject* to_json; /* results.to_json: bytes */
  PyObject* body;    /* names */
  PyObject* content_type;
  PyObject* status_code;
  PyObject* headers;
  PyObject* event_id;
} nuclio_known;
extern nuclio_known known;

/* event.c */

/* Adds the type Event to the module. */
int event_add_type(PyObject* module);
/* An event over `frame`. `memory` is what the frame points into, a bytes object, and is kept; NULL when the frame is
 * lent, until event_keep(). `raw` leaves texts bytes. */
PyObject* event_new(const nuclio_wire_frame* frame, PyObject* memory, int raw);
/* The frame's lender wants it back: copies it when anyone but the caller has the event, so that later reads are right.
 */
int event_keep(PyObject* event);

/* frame.c */

typedef struct {
  PyObject_HEAD nuclio_wire_frame view;
  PyObject* memory; /* what view points into; NULL when it is lent */
} frame_object;

int frame_add_type(PyObject* module);
/* `memory` as for event_new(). */
PyObject* frame_new(const nuclio_wire_frame* view, PyObject* memory);
/* The view of a Frame, NULL and TypeError when it is none. */
frame_object* frame_of(PyObject* object);
/* A bytes object with all of a frame; `to`, which may be `from`, becomes the view of it. */
PyObject* frame_copy(const nuclio_wire_frame* from, nuclio_wire_frame* to);
/* From here on a lent frame has no texts, numbers and body. */
void frame_forget(PyObject* frame);
/* Raises FrameError with the name of what is wrong. */
void frame_refuse(enum nuclio_wire_result result);

/* link.c */

/* How much one read takes from the socket: several small frames. */
enum { LINK_BUFFER = 64 << 10 };

typedef struct {
  PyObject_HEAD int socket; /* -1 when closed */
  nuclio_ring* ring;        /* NULL: all goes over the socket */
  uint32_t limit;           /* of a frame's length */
  char raw;                 /* texts of events stay bytes */
  uint64_t call;            /* being handled, 0 between calls */
  PyObject* event;          /* of that call while it may be lent memory */
  PyObject* frame;          /* likewise */
  PyThread_type_lock lock;  /* held by who sends */
  uint8_t* buffer;          /* what was read from the socket and not yet taken: from begin to end */
  size_t begin;
  size_t end;
  PyObject* large; /* a frame beyond the buffer's size, bytes of its size; filled up to `filled` */
  size_t filled;
} link_object;

int link_add_type(PyObject* module);
/* Takes the next frame that is here: 1, or 0 when there is none. `memory` gets a bytes object that holds it, or NULL
 * when the frame is lent until link_settle(). */
int link_take(link_object* link, nuclio_wire_frame* frame, PyObject** memory);
/* Waits, without the GIL, until something may be here. Signal handlers run. */
int link_wait(link_object* link);
/* Whether the processor gave up this call, as far as is known here. */
int link_is_cancelled(link_object* link, uint64_t call);
/* To be called before the last frame of an answer goes out: what was lent for the call ends with it. */
int link_settle(link_object* link);
/* Sends a frame whose body follows its head. Waits, without the GIL, while the processor does not read. */
int link_send(link_object* link, const nuclio_wire_head* head, const void* body);
/* False with Closed. */
int link_is_open(const link_object* link);
/* Raises Closed with the text of an errno, 0 being the end of the connection. */
void link_closed(int error);

/* socket.c, and ring.c for a link with a ring: as the link's functions of these names */

int socket_take(link_object* link, nuclio_wire_frame* frame, PyObject** memory);
int ring_take(link_object* link, nuclio_wire_frame* frame, PyObject** memory);
/* Reads once, without the GIL. 1: something came. 0: nothing was there and `flags` said not to wait. */
int socket_read(link_object* link, int flags);
int ring_wait(link_object* link);
/* Whether socket_take() would give a frame, or refuse one. */
int socket_has_frame(const link_object* link);
int socket_is_cancelled(link_object* link, uint64_t call);
/* Writes one frame; changes `parts`. The caller holds the lock. Waits without the GIL. */
int socket_write(link_object* link, struct iovec* parts, int count);
int ring_write(link_object* link, struct iovec* parts, int count);
/* Attaches; takes over the descriptors. */
int ring_open(link_object* link, int channel, int events, int wake_worker, int wake_processor);

/* answer.c */

/* Answers with what a handler returned, by the rules of results.py: 1, or 0 when it is one of the kinds that are left
 * to them, and then nothing was sent. */
int answer_send(link_object* link, uint64_t call, int64_t duration_ns, PyObject* output);

/* serve.c */

/* Connection.serve and Connection.answer. */
PyObject* serve(PyObject* link, PyObject* arguments);
PyObject* answer(PyObject* link, PyObject* arguments);

/* fork.c: functions of the module */

/* receive_order(socket) → (bytes, [descriptors]) of one packet, which has no bytes at the end. Waits without the GIL.
 */
PyObject* receive_order(PyObject* module, PyObject* arguments);
/* fork_worker() → a process id in the parent, 0 in the child: a child of the caller's parent, with which it dies, in a
 * process group of its own. */
PyObject* fork_worker(PyObject* module, PyObject* nothing);
/* limit_worker(memory, descriptors): bytes of address space, and how many; 0 is no limit. For this process. */
PyObject* limit_worker(PyObject* module, PyObject* arguments);

#endif
