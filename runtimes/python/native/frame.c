/* SPDX-License-Identifier: Apache-2.0 */
/* A frame as the Python half of the worker sees it: what kind it is, its call, its numbers, the frames within. */
#include <string.h>

#include "native.h"

static PyTypeObject* type;
static allocfunc allocate;
static freefunc release;

PyObject* frame_new(const nuclio_wire_frame* view, PyObject* memory) {
  PyObject* object = allocate(type, 0);
  if (!object) return NULL;
  frame_object* frame = (frame_object*)object;
  frame->view = *view;
  Py_XINCREF(memory);
  frame->memory = memory;
  return object;
}

frame_object* frame_of(PyObject* object) {
  if (Py_TYPE(object) == type) return (frame_object*)object;
  PyErr_SetString(PyExc_TypeError, "not a Frame");
  return NULL;
}

void frame_forget(PyObject* object) {
  frame_object* frame = (frame_object*)object;
  if (frame->memory) return;
  frame->view.numbers = frame->view.strings = frame->view.headers = frame->view.fields = 0;
  frame->view.body_length = 0;
}

void frame_refuse(enum nuclio_wire_result result) {
  static const char* const reasons[] = {
      [NUCLIO_WIRE_OK] = "ok",
      [NUCLIO_WIRE_SHORT] = "short",
      [NUCLIO_WIRE_TOO_LONG] = "too_long",
      [NUCLIO_WIRE_BAD_LENGTH] = "bad_length",
      [NUCLIO_WIRE_BAD_VERSION] = "bad_version",
      [NUCLIO_WIRE_BAD_TYPE] = "bad_type",
      [NUCLIO_WIRE_BAD_FLAGS] = "bad_flags",
      [NUCLIO_WIRE_BAD_TABLE] = "bad_table",
      [NUCLIO_WIRE_BAD_STRING] = "bad_string",
      [NUCLIO_WIRE_BAD_BODY] = "bad_body",
      [NUCLIO_WIRE_BAD_NESTED] = "bad_nested",
  };
  PyObject* error = PyObject_CallFunction(known.frame_error, "s", reasons[result]);
  if (!error) return;
  PyErr_SetObject(known.frame_error, error);
  Py_DECREF(error);
}

PyObject* frame_copy(const nuclio_wire_frame* from, nuclio_wire_frame* to) {
  /* A body in shared memory is not within the frame. */
  size_t apart = from->flags & NUCLIO_WIRE_SHARED ? from->body_length : 0;
  PyObject* memory = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(from->length + apart));
  if (!memory) return NULL;
  uint8_t* data = (uint8_t*)PyBytes_AsString(memory);
  memcpy(data, from->data, from->length);
  size_t body_at = apart ? from->length : (size_t)(from->body - from->data);
  if (apart) memcpy(data + body_at, from->body, apart);
  *to = *from;
  to->data = data;
  to->body = data + body_at;
  return memory;
}

static void destroy(PyObject* object) {
  Py_XDECREF(((frame_object*)object)->memory);
  release(object);
  Py_DECREF(type);
}

static PyObject* get_type(PyObject* object, void* closure) {
  (void)closure;
  return PyLong_FromLong(((frame_object*)object)->view.type);
}

static PyObject* get_call(PyObject* object, void* closure) {
  (void)closure;
  return PyLong_FromUnsignedLongLong(((frame_object*)object)->view.call);
}

static PyObject* number(PyObject* object, PyObject* arguments) {
  Py_ssize_t index;
  long long absent = 0;
  if (!PyArg_ParseTuple(arguments, "n|L:number", &index, &absent)) return NULL;
  return PyLong_FromLongLong(nuclio_wire_number(&((frame_object*)object)->view, (size_t)index, absent));
}

/* The frames in the body of a nested one. They have memory of their own, since a list of events is often kept. */
static PyObject* inner(PyObject* object, PyObject* nothing) {
  (void)nothing;
  const nuclio_wire_frame* outer = &((frame_object*)object)->view;
  PyObject* all = PyList_New(0);
  nuclio_wire_frame one;
  for (size_t position = 0; all && nuclio_wire_next(outer, &position, &one);) {
    PyObject* memory = frame_copy(&one, &one);
    PyObject* frame = memory ? frame_new(&one, memory) : NULL;
    Py_XDECREF(memory);
    if (!frame || PyList_Append(all, frame) != 0) Py_CLEAR(all);
    Py_XDECREF(frame);
  }
  return all;
}

int frame_add_type(PyObject* module) {
  static PyGetSetDef attributes[] = {
      {"type", get_type, NULL, NULL, NULL},
      {"call", get_call, NULL, NULL, NULL},
      {NULL},
  };
  static PyMethodDef methods[] = {
      {"number", number, METH_VARARGS, NULL},
      {"inner", inner, METH_NOARGS, NULL},
      {NULL},
  };
  PyType_Slot slots[] = {{Py_tp_dealloc, destroy}, {Py_tp_getset, attributes}, {Py_tp_methods, methods}, {0, NULL}};
  PyType_Spec spec = {
      .name = "nuclio_worker._native.Frame",
      .basicsize = (int)sizeof(frame_object),
      .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
      .slots = slots,
  };
  type = (PyTypeObject*)PyType_FromModuleAndSpec(module, &spec, NULL);
  if (!type) return -1;
  allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
  release = (freefunc)PyType_GetSlot(type, Py_tp_free);
  return 0;
}
