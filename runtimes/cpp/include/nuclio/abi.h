/* SPDX-License-Identifier: Apache-2.0 */
/* Between a host and a function in a shared object. The host is the processor, or nuclio_cpp_runner when the function
 * wants a process of its own; the object is made by nuclio.h or by anything else that exports nuclio_module(). It is
 * plain C, so that the two need not agree about compilers, standard libraries or exceptions.
 *
 * Names. The host loads the object with dlopen(RTLD_NOW | RTLD_LOCAL), never closes it, and asks its one symbol,
 * nuclio_module(), for the table of the functions to call. The host hands in a table of its own, nuclio_host.
 *
 * Workers. open() makes one worker: a slot that works on one call at a time, with the function's own data. The host may
 * open any number and use them at once. To one worker it makes one call after another, each from whichever thread it
 * likes: a function must not count on thread identity. No function of the object is called while another runs for the
 * same worker.
 *
 * Calls. call() runs the handler and, before it returns, answers exactly once: reply(), or fail(). When it answered
 * reply() with `more`, the body goes on: the host then calls stream(), on a thread on which it can afford to wait, or
 * abandon() when nobody wants the rest, and the worker is busy until that returned. stream() gives piece after piece to
 * write(), which waits for a slow reader.
 *
 * Memory. Whoever is called may look at what the pointers of its arguments lead to until it returns, and copies what it
 * wants to keep; nobody frees what the other allocated. Two things live longer: an event, until call() has returned
 * and, when there is more, stream() or abandon(); and nuclio_host and the `host` pointer, until close() has returned.
 * Texts are not terminated and may hold any bytes; an empty one may have a null `data`.
 *
 * Errors. No exception crosses, in either direction. What goes wrong is told by fail() and open_failed().
 *
 * Growth. The version is raised when an old partner would misunderstand a new one, and the two must have the same.
 * Within a version structs grow at their end: `size` says how much of one its writer knows. */
#ifndef NUCLIO_ABI_H
#define NUCLIO_ABI_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { NUCLIO_ABI_VERSION = 1 };

#define NUCLIO_MODULE_SYMBOL "nuclio_module"

typedef struct {
  const char* data;
  size_t size;
} nuclio_text;

typedef struct {
  nuclio_text name;
  nuclio_text value;
} nuclio_pair;

typedef struct {
  const nuclio_pair* data;
  size_t size;
} nuclio_pairs;

enum nuclio_level { NUCLIO_DEBUG = 0, NUCLIO_INFO = 1, NUCLIO_WARN = 2, NUCLIO_ERROR = 3 };

enum nuclio_signal {
  NUCLIO_SIGNAL_DRAIN = 1,     /* no event follows for a while: run the drain callback */
  NUCLIO_SIGNAL_TERMINATE = 2, /* close() follows: run the termination callback */
};

typedef struct {
  size_t size; /* sizeof(nuclio_event) of the host */
  nuclio_text id;
  nuclio_text method;
  nuclio_text path;
  nuclio_text url;
  nuclio_text content_type;
  nuclio_text trigger_kind;
  nuclio_text trigger_name;
  nuclio_text type;
  nuclio_text type_version;
  nuclio_text version;
  nuclio_text topic;
  nuclio_pairs headers; /* as they came; names are compared without case */
  nuclio_pairs fields;  /* the query, decoded */
  nuclio_text body;
  int64_t timestamp_ns; /* since 1970-01-01 UTC */
  int64_t deadline_ns;  /* on CLOCK_MONOTONIC; 0 is none */
  int64_t shard_id;     /* -1 is none */
  int64_t num_shards;
  int64_t offset;
} nuclio_event;

typedef struct {
  size_t size; /* sizeof(nuclio_reply) of the object */
  int32_t status;
  int32_t more; /* 1: `body` is the first piece, stream() brings the others */
  nuclio_text content_type;
  nuclio_pairs headers;
  nuclio_text body;
} nuclio_reply;

typedef struct {
  size_t size;    /* sizeof(nuclio_failure) of the object */
  int32_t status; /* 500 unless the function chose one */
  nuclio_text message;
  nuclio_text traceback;    /* more lines for the log, or "" */
  nuclio_text content_type; /* of the body */
  nuclio_text body;         /* what the function wants the caller to read, or "" */
} nuclio_failure;

/* What the host does for the object. `host` is what it gave to open(), `call` what it gave to call() or stream(). */
typedef struct {
  size_t size; /* sizeof(nuclio_host) of the host */

  /* A line of the function's log; `variables` is a JSON object or "". From any thread, until close(). */
  void (*log)(void* host, int32_t level, nuclio_text message, nuclio_text variables);

  /* From open() only: why it is about to return NULL, for the function's author (what, where, what to do). */
  void (*open_failed)(void* host, const nuclio_failure* failure);

  /* From call() only, exactly one of the two, once. stream() may end with fail(): the answer cannot be completed. */
  void (*reply)(void* call, const nuclio_reply* reply);
  void (*fail)(void* call, const nuclio_failure* failure);

  /* From stream() only. Returns 1 when the piece was taken; 0 when nobody reads any more, and then for good. */
  int32_t (*write)(void* call, nuclio_text piece);

  /* From call() and stream(), on their thread: 1 when nobody waits for the answer any more (the caller left or the
   * deadline passed), so that a long computation may give up. Still answer as ever; the answer is dropped. */
  int32_t (*gone)(void* call);
} nuclio_host;

/* Who a worker works for. */
typedef struct {
  size_t size;         /* sizeof(nuclio_worker) of the host */
  nuclio_text handler; /* spec.handler as written; the object knows what it means */
  nuclio_text function_name;
  nuclio_text trigger_kind;
  nuclio_text trigger_name;
  int64_t index; /* from 0, within the trigger */
} nuclio_worker;

/* What the object does for the host. Static; valid for ever. */
typedef struct {
  size_t size; /* sizeof(nuclio_module) of the object */
  int64_t abi_version;
  nuclio_text runtime; /* what it is made of, for the log: "c++ sdk 0.1.0, g++ 12.2.0" */

  /* The names of the handlers, from index 0; "" after the last. */
  nuclio_text (*handler_name)(int32_t index);

  /* Makes a worker: finds the handler and runs init_context. NULL after open_failed(). The strings of `worker` are
   * only borrowed; `table` and `host` until close(). */
  void* (*open)(const nuclio_worker* worker, const nuclio_host* table, void* host);

  void (*call)(void* worker, const nuclio_event* event, void* call);
  void (*stream)(void* worker, void* call);
  void (*abandon)(void* worker);

  /* Runs a callback (enum nuclio_signal), between calls. It may take as long as the function's author likes. */
  void (*signal)(void* worker, int32_t signal);

  void (*close)(void* worker);
} nuclio_module_table;

/* The one symbol of the object. */
typedef const nuclio_module_table* (*nuclio_module_function)(void);

#ifdef __cplusplus
}
#endif
#endif
