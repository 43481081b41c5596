/* SPDX-License-Identifier: Apache-2.0 */
#include "nuclio_wire.h"

#include <string.h>

/* Loads and stores go byte by byte so that neither alignment nor the machine's byte order matters; compilers make one
 * instruction of each. */
static uint16_t load16(const uint8_t* p) { return (uint16_t)(p[0] | p[1] << 8); }
static uint32_t load32(const uint8_t* p) { return (uint32_t)load16(p) | (uint32_t)load16(p + 2) << 16; }
static uint64_t load64(const uint8_t* p) { return (uint64_t)load32(p) | (uint64_t)load32(p + 4) << 32; }

static void store16(uint8_t* p, uint16_t v) {
  p[0] = (uint8_t)v;
  p[1] = (uint8_t)(v >> 8);
}
static void store32(uint8_t* p, uint32_t v) {
  store16(p, (uint16_t)v);
  store16(p + 2, (uint16_t)(v >> 16));
}
static void store64(uint8_t* p, uint64_t v) {
  store32(p, (uint32_t)v);
  store32(p + 4, (uint32_t)(v >> 32));
}

static uint64_t align8(uint64_t n) { return (n + 7) & ~(uint64_t)7; }

static uint16_t allowed_flags(uint8_t type) {
  switch (type) {
    case NUCLIO_WIRE_START: return NUCLIO_WIRE_FAILED;
    case NUCLIO_WIRE_EVENT: return NUCLIO_WIRE_SHARED;
    case NUCLIO_WIRE_BATCH: return NUCLIO_WIRE_NESTED;
    case NUCLIO_WIRE_REPLY: return NUCLIO_WIRE_FAILED | NUCLIO_WIRE_MORE | NUCLIO_WIRE_NESTED | NUCLIO_WIRE_SHARED;
    case NUCLIO_WIRE_CHUNK: return NUCLIO_WIRE_FAILED | NUCLIO_WIRE_MORE | NUCLIO_WIRE_SHARED;
    default: return 0;
  }
}

static int flags_fit(uint8_t type, uint16_t flags) {
  if (flags & ~allowed_flags(type)) return 0;
  if (type == NUCLIO_WIRE_BATCH) return flags == NUCLIO_WIRE_NESTED;
  if (flags & NUCLIO_WIRE_SHARED) {
    /* Frames nested in memory that somebody else may change could not be checked. */
    flags &= ~(unsigned)NUCLIO_WIRE_SHARED;
    if (flags == NUCLIO_WIRE_NESTED) return 0;
  }
  /* What failed has nothing after it, and a run of replies has no pieces. */
  return flags == 0 || flags == NUCLIO_WIRE_FAILED || flags == NUCLIO_WIRE_MORE || flags == NUCLIO_WIRE_NESTED;
}

static size_t table_at(const nuclio_wire_frame* frame) { return NUCLIO_WIRE_HEADER_SIZE + 8u * (size_t)frame->numbers; }

static size_t string_count(const nuclio_wire_frame* frame) {
  return (size_t)frame->strings + 2u * frame->headers + 2u * frame->fields;
}

static nuclio_wire_text text_at(const nuclio_wire_frame* frame, size_t index) {
  const uint8_t* entry = frame->data + table_at(frame) + 4 * index;
  uint32_t begin = load32(entry);
  nuclio_wire_text text = {(const char*)frame->data + begin, load32(entry + 4) - begin};
  return text;
}

enum nuclio_wire_result nuclio_wire_length(const void* data, size_t size, uint32_t limit, uint32_t* length) {
  if (size < 4) return NUCLIO_WIRE_SHORT;
  uint32_t n = load32(data);
  if (n < NUCLIO_WIRE_HEADER_SIZE || n % 8) return NUCLIO_WIRE_BAD_LENGTH;
  if (n > limit) return NUCLIO_WIRE_TOO_LONG;
  *length = n;
  return NUCLIO_WIRE_OK;
}

/* Everything but what is nested. Without an arena, shared bodies are refused. */
static enum nuclio_wire_result decode_one(const uint8_t* p, size_t size, uint32_t limit, const uint8_t* arena,
                                          size_t arena_size, nuclio_wire_frame* out) {
  nuclio_wire_frame frame;
  enum nuclio_wire_result result = nuclio_wire_length(p, size, limit, &frame.length);
  if (result != NUCLIO_WIRE_OK) return result;
  if (size < frame.length) return NUCLIO_WIRE_SHORT;
  frame.data = p;
  frame.arena = arena;
  frame.arena_size = arena_size;
  frame.type = p[4];
  frame.flags = load16(p + 6);
  frame.call = load64(p + 8);
  frame.deadline_ns = load64(p + 16);
  frame.timestamp_ns = (int64_t)load64(p + 24);
  frame.numbers = load16(p + 32);
  frame.strings = load16(p + 34);
  frame.headers = load16(p + 36);
  frame.fields = load16(p + 38);
  if (p[5] != NUCLIO_WIRE_VERSION) return NUCLIO_WIRE_BAD_VERSION;
  if (frame.type < NUCLIO_WIRE_START || frame.type > NUCLIO_WIRE_CANCEL) return NUCLIO_WIRE_BAD_TYPE;
  if (!flags_fit(frame.type, frame.flags)) return NUCLIO_WIRE_BAD_FLAGS;
  if ((frame.flags & NUCLIO_WIRE_SHARED) && !arena) return NUCLIO_WIRE_BAD_FLAGS;

  /* Counts are 16 bits wide, so these sums stay far below 2^32. */
  size_t count = string_count(&frame);
  size_t table = table_at(&frame);
  size_t table_end = table + 4 * (count + 1);
  if (table_end > frame.length) return NUCLIO_WIRE_BAD_TABLE;
  uint32_t end = load32(p + table);
  if (end != table_end) return NUCLIO_WIRE_BAD_STRING;
  for (size_t i = 1; i <= count; ++i) {
    uint32_t next = load32(p + table + 4 * i);
    if (next < end || next > frame.length) return NUCLIO_WIRE_BAD_STRING;
    end = next;
  }

  uint64_t body_offset = load64(p + 40);
  uint64_t body_length = load64(p + 48);
  if (frame.flags & NUCLIO_WIRE_SHARED) {
    if (frame.length != align8(end)) return NUCLIO_WIRE_BAD_BODY;
    if (body_offset > arena_size || body_length > arena_size - body_offset) return NUCLIO_WIRE_BAD_BODY;
    if (body_length > limit - frame.length) return NUCLIO_WIRE_TOO_LONG;
    frame.body = arena + body_offset;
    frame.body_length = (size_t)body_length;
    *out = frame;
    return NUCLIO_WIRE_OK;
  }
  if (body_offset != align8(end) || body_offset > frame.length) return NUCLIO_WIRE_BAD_BODY;
  uint64_t rest = frame.length - body_offset;
  if (body_length > rest || align8(body_length) != rest) return NUCLIO_WIRE_BAD_BODY;
  frame.body = p + body_offset;
  frame.body_length = (size_t)body_length;
  *out = frame;
  return NUCLIO_WIRE_OK;
}

enum nuclio_wire_result nuclio_wire_decode(const void* data, size_t size, uint32_t limit, nuclio_wire_frame* frame) {
  return nuclio_wire_decode_shared(data, size, limit, NULL, 0, frame);
}

enum nuclio_wire_result nuclio_wire_decode_shared(const void* data, size_t size, uint32_t limit, const void* arena,
                                                  size_t arena_size, nuclio_wire_frame* frame) {
  nuclio_wire_frame outer;
  enum nuclio_wire_result result = decode_one(data, size, limit, arena, arena_size, &outer);
  if (result != NUCLIO_WIRE_OK) return result;
  if (outer.flags & NUCLIO_WIRE_NESTED) {
    uint8_t wanted = outer.type == NUCLIO_WIRE_BATCH ? NUCLIO_WIRE_EVENT : NUCLIO_WIRE_REPLY;
    size_t position = 0;
    while (position < outer.body_length) {
      nuclio_wire_frame inner;
      if (decode_one(outer.body + position, outer.body_length - position, limit, arena, arena_size, &inner) !=
              NUCLIO_WIRE_OK ||
          inner.type != wanted || (inner.flags & ~(NUCLIO_WIRE_FAILED | NUCLIO_WIRE_SHARED)))
        return NUCLIO_WIRE_BAD_NESTED;
      position += inner.length;
    }
  }
  *frame = outer;
  return NUCLIO_WIRE_OK;
}

int64_t nuclio_wire_number(const nuclio_wire_frame* frame, size_t index, int64_t absent) {
  if (index >= frame->numbers) return absent;
  return (int64_t)load64(frame->data + NUCLIO_WIRE_HEADER_SIZE + 8 * index);
}

nuclio_wire_text nuclio_wire_string(const nuclio_wire_frame* frame, size_t index) {
  nuclio_wire_text none = {"", 0};
  return index < frame->strings ? text_at(frame, index) : none;
}

static nuclio_wire_pair pair_at(const nuclio_wire_frame* frame, size_t count, size_t first, size_t index) {
  nuclio_wire_pair none = {{"", 0}, {"", 0}};
  if (index >= count) return none;
  nuclio_wire_pair pair = {text_at(frame, first + 2 * index), text_at(frame, first + 2 * index + 1)};
  return pair;
}

nuclio_wire_pair nuclio_wire_header(const nuclio_wire_frame* frame, size_t index) {
  return pair_at(frame, frame->headers, frame->strings, index);
}

nuclio_wire_pair nuclio_wire_field(const nuclio_wire_frame* frame, size_t index) {
  return pair_at(frame, frame->fields, (size_t)frame->strings + 2u * frame->headers, index);
}

int nuclio_wire_next(const nuclio_wire_frame* outer, size_t* position, nuclio_wire_frame* inner) {
  if (!(outer->flags & NUCLIO_WIRE_NESTED) || *position >= outer->body_length) return 0;
  /* Valid by nuclio_wire_decode(); checked again because *position is the caller's. */
  if (decode_one(outer->body + *position, outer->body_length - *position, UINT32_MAX, outer->arena, outer->arena_size,
                 inner) != NUCLIO_WIRE_OK)
    return 0;
  *position += inner->length;
  return 1;
}

static uint64_t text_length(const nuclio_wire_head* head) {
  uint64_t total = 0;
  for (size_t i = 0; i < head->strings; ++i) total += head->string[i].length;
  for (size_t i = 0; i < head->headers; ++i) total += head->header[i].name.length + head->header[i].value.length;
  for (size_t i = 0; i < head->fields; ++i) total += head->field[i].name.length + head->field[i].value.length;
  return total;
}

static size_t head_table_end(const nuclio_wire_head* head) {
  size_t count = (size_t)head->strings + 2u * head->headers + 2u * head->fields;
  return NUCLIO_WIRE_HEADER_SIZE + 8u * (size_t)head->numbers + 4 * (count + 1);
}

size_t nuclio_wire_head_size(const nuclio_wire_head* head, uint32_t limit) {
  uint64_t size = align8(head_table_end(head) + text_length(head));
  if (size > limit || head->body_length > limit || size + align8(head->body_length) > limit) return 0;
  return (size_t)size;
}

/* Where the next entry of the string table and the next text go. */
typedef struct {
  uint8_t* base;
  uint8_t* entry;
  uint32_t end;
} writer;

static void put_text(writer* to, nuclio_wire_text text) {
  if (text.length) memcpy(to->base + to->end, text.data, text.length);
  to->end += (uint32_t)text.length;
  store32(to->entry, to->end);
  to->entry += 4;
}

size_t nuclio_wire_encode(const nuclio_wire_head* head, uint32_t limit, void* out) {
  size_t size = nuclio_wire_head_size(head, limit);
  if (!size) return 0;
  uint8_t* p = out;
  int shared = head->flags & NUCLIO_WIRE_SHARED;
  store32(p, (uint32_t)(shared ? size : size + align8(head->body_length)));
  p[4] = head->type;
  p[5] = NUCLIO_WIRE_VERSION;
  store16(p + 6, head->flags);
  store64(p + 8, head->call);
  store64(p + 16, head->deadline_ns);
  store64(p + 24, (uint64_t)head->timestamp_ns);
  store16(p + 32, head->numbers);
  store16(p + 34, head->strings);
  store16(p + 36, head->headers);
  store16(p + 38, head->fields);
  store64(p + 40, shared ? head->body_offset : size);
  store64(p + 48, head->body_length);
  uint8_t* at = p + NUCLIO_WIRE_HEADER_SIZE;
  for (size_t i = 0; i < head->numbers; ++i, at += 8) store64(at, (uint64_t)head->number[i]);

  writer to = {p, at + 4, (uint32_t)head_table_end(head)};
  store32(at, to.end);
  for (size_t i = 0; i < head->strings; ++i) put_text(&to, head->string[i]);
  for (size_t i = 0; i < head->headers; ++i) {
    put_text(&to, head->header[i].name);
    put_text(&to, head->header[i].value);
  }
  for (size_t i = 0; i < head->fields; ++i) {
    put_text(&to, head->field[i].name);
    put_text(&to, head->field[i].value);
  }
  memset(p + to.end, 0, size - to.end);
  return size;
}

size_t nuclio_wire_padding(uint64_t body_length) { return (size_t)(align8(body_length) - body_length); }

const char* nuclio_wire_explain(enum nuclio_wire_result result) {
  switch (result) {
    case NUCLIO_WIRE_OK: return "the frame is good";
    case NUCLIO_WIRE_SHORT: return "the bytes end before the frame does";
    case NUCLIO_WIRE_TOO_LONG: return "the frame is longer than the limit";
    case NUCLIO_WIRE_BAD_LENGTH: return "the length is below a header's or no multiple of 8";
    case NUCLIO_WIRE_BAD_VERSION: return "the frame is of another version of the format";
    case NUCLIO_WIRE_BAD_TYPE: return "the frame's type is unknown";
    case NUCLIO_WIRE_BAD_FLAGS: return "the frame has flags that its type does not have";
    case NUCLIO_WIRE_BAD_TABLE: return "the numbers and the string table reach beyond the frame";
    case NUCLIO_WIRE_BAD_STRING: return "the string table goes back or leaves the frame";
    case NUCLIO_WIRE_BAD_BODY: return "the body is not exactly the rest of the frame, or leaves the arena";
    case NUCLIO_WIRE_BAD_NESTED: return "the body is no run of valid frames of the right type";
  }
  return "unknown result";
}
