/* SPDX-License-Identifier: Apache-2.0 */
/* The frames between the processor and a worker, as a C library without dependencies that any language can bind.
 * FORMAT.md describes the bytes; this file and FORMAT.md change together with test/vectors/wire.
 *
 * Nothing here allocates, locks or keeps state, so every function may be called from any thread. A decoded frame is a
 * view: it borrows the bytes it was decoded from and is valid as long as they are. The decoder believes nothing that
 * the peer wrote: after NUCLIO_WIRE_OK every accessor stays inside the frame, whatever its arguments. */
#ifndef NUCLIO_WIRE_H
#define NUCLIO_WIRE_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  NUCLIO_WIRE_VERSION = 1,
  NUCLIO_WIRE_HEADER_SIZE = 56,
  NUCLIO_WIRE_DEFAULT_LIMIT = 65 << 20, /* a body of 64 MiB and 1 MiB for everything else */
};

enum nuclio_wire_type {
  NUCLIO_WIRE_START = 1,  /* worker -> processor: ready, or failed */
  NUCLIO_WIRE_EVENT = 2,  /* processor -> worker */
  NUCLIO_WIRE_BATCH = 3,  /* processor -> worker: the body is a run of event frames */
  NUCLIO_WIRE_REPLY = 4,  /* worker -> processor */
  NUCLIO_WIRE_CHUNK = 5,  /* worker -> processor: more of a reply's body */
  NUCLIO_WIRE_LOG = 6,    /* worker -> processor */
  NUCLIO_WIRE_METRIC = 7, /* worker -> processor */
  NUCLIO_WIRE_ACK = 8,    /* worker -> processor: settle a stream's record */
  NUCLIO_WIRE_CONTROL = 9,
  NUCLIO_WIRE_CANCEL = 10, /* processor -> worker: nobody waits for this call any more */
};

enum nuclio_wire_flag {
  NUCLIO_WIRE_FAILED = 1, /* start, reply, chunk: it went wrong; the strings message and traceback say how */
  NUCLIO_WIRE_MORE = 2,   /* reply, chunk: chunk frames of the same call follow */
  NUCLIO_WIRE_NESTED = 4, /* batch (always), reply to a batch: the body is a run of whole frames */
  NUCLIO_WIRE_SHARED = 8, /* event, reply, chunk, in shared memory only: the body is in the arena, not in the frame */
};

/* What the numbers and strings of each type mean, by index. A sender may leave out trailing ones; a reader sees the
 * default (0 and "" unless noted). Indexes are only ever added at the end. */
enum { NUCLIO_WIRE_START_PID = 0 };
enum {
  NUCLIO_WIRE_START_MESSAGE = 0,
  NUCLIO_WIRE_START_TRACEBACK = 1,
  NUCLIO_WIRE_START_RUNTIME = 2, /* what runs, for the log: "python 3.11.7, nuclio-sdk 0.6.3" */
};

enum {
  NUCLIO_WIRE_EVENT_SHARD_ID = 0, /* default -1 */
  NUCLIO_WIRE_EVENT_NUM_SHARDS = 1,
  NUCLIO_WIRE_EVENT_OFFSET = 2,
  NUCLIO_WIRE_EVENT_NUMBERS = 3, /* how many there are */
};
enum {
  NUCLIO_WIRE_EVENT_ID = 0,
  NUCLIO_WIRE_EVENT_METHOD = 1,
  NUCLIO_WIRE_EVENT_PATH = 2,
  NUCLIO_WIRE_EVENT_URL = 3,
  NUCLIO_WIRE_EVENT_CONTENT_TYPE = 4,
  NUCLIO_WIRE_EVENT_TRIGGER_KIND = 5,
  NUCLIO_WIRE_EVENT_TRIGGER_NAME = 6,
  NUCLIO_WIRE_EVENT_TYPE = 7,
  NUCLIO_WIRE_EVENT_TYPE_VERSION = 8,
  NUCLIO_WIRE_EVENT_VERSION = 9,
  NUCLIO_WIRE_EVENT_TOPIC = 10,
  NUCLIO_WIRE_EVENT_STRINGS = 11,
};

enum {
  NUCLIO_WIRE_REPLY_STATUS = 0,      /* 100..999; default 200 */
  NUCLIO_WIRE_REPLY_DURATION_NS = 1, /* how long the handler ran, until it returned or failed */
  NUCLIO_WIRE_REPLY_NUMBERS = 2,
};
enum {
  NUCLIO_WIRE_REPLY_CONTENT_TYPE = 0,
  NUCLIO_WIRE_REPLY_EVENT_ID = 1, /* in a reply to a batch: which event it answers */
  NUCLIO_WIRE_REPLY_MESSAGE = 2,
  NUCLIO_WIRE_REPLY_TRACEBACK = 3,
  NUCLIO_WIRE_REPLY_STRINGS = 4,
};

enum { NUCLIO_WIRE_CHUNK_DURATION_NS = 0 }; /* last chunk: how long the whole answer took */
enum { NUCLIO_WIRE_CHUNK_MESSAGE = 0, NUCLIO_WIRE_CHUNK_TRACEBACK = 1 };

enum { NUCLIO_WIRE_LOG_LEVEL = 0 }; /* 0 debug, 1 info, 2 warn, 3 error */
enum {
  NUCLIO_WIRE_LOG_MESSAGE = 0,
  NUCLIO_WIRE_LOG_WITH = 1, /* a JSON object, or "" */
  NUCLIO_WIRE_LOG_LOGGER = 2,
};

enum { NUCLIO_WIRE_METRIC_KIND = 0, NUCLIO_WIRE_METRIC_VALUE_BITS = 1 }; /* 0 counter, 1 gauge, 2 histogram; a double */
enum { NUCLIO_WIRE_METRIC_NAME = 0 };                                    /* labels are the headers */

enum { NUCLIO_WIRE_ACK_PARTITION = 0, NUCLIO_WIRE_ACK_OFFSET = 1 };
enum { NUCLIO_WIRE_ACK_TOPIC = 0 };

enum { NUCLIO_WIRE_CONTROL_KIND = 0 };
enum nuclio_wire_control {
  NUCLIO_WIRE_DRAIN = 1,     /* processor -> worker: run the drain callback, then answer `done` */
  NUCLIO_WIRE_TERMINATE = 2, /* processor -> worker: run the termination callback, answer `done`, then end */
  NUCLIO_WIRE_CONTINUE = 3,  /* processor -> worker: the drain is over */
  NUCLIO_WIRE_DONE = 4,      /* worker -> processor: the callbacks of the control frame with this call id have run */
};

enum nuclio_wire_result {
  NUCLIO_WIRE_OK = 0,
  NUCLIO_WIRE_SHORT,       /* the bytes end before the frame does */
  NUCLIO_WIRE_TOO_LONG,    /* length is above the limit */
  NUCLIO_WIRE_BAD_LENGTH,  /* length is below the header's or no multiple of 8 */
  NUCLIO_WIRE_BAD_VERSION, /* another version of this format */
  NUCLIO_WIRE_BAD_TYPE,    /* no type that this version has */
  NUCLIO_WIRE_BAD_FLAGS,   /* a flag that this version or this type has not */
  NUCLIO_WIRE_BAD_TABLE,   /* numbers and string table reach beyond the frame */
  NUCLIO_WIRE_BAD_STRING,  /* string offsets go back or leave the frame */
  NUCLIO_WIRE_BAD_BODY,    /* the body is not exactly the rest of the frame, or a shared one leaves the arena */
  NUCLIO_WIRE_BAD_NESTED,  /* the body of a nested frame is no run of valid frames of the right type */
};

typedef struct {
  const char* data; /* not terminated; never NULL in what this library returns */
  size_t length;
} nuclio_wire_text;

typedef struct {
  nuclio_wire_text name;
  nuclio_wire_text value;
} nuclio_wire_pair;

typedef struct {
  const uint8_t* data;
  uint32_t length;
  uint8_t type;
  uint16_t flags;
  uint64_t call;
  uint64_t deadline_ns; /* time left when it was written; 0 is no deadline */
  int64_t timestamp_ns; /* since 1970-01-01 UTC */
  uint16_t numbers;     /* counts */
  uint16_t strings;
  uint16_t headers;
  uint16_t fields;
  const uint8_t* body;
  size_t body_length;
  const uint8_t* arena; /* where shared bodies are; NULL when there is none */
  size_t arena_size;
} nuclio_wire_frame;

/* What to encode. Pointers are borrowed for the call. */
typedef struct {
  uint8_t type;
  uint16_t flags;
  uint64_t call;
  uint64_t deadline_ns;
  int64_t timestamp_ns;
  const int64_t* number;
  const nuclio_wire_text* string;
  const nuclio_wire_pair* header;
  const nuclio_wire_pair* field;
  uint16_t numbers;
  uint16_t strings;
  uint16_t headers;
  uint16_t fields;
  uint64_t body_length;
  uint64_t body_offset; /* with NUCLIO_WIRE_SHARED: in the arena, from its start */
} nuclio_wire_head;

/* Length of the frame that begins at data, once `size` is at least 4. NUCLIO_WIRE_SHORT asks for more bytes. A length
 * that can never be right is refused here, before anyone allocates for it. */
enum nuclio_wire_result nuclio_wire_length(const void* data, size_t size, uint32_t limit, uint32_t* length);

/* Decodes the frame at the beginning of data; there may be more after it. `frame` is set only with NUCLIO_WIRE_OK. */
enum nuclio_wire_result nuclio_wire_decode(const void* data, size_t size, uint32_t limit, nuclio_wire_frame* frame);

/* The same where both sides share an arena: the frame, and those nested in it, may have their bodies there
 * (NUCLIO_WIRE_SHARED). The frame's own bytes must not change while it is decoded and used. */
enum nuclio_wire_result nuclio_wire_decode_shared(const void* data, size_t size, uint32_t limit, const void* arena,
                                                  size_t arena_size, nuclio_wire_frame* frame);

int64_t nuclio_wire_number(const nuclio_wire_frame* frame, size_t index, int64_t absent);
nuclio_wire_text nuclio_wire_string(const nuclio_wire_frame* frame, size_t index); /* "" when absent */
nuclio_wire_pair nuclio_wire_header(const nuclio_wire_frame* frame, size_t index); /* in the sender's order */
nuclio_wire_pair nuclio_wire_field(const nuclio_wire_frame* frame, size_t index);

/* Walks the frames nested in `outer`: start with *position = 0; returns 1 and sets `inner` while there is one, then 0.
 */
int nuclio_wire_next(const nuclio_wire_frame* outer, size_t* position, nuclio_wire_frame* inner);

/* Bytes of the frame before its body; 0 when the whole frame would be above `limit`. */
size_t nuclio_wire_head_size(const nuclio_wire_head* head, uint32_t limit);

/* Writes these bytes to out, which has room for nuclio_wire_head_size() of them. The sender sends them, then the body,
 * then nuclio_wire_padding() zero bytes, and so never copies a body; with NUCLIO_WIRE_SHARED they are the whole frame.
 * Returns the bytes written; 0 as head_size. */
size_t nuclio_wire_encode(const nuclio_wire_head* head, uint32_t limit, void* out);

/* Zero bytes after a body of this length, 0 to 7. */
size_t nuclio_wire_padding(uint64_t body_length);

/* A sentence about a result, for the log. */
const char* nuclio_wire_explain(enum nuclio_wire_result result);

#ifdef __cplusplus
}
#endif
#endif
