/* SPDX-License-Identifier: Apache-2.0 */
#include "native.h"

nuclio_known known;

static PyObject* find(const char* module_name, const char* name) {
  PyObject* module = PyImport_ImportModule(module_name);
  PyObject* found = module ? PyObject_GetAttrString(module, name) : NULL;
  Py_XDECREF(module);
  return found;
}

static int find_all(void) {
  PyObject* datetime = find("datetime", "datetime");
  known.epoch = datetime ? PyObject_CallFunction(datetime, "iii", 1970, 1, 1) : NULL;
  Py_XDECREF(datetime);
  known.timedelta = find("datetime", "timedelta");
  known.closed = find("nuclio_worker.connection", "Closed");
  known.frame_error = find("nuclio_worker.frames", "FrameError");
  known.response = find("nuclio_sdk", "Response");
  known.trigger_info = find("nuclio_sdk", "TriggerInfo");
  known.parsed = find("nuclio_worker.event", "parsed");
  known.restored = find("nuclio_worker.event", "restored");
  known.to_json = find("nuclio_worker.results", "to_json");
  known.body = PyUnicode_InternFromString("body");
  known.content_type = PyUnicode_InternFromString("content_type");
  known.status_code = PyUnicode_InternFromString("status_code");
  known.headers = PyUnicode_InternFromString("headers");
  known.event_id = PyUnicode_InternFromString("event_id");
  return PyErr_Occurred() ? -1 : 0;
}

PyMODINIT_FUNC PyInit__native(void) {
  static PyMethodDef functions[] = {
      {"receive_order", receive_order, METH_VARARGS, NULL},
      {"fork_worker", fork_worker, METH_NOARGS, NULL},
      {"limit_worker", limit_worker, METH_VARARGS, NULL},
      {NULL},
  };
  static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "nuclio_worker._native", .m_size = -1,
                                          .m_methods = functions};
  PyObject* module = PyModule_Create(&definition);
  if (module &&
      (find_all() != 0 || event_add_type(module) != 0 || frame_add_type(module) != 0 || link_add_type(module) != 0)) {
    Py_CLEAR(module);
  }
  return module;
}
