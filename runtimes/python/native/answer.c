/* SPDX-License-Identifier: Apache-2.0 */
/* The usual answers: text, bytes, JSON, (status, body) and a Response of these. results.py has the rules for everything
 * a handler may return; what is odd is left to it. */
#include "native.h"

/* More headers than this are odd. */
enum { MOST_HEADERS = 32 };

/* An answer in the making. What the texts borrow from is held until it is sent. */
typedef struct {
  nuclio_wire_text content_type;
  nuclio_wire_text body;
  nuclio_wire_pair headers[MOST_HEADERS];
  int64_t status;
  int header_count;
  PyObject* held[4 + 2 * MOST_HEADERS];
  int held_count;
} draft;

static const nuclio_wire_text plain_text = {"text/plain", 10};
static const nuclio_wire_text json = {"application/json", 16};

/* Takes over a reference. */
static PyObject* hold(draft* d, PyObject* object) { return object ? d->held[d->held_count++] = object : NULL; }

static int take_text(PyObject* object, nuclio_wire_text* out) {
  Py_ssize_t length;
  out->data = PyUnicode_AsUTF8AndSize(object, &length);
  if (!out->data) {
    /* Surrogates: results.to_bytes() knows what to make of them. */
    PyErr_Clear();
    return 0;
  }
  out->length = (size_t)length;
  return 1;
}

static int take_bytes(PyObject* object, nuclio_wire_text* out) {
  out->data = PyBytes_AsString(object);
  out->length = (size_t)PyBytes_Size(object);
  return 1;
}

static int take_json(draft* d, PyObject* value) {
  PyObject* written = hold(d, PyObject_CallFunctionObjArgs(known.to_json, value, NULL));
  if (!written) return -1;
  d->content_type = json;
  return take_bytes(written, &d->body);
}

static int is_json(PyObject* value) { return PyDict_CheckExact(value) || PyList_CheckExact(value); }

static int take_status(PyObject* value, int64_t* status) {
  if (!PyLong_CheckExact(value)) return 0;
  *status = PyLong_AsLong(value);
  if (*status == -1 && PyErr_Occurred()) PyErr_Clear();
  return *status >= 100 && *status <= 999;
}

static int take_headers(draft* d, PyObject* headers) {
  if (!PyDict_CheckExact(headers) || PyDict_Size(headers) > MOST_HEADERS) return 0;
  PyObject* name;
  PyObject* value;
  for (Py_ssize_t at = 0; PyDict_Next(headers, &at, &name, &value);) {
    nuclio_wire_pair* pair = &d->headers[d->header_count++];
    if (!PyUnicode_CheckExact(name) || !PyUnicode_CheckExact(value)) return 0;
    if (!take_text(name, &pair->name) || !take_text(value, &pair->value)) return 0;
    /* The dictionary may change while the answer waits for the processor to read. */
    Py_INCREF(name);
    Py_INCREF(value);
    hold(d, name);
    hold(d, value);
  }
  return 1;
}

static int take_response(draft* d, PyObject* response) {
  PyObject* status = PyObject_GetAttr(response, known.status_code);
  int ok = status ? take_status(status, &d->status) : -1;
  Py_XDECREF(status);
  if (ok != 1) return ok;

  PyObject* event_id = PyObject_GetAttr(response, known.event_id);
  if (!event_id) return -1;
  Py_DECREF(event_id);
  if (event_id != Py_None) return 0;

  PyObject* headers = hold(d, PyObject_GetAttr(response, known.headers));
  ok = headers ? take_headers(d, headers) : -1;
  if (ok != 1) return ok;

  PyObject* body = hold(d, PyObject_GetAttr(response, known.body));
  if (!body) return -1;
  if (is_json(body)) return take_json(d, body);
  PyObject* content_type = hold(d, PyObject_GetAttr(response, known.content_type));
  if (!content_type) return -1;
  if (!PyUnicode_CheckExact(content_type) || !take_text(content_type, &d->content_type)) return 0;
  if (PyBytes_CheckExact(body)) return take_bytes(body, &d->body);
  return PyUnicode_CheckExact(body) ? take_text(body, &d->body) : 0;
}

/* 1: the draft is an answer. 0: it is odd. */
static int take_output(draft* d, PyObject* output) {
  if (PyUnicode_CheckExact(output)) return take_text(output, &d->body);
  if (PyBytes_CheckExact(output)) return take_bytes(output, &d->body);
  if (is_json(output)) return take_json(d, output);
  if ((PyObject*)Py_TYPE(output) == known.response) return take_response(d, output);
  if (!PyTuple_CheckExact(output) || PyTuple_Size(output) != 2) return 0;
  if (!take_status(PyTuple_GetItem(output, 0), &d->status)) return 0;
  PyObject* body = PyTuple_GetItem(output, 1);
  if (PyUnicode_CheckExact(body)) return take_text(body, &d->body);
  if (PyBytes_CheckExact(body)) return take_bytes(body, &d->body);
  return is_json(body) ? take_json(d, body) : 0;
}

int answer_send(link_object* link, uint64_t call, int64_t duration_ns, PyObject* output) {
  draft d;
  d.content_type = plain_text;
  d.status = 200;
  d.header_count = 0;
  d.held_count = 0;
  int result = take_output(&d, output);
  if (result == 1) {
    int64_t numbers[] = {d.status, duration_ns};
    nuclio_wire_head head = {
        .type = NUCLIO_WIRE_REPLY,
        .call = call,
        .number = numbers,
        .numbers = 2,
        .string = &d.content_type,
        .strings = 1,
        .header = d.headers,
        .headers = (uint16_t)d.header_count,
        .body_length = d.body.length,
    };
    if (link_settle(link) != 0 || link_send(link, &head, d.body.data) != 0) result = -1;
  }
  while (d.held_count > 0) Py_DECREF(d.held[--d.held_count]);
  return result;
}
