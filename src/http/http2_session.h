// SPDX-License-Identifier: Apache-2.0
// What Http2Connection and nghttp2 say to each other. Included by their .cc files only.
#pragma once
#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "http/http2_connection.h"
#include "http/http2_stream.h"
#include "http/limits.h"
#include "http/serializer.h"

namespace nuclio::http {

// A server's session whose callbacks go to `connection`, with our settings waiting to be sent.
nghttp2_session* begin_http2_session(Http2Connection& connection, const Limits& limits);
// Hands the head of the stream's response to the session, and says how its body is to be had. False when the session
// does not take it.
bool submit_http2_response(nghttp2_session* session, Http2Stream& stream, const Answering& to, std::string_view date);
// Lets the peer send as much as the limits allow: of one stream, or with 0 of all together.
void open_http2_window(nghttp2_session* session, std::int32_t stream, const Limits& limits);
// "100 Continue".
void submit_http2_continue(nghttp2_session* session, std::int32_t id);

}  // namespace nuclio::http
