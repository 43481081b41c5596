/* SPDX-License-Identifier: Apache-2.0 */
/* The SDK's Event, over a frame: an attribute becomes a Python object when it is first read. event.py says the same in
 * Python. */
#include <stddef.h>
#include <string.h>

#include "native.h"
/* After Python.h, which it needs. */
#include <structmember.h>

/* In the SDK's order, which is that of to_json(). */
enum attribute {
  BODY,
  CONTENT_TYPE,
  TRIGGER,
  FIELDS,
  HEADERS,
  ID,
  METHOD,
  PATH,
  SIZE,
  TIMESTAMP,
  URL,
  SHARD_ID,
  NUM_SHARDS,
  TYPE,
  TYPE_VERSION,
  VERSION,
  LAST_IN_BATCH,
  OFFSET,
  TOPIC,
  ATTRIBUTES,
};

/* Lies behind what the SDK's Event takes of each object; how much that is differs between Python versions. */
typedef struct {
  nuclio_wire_frame frame;
  char raw;
  char plain; /* somebody asked for __dict__: it has all attributes from then on, and `value` none */
  /* CPython visits and clears these like the __slots__ of a class, because they are members of their type. */
  PyObject* memory;
  PyObject* value[ATTRIBUTES];
} state;

static PyTypeObject* type;
static allocfunc allocate;
static Py_ssize_t state_offset;
static PyObject* names[ATTRIBUTES];

static state* state_of(PyObject* event) { return (state*)((char*)event + state_offset); }

static PyObject* text(const state* s, nuclio_wire_text value) {
  if (s->raw) return PyBytes_FromStringAndSize(value.data, (Py_ssize_t)value.length);
  return PyUnicode_DecodeUTF8(value.data, (Py_ssize_t)value.length, "surrogateescape");
}

static PyObject* string(const state* s, size_t index) { return text(s, nuclio_wire_string(&s->frame, index)); }

static PyObject* number(const state* s, size_t index, int64_t absent) {
  return PyLong_FromLongLong(nuclio_wire_number(&s->frame, index, absent));
}

static PyObject* body(const state* s) {
  nuclio_wire_text content_type = nuclio_wire_string(&s->frame, NUCLIO_WIRE_EVENT_CONTENT_TYPE);
  PyObject* bytes = PyBytes_FromStringAndSize((const char*)s->frame.body, (Py_ssize_t)s->frame.body_length);
  const char json[] = "application/json";
  if (!bytes || content_type.length != sizeof json - 1 || memcmp(content_type.data, json, sizeof json - 1) != 0)
    return bytes;
  PyObject* parsed = PyObject_CallFunctionObjArgs(known.parsed, bytes, NULL);
  Py_DECREF(bytes);
  return parsed;
}

static PyObject* trigger(const state* s) {
  PyObject* kind = string(s, NUCLIO_WIRE_EVENT_TRIGGER_KIND);
  PyObject* name = string(s, NUCLIO_WIRE_EVENT_TRIGGER_NAME);
  PyObject* made = kind && name ? PyObject_CallFunctionObjArgs(known.trigger_info, kind, name, NULL) : NULL;
  Py_XDECREF(kind);
  Py_XDECREF(name);
  return made;
}

static PyObject* pairs(const state* s, size_t count,
                       nuclio_wire_pair (*pair_at)(const nuclio_wire_frame* frame, size_t index)) {
  PyObject* all = PyDict_New();
  for (size_t i = 0; all && i < count; ++i) {
    nuclio_wire_pair pair = pair_at(&s->frame, i);
    PyObject* name = text(s, pair.name);
    PyObject* value = text(s, pair.value);
    if (!name || !value || PyDict_SetItem(all, name, value) != 0) Py_CLEAR(all);
    Py_XDECREF(name);
    Py_XDECREF(value);
  }
  return all;
}

static PyObject* path(const state* s) {
  nuclio_wire_text value = nuclio_wire_string(&s->frame, NUCLIO_WIRE_EVENT_PATH);
  return value.length ? text(s, value) : PyUnicode_FromString("/");
}

/* Whole seconds, naive, UTC: what Nuclio's wrapper hands out, and what to_json() shows. */
static PyObject* timestamp(const state* s) {
  const int64_t second = 1000000000;
  int64_t at = s->frame.timestamp_ns;
  PyObject* since = PyObject_CallFunction(known.timedelta, "iL", 0, (long long)(at / second - (at % second < 0)));
  if (!since) return NULL;
  PyObject* moment = PyNumber_Add(known.epoch, since);
  Py_DECREF(since);
  return moment;
}

static PyObject* make(const state* s, enum attribute which) {
  switch (which) {
    case BODY: return body(s);
    case CONTENT_TYPE: return string(s, NUCLIO_WIRE_EVENT_CONTENT_TYPE);
    case TRIGGER: return trigger(s);
    case FIELDS: return pairs(s, s->frame.fields, nuclio_wire_field);
    case HEADERS: return pairs(s, s->frame.headers, nuclio_wire_header);
    case ID: return string(s, NUCLIO_WIRE_EVENT_ID);
    case METHOD: return string(s, NUCLIO_WIRE_EVENT_METHOD);
    case PATH: return path(s);
    case SIZE: return PyLong_FromSize_t(s->frame.body_length);
    case TIMESTAMP: return timestamp(s);
    case URL: return string(s, NUCLIO_WIRE_EVENT_URL);
    case SHARD_ID: return number(s, NUCLIO_WIRE_EVENT_SHARD_ID, -1);
    case NUM_SHARDS: return number(s, NUCLIO_WIRE_EVENT_NUM_SHARDS, 0);
    case TYPE: return string(s, NUCLIO_WIRE_EVENT_TYPE);
    case TYPE_VERSION: return string(s, NUCLIO_WIRE_EVENT_TYPE_VERSION);
    case VERSION: return string(s, NUCLIO_WIRE_EVENT_VERSION);
    case LAST_IN_BATCH: return PyBool_FromLong(0);
    case OFFSET: return number(s, NUCLIO_WIRE_EVENT_OFFSET, 0);
    case TOPIC: return string(s, NUCLIO_WIRE_EVENT_TOPIC);
    case ATTRIBUTES: break;
  }
  Py_UNREACHABLE();
}

/* Makes it once. Borrowed. */
static PyObject* value_of(PyObject* event, enum attribute which) {
  state* s = state_of(event);
  if (s->value[which]) return s->value[which];
  PyObject* made = make(s, which);
  /* Parsing a body runs Python code, which may have set the attribute, or made the event plain. */
  if (made && !s->value[which]) {
    s->value[which] = made;
  } else {
    Py_XDECREF(made);
  }
  return made ? s->value[which] : NULL;
}

/* The attributes move into the instance's dictionary, in front of what the handler has put there. New reference. */
static PyObject* plain_dict(PyObject* event) {
  state* s = state_of(event);
  PyObject* dict = PyObject_GenericGetDict(event, NULL);
  if (!dict || s->plain) return dict;
  for (int i = 0; i < ATTRIBUTES; ++i) {
    if (!value_of(event, i)) goto failed;
  }
  if (s->plain) return dict; /* parsing the body ran Python code, which wanted the same */
  PyObject* added = PyDict_Copy(dict);
  if (!added) goto failed;
  PyDict_Clear(dict);
  int wrong = 0;
  for (int i = 0; i < ATTRIBUTES && !wrong; ++i) wrong = PyDict_SetItem(dict, names[i], s->value[i]);
  wrong = wrong || PyDict_Update(dict, added);
  Py_DECREF(added);
  if (wrong) goto failed;
  s->plain = 1;
  for (int i = 0; i < ATTRIBUTES; ++i) Py_CLEAR(s->value[i]);
  return dict;
failed:
  Py_DECREF(dict);
  return NULL;
}

static PyObject* get_dict(PyObject* event, void* closure) {
  (void)closure;
  return plain_dict(event);
}

static int set_dict(PyObject* event, PyObject* value, void* closure) {
  (void)closure;
  PyObject* dict = plain_dict(event);
  if (!dict) return -1;
  Py_DECREF(dict);
  return PyObject_GenericSetDict(event, value, NULL);
}

static PyObject* get(PyObject* event, void* closure) {
  enum attribute which = (enum attribute)(intptr_t)closure;
  PyObject* value;
  if (!state_of(event)->plain) {
    value = value_of(event, which);
    Py_XINCREF(value);
    return value;
  }
  PyObject* dict = PyObject_GenericGetDict(event, NULL);
  if (!dict) return NULL;
  value = PyDict_GetItemWithError(dict, names[which]);
  Py_XINCREF(value);
  Py_DECREF(dict);
  if (!value && !PyErr_Occurred()) {
    PyErr_Format(PyExc_AttributeError, "'Event' object has no attribute '%U'", names[which]);
  }
  return value;
}

static int set(PyObject* event, PyObject* value, void* closure) {
  enum attribute which = (enum attribute)(intptr_t)closure;
  state* s = state_of(event);
  if (value && !s->plain) {
    PyObject* old = s->value[which];
    Py_INCREF(value);
    s->value[which] = value;
    Py_XDECREF(old);
    return 0;
  }
  PyObject* dict = plain_dict(event);
  if (!dict) return -1;
  int result = value ? PyDict_SetItem(dict, names[which], value) : PyDict_DelItem(dict, names[which]);
  Py_DECREF(dict);
  if (result != 0 && !value && PyErr_ExceptionMatches(PyExc_KeyError)) {
    PyErr_Clear();
    PyErr_Format(PyExc_AttributeError, "'Event' object has no attribute '%U'", names[which]);
  }
  return result;
}

/* Copies and pickles are plain SDK events, which other processes understand. */
static PyObject* reduce(PyObject* event, PyObject* nothing) {
  (void)nothing;
  PyObject* dict = plain_dict(event);
  PyObject* copy = dict ? PyDict_Copy(dict) : NULL;
  Py_XDECREF(dict);
  return copy ? Py_BuildValue("O(N)", known.restored, copy) : NULL;
}

PyObject* event_new(const nuclio_wire_frame* frame, PyObject* memory, int raw) {
  PyObject* event = allocate(type, 0);
  if (!event) return NULL;
  state* s = state_of(event);
  s->frame = *frame;
  s->raw = (char)raw;
  Py_XINCREF(memory);
  s->memory = memory;
  return event;
}

int event_keep(PyObject* event) {
  state* s = state_of(event);
  if (Py_REFCNT(event) == 1 || s->memory) return 0;
  s->memory = frame_copy(&s->frame, &s->frame);
  return s->memory ? 0 : -1;
}

int event_add_type(PyObject* module) {
  static PyGetSetDef attributes[] = {
      {"body", get, set, NULL, (void*)BODY},
      {"content_type", get, set, NULL, (void*)CONTENT_TYPE},
      {"trigger", get, set, NULL, (void*)TRIGGER},
      {"fields", get, set, NULL, (void*)FIELDS},
      {"headers", get, set, NULL, (void*)HEADERS},
      {"id", get, set, NULL, (void*)ID},
      {"method", get, set, NULL, (void*)METHOD},
      {"path", get, set, NULL, (void*)PATH},
      {"size", get, set, NULL, (void*)SIZE},
      {"timestamp", get, set, NULL, (void*)TIMESTAMP},
      {"url", get, set, NULL, (void*)URL},
      {"shard_id", get, set, NULL, (void*)SHARD_ID},
      {"num_shards", get, set, NULL, (void*)NUM_SHARDS},
      {"type", get, set, NULL, (void*)TYPE},
      {"type_version", get, set, NULL, (void*)TYPE_VERSION},
      {"version", get, set, NULL, (void*)VERSION},
      {"last_in_batch", get, set, NULL, (void*)LAST_IN_BATCH},
      {"offset", get, set, NULL, (void*)OFFSET},
      {"topic", get, set, NULL, (void*)TOPIC},
      {"__dict__", get_dict, set_dict, NULL, NULL},
      {NULL},
  };
  static PyMethodDef methods[] = {{"__reduce__", reduce, METH_NOARGS, NULL}, {NULL}};
  for (int i = 0; i < ATTRIBUTES; ++i) {
    names[i] = PyUnicode_InternFromString(attributes[i].name);
    if (!names[i]) return -1;
  }

  PyObject* sdk = PyImport_ImportModule("nuclio_sdk");
  PyObject* base = sdk ? PyObject_GetAttrString(sdk, "Event") : NULL;
  PyObject* bases = base ? PyTuple_Pack(1, base) : NULL;
  PyObject* size = base ? PyObject_GetAttrString(base, "__basicsize__") : NULL;
  Py_XDECREF(base);
  Py_XDECREF(sdk);
  if (!bases || !size) return -1;
  state_offset = (PyLong_AsSsize_t(size) + 7) & ~(Py_ssize_t)7;
  Py_DECREF(size);

  PyMemberDef members[ATTRIBUTES + 2] = {{NULL}};
  static char member_names[ATTRIBUTES + 1][16];
  for (int i = 0; i <= ATTRIBUTES; ++i) {
    snprintf(member_names[i], sizeof member_names[i], "_%d", i);
    members[i].name = member_names[i];
    members[i].type = T_OBJECT_EX;
    members[i].offset = state_offset + (Py_ssize_t)offsetof(state, memory) + i * (Py_ssize_t)sizeof(PyObject*);
  }
  PyType_Slot slots[] = {
      {Py_tp_members, members},
      {Py_tp_getset, attributes},
      {Py_tp_methods, methods},
      {0, NULL},
  };
  PyType_Spec spec = {
      .name = "nuclio_worker._native.Event",
      .basicsize = (int)(state_offset + (Py_ssize_t)sizeof(state)),
      .flags = Py_TPFLAGS_DEFAULT,
      .slots = slots,
  };
  type = (PyTypeObject*)PyType_FromSpecWithBases(&spec, bases);
  Py_DECREF(bases);
  if (!type) return -1;
  /* The members are for the garbage collector; nobody else shall see or find them. */
  for (int i = 0; i <= ATTRIBUTES; ++i) {
    if (PyObject_DelAttrString((PyObject*)type, member_names[i]) != 0) return -1;
  }
  allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
  Py_INCREF(type);
  return PyModule_AddObject(module, "Event", (PyObject*)type);
}
