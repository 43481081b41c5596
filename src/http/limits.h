// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>

#include "base/bytes.h"
#include "http/allowance.h"

namespace nuclio::http {

// Everything that a peer could make grow or last, and the answer when it does.
struct Limits {
  Bytes header_bytes{16 << 10};    // request line and headers together, also the trailers of a chunked body: 431
  std::size_t header_count = 100;  // 431
  Bytes target_bytes{8 << 10};     // of the request target: 414
  Bytes body_bytes{4 << 20};       // 413, before it is read where the length is announced

  std::chrono::milliseconds handshake_timeout{10'000};  // of TLS: closed without a word
  std::chrono::milliseconds header_timeout{10'000};     // from a request's first byte to its last header: 408
  std::chrono::milliseconds idle_timeout{75'000};       // between requests: closed without a word
  // The least rate of a body that is received and of an answer that is sent. A peer may be behind it by the grace, at
  // the beginning as later; then 408, or the connection is cut. What an answer's source waits for is not counted. An
  // answer has the longer grace, since a kernel with much memory for what its program has not read yet takes in large
  // pieces only, and we see nothing in between.
  Bytes transfer_rate{1 << 10};  // a second
  std::chrono::milliseconds transfer_grace{10'000};
  std::chrono::milliseconds answer_grace{60'000};

  // How long a peer's slowness may keep memory that an answer was lent (LentBody) from its lender.
  std::chrono::milliseconds loan_time{100};

  // Of HTTP/2: requests at once on a connection, beyond which they are refused to be sent again; 0 leaves HTTP/2 out.
  std::size_t http2_streams = 128;
  // Bytes on their way at once to all bodies of a connection together, and to one body that has memory for it.
  Bytes http2_window{1 << 20};
  // A body up to here needs no such memory: 408 and 413 aside, it always arrives.
  Bytes http2_short_body{32 << 10};
  // Memory for the longer ones on one connection. When it is used up the peer's window stays closed for further bodies;
  // a single one may be larger.
  Bytes http2_bodies{16 << 20};
  // Frames without a use (pings, settings, windows, empty data) and requests that were given up before they were
  // answered; then the connection is ended with ENHANCE_YOUR_CALM. What is answered and sent earns some back.
  Borne http2_frames{.burst = 1000, .per_second = 100};
  Borne http2_resets{.burst = 200, .per_second = 20};
  // Answers to settings and pings that the peer does not read; then the connection is cut.
  std::size_t http2_unread_acks = 100;

  std::size_t connections = 256 << 10;  // of one server; more are told 503 and closed
  // Pipelined requests are worked on one after the other; answers are held back to be sent together up to this size.
  Bytes coalesced_bytes{64 << 10};
  // After an error that leaves a request half read, what still comes is thrown away this long, so that the peer reads
  // the answer rather than "connection reset".
  std::chrono::milliseconds linger{2'000};
};

}  // namespace nuclio::http
