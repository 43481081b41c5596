/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of a worker whose handler is a plain function. Whatever is not an event with a usual answer is handed to the
 * Worker of worker.py. */
#include <time.h>

#include "native.h"

/* time.perf_counter_ns(). */
static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The exception that is set, with its traceback, as an object. */
static PyObject* caught(void) {
  PyObject* type;
  PyObject* error;
  PyObject* trace;
  PyErr_Fetch(&type, &error, &trace);
  PyErr_NormalizeException(&type, &error, &trace);
  if (trace) PyException_SetTraceback(error, trace);
  Py_XDECREF(trace);
  Py_DECREF(type);
  return error;
}

/* worker.failed(call, begun, error), unless the exception is one that ends the worker. */
static PyObject* failed(PyObject* worker, uint64_t call, int64_t begun) {
  if (!PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(known.closed)) return NULL;
  PyObject* error = caught();
  PyObject* result = PyObject_CallMethod(worker, "failed", "KLO", (unsigned long long)call, (long long)begun, error);
  Py_DECREF(error);
  return result;
}

static PyObject* handled(link_object* link, PyObject* handler, PyObject* context, PyObject* worker, uint64_t call) {
  int64_t begun = now();
  PyObject* output = PyObject_CallFunctionObjArgs(handler, context, link->event, NULL);
  if (!output) return failed(worker, call, begun);
  int sent = answer_send(link, call, now() - begun, output);
  PyObject* result;
  if (sent == 1) {
    Py_INCREF(Py_False);
    result = Py_False;
  } else if (sent < 0) {
    result = failed(worker, call, begun);
  } else {
    result = PyObject_CallMethod(worker, "finish", "KLO", (unsigned long long)call, (long long)begun, output);
  }
  Py_DECREF(output);
  return result;
}

/* Each of these gives an object that is true when the loop is to end, and NULL with an exception. */
static PyObject* event(link_object* link, PyObject* handler, PyObject* context, PyObject* worker,
                       const nuclio_wire_frame* frame, PyObject* memory) {
  if (link_is_cancelled(link, frame->call)) {
    return PyObject_CallMethod(worker, "dropped", "K", (unsigned long long)frame->call);
  }
  link->event = event_new(frame, memory, link->raw);
  if (!link->event) return NULL;
  link->call = frame->call;
  PyObject* result = handled(link, handler, context, worker, frame->call);
  link->call = 0;
  /* All paths answered, and so settled, unless an exception ends the worker. */
  Py_CLEAR(link->event);
  return result;
}

static PyObject* other(PyObject* worker, const nuclio_wire_frame* view, PyObject* memory) {
  PyObject* frame = frame_new(view, memory);
  if (!frame) return NULL;
  PyObject* result = PyObject_CallMethod(worker, "other", "O", frame);
  frame_forget(frame);
  Py_DECREF(frame);
  return result;
}

PyObject* serve(PyObject* self, PyObject* arguments) {
  link_object* link = (link_object*)self;
  PyObject* handler;
  PyObject* context;
  PyObject* worker;
  if (!PyArg_ParseTuple(arguments, "OOO:serve", &handler, &context, &worker)) return NULL;
  for (;;) {
    nuclio_wire_frame frame;
    PyObject* memory;
    int got = link_take(link, &frame, &memory);
    if (got == 0) got = link_wait(link) == 0 ? 0 : -1;
    if (got < 0) return NULL;
    if (got == 0) continue;
    PyObject* result = frame.type == NUCLIO_WIRE_EVENT ? event(link, handler, context, worker, &frame, memory)
                                                       : other(worker, &frame, memory);
    Py_XDECREF(memory);
    if (!result) return NULL;
    int ends = PyObject_IsTrue(result);
    Py_DECREF(result);
    if (ends != 0) break;
  }
  if (PyErr_Occurred()) return NULL;
  Py_RETURN_NONE;
}

PyObject* answer(PyObject* self, PyObject* arguments) {
  unsigned long long call;
  long long duration_ns;
  PyObject* output;
  if (!PyArg_ParseTuple(arguments, "KLO:answer", &call, &duration_ns, &output)) return NULL;
  int sent = answer_send((link_object*)self, call, duration_ns, output);
  return sent < 0 ? NULL : PyBool_FromLong(sent);
}
