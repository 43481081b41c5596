// SPDX-License-Identifier: Apache-2.0
#include "http/http2_session.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/check.h"

namespace nuclio::http {
namespace {

constexpr std::int64_t kEarnedByData = 4;  // frames for a piece of an answer: windows of stream and connection, a ping

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

nghttp2_nv field(std::string_view name, std::string_view value) {
  auto bytes = [](std::string_view text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

// Of HTTP/1.1 only.
bool is_of_connection(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kNames = {"Transfer-Encoding", "Connection", "Keep-Alive", "Upgrade",
                                                             "Proxy-Connection"};
  return std::ranges::any_of(kNames, [&](std::string_view one) { return same_ignoring_case(one, name); });
}

// The fields of a head as HTTP/1.1 would have it, borrowed from it.
std::vector<nghttp2_nv> fields_of(std::string_view head) {
  std::string_view status = head.substr(std::string_view("HTTP/1.1 ").size(), 3);
  std::vector<nghttp2_nv> fields{field(":status", status)};
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.starts_with("\r\n")) {
    std::string_view line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(line.size() + 2);
    std::size_t colon = line.find(':');
    std::string_view name = line.substr(0, colon);
    if (!is_of_connection(name)) fields.push_back(field(name, line.substr(colon + 2)));
  }
  return fields;
}

bool is_empty(const Body& body) {
  return !std::holds_alternative<std::unique_ptr<BodySource>>(body) && size_of(body) == 0;
}

}  // namespace

// What nghttp2 calls. None of them may call it back to receive or to send.
struct Http2Callbacks {
  static Http2Connection& connection(void* user) { return *static_cast<Http2Connection*>(user); }
  static Http2Stream* stream(nghttp2_session* session, std::int32_t id) {
    return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }

  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) connection(user).begin_request(frame->hd.stream_id);
    return 0;
  }

  static int header(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                    void* user) {
    Http2Stream* to = stream(session, frame->hd.stream_id);
    // Trailers are dropped.
    if (!to || to->head_complete) return 0;
    to->head.add(text_of(name, name_size), text_of(value, value_size), connection(user).shared_.limits);
    return 0;
  }

  // nghttp2 would drop the field and go on: others may have understood it.
  static int invalid_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t*, std::size_t,
                            const std::uint8_t*, std::size_t, std::uint8_t, void*) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int frame_received(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Http2Connection& to = connection(user);
    bool ends = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    Http2Stream* of = stream(session, frame->hd.stream_id);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        if (of && !of->head_complete) {
          to.head_is_complete(*of, ends);
        } else if (of && ends) {
          to.request_is_complete(*of);
        }
        break;
      case NGHTTP2_DATA:
        if (of && ends) to.request_is_complete(*of);
        break;
      case NGHTTP2_SETTINGS: to.greeted_ = true; break;
      default: break;
    }
    return 0;
  }

  static int data(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t size,
                  void* user) {
    // What is held back is held back in the stream's window; others need the connection's.
    nghttp2_session_consume_connection(session, size);
    if (Http2Stream* to = stream(session, id)) connection(user).take_body(*to, text_of(bytes, size));
    return 0;
  }

  static ssize_t give(nghttp2_session*, std::int32_t, std::uint8_t* into, std::size_t size, std::uint32_t* flags,
                      nghttp2_data_source* source, void* user) {
    using Kind = Http2Connection::Given::Kind;
    auto given =
        connection(user).give_body(*static_cast<Http2Stream*>(source->ptr), {reinterpret_cast<char*>(into), size});
    switch (given.kind) {
      case Kind::later: return NGHTTP2_ERR_DEFERRED;
      case Kind::failed: return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
      case Kind::last: *flags |= NGHTTP2_DATA_FLAG_EOF; [[fallthrough]];
      case Kind::some: break;
    }
    return static_cast<ssize_t>(given.bytes);
  }

  static int frame_sent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Http2Connection& by = connection(user);
    if (frame->hd.type == NGHTTP2_DATA) by.idle_frames_.earn(kEarnedByData);
    bool of_answer = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (!of_answer || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) return 0;
    if (Http2Stream* of = stream(session, frame->hd.stream_id)) by.was_answered(*of);
    return 0;
  }

  static int frame_not_sent(nghttp2_session* session, const nghttp2_frame* frame, int, void* user) {
    Http2Stream* of = frame->hd.type == NGHTTP2_HEADERS ? stream(session, frame->hd.stream_id) : nullptr;
    if (of) connection(user).reset(*of, NGHTTP2_INTERNAL_ERROR);
    return 0;
  }

  static int stream_closed(nghttp2_session* session, std::int32_t id, std::uint32_t error, void* user) {
    Http2Connection& to = connection(user);
    if (Http2Stream* closed = stream(session, id)) {
      to.was_closed(*closed, error);
    } else if (error != NGHTTP2_NO_ERROR) {
      to.spend(to.resets_, "too many requests at once");
    }
    return 0;
  }
};

nghttp2_session* begin_http2_session(Http2Connection& connection, const Limits& limits) {
  static const nghttp2_session_callbacks* const kCallbacks = [] {
    nghttp2_session_callbacks* made = nullptr;
    CHECK(nghttp2_session_callbacks_new(&made) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, Http2Callbacks::begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made, Http2Callbacks::header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(made, Http2Callbacks::invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, Http2Callbacks::frame_received);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, Http2Callbacks::data);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, Http2Callbacks::frame_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(made, Http2Callbacks::frame_not_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, Http2Callbacks::stream_closed);
    return made;
  }();
  nghttp2_option* options = nullptr;
  CHECK(nghttp2_option_new(&options) == 0);
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_option_set_no_closed_streams(options, 1);
  nghttp2_option_set_max_outbound_ack(options, limits.http2_unread_acks);
  nghttp2_session* session = nullptr;
  CHECK(nghttp2_session_server_new2(&session, kCallbacks, &connection, options) == 0);
  nghttp2_option_del(options);
  const std::array<nghttp2_settings_entry, 3> settings{{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, static_cast<std::uint32_t>(limits.http2_streams)},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits.header_bytes.count)},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  }};
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  open_http2_window(session, 0, limits);
  return session;
}

void open_http2_window(nghttp2_session* session, std::int32_t stream, const Limits& limits) {
  constexpr std::uint64_t kMost = NGHTTP2_MAX_WINDOW_SIZE;
  auto size = static_cast<std::int32_t>(std::min(limits.http2_window.count, kMost));
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, stream, size);
}

bool submit_http2_response(nghttp2_session* session, Http2Stream& stream, const Answering& to, std::string_view date) {
  std::string head;
  Plan plan = append_head(head, stream.response, to, date);
  auto fields = fields_of(head);
  nghttp2_data_provider body{.source = {.ptr = &stream}, .read_callback = Http2Callbacks::give};
  bool has_body = plan.sending != Sending::nothing && !is_empty(stream.response.body);
  // How long it would be kept is up to the peer and its windows.
  if (auto* lent = std::get_if<LentBody>(&stream.response.body))
    stream.response.body = has_body ? std::string(lent->bytes) : std::string();
  return nghttp2_submit_response(session, stream.id, fields.data(), fields.size(), has_body ? &body : nullptr) == 0;
}

void submit_http2_continue(nghttp2_session* session, std::int32_t id) {
  nghttp2_nv status = field(":status", "100");
  nghttp2_submit_headers(session, NGHTTP2_FLAG_NONE, id, nullptr, &status, 1, nullptr);
}

}  // namespace nuclio::http
