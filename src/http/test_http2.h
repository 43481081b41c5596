// SPDX-License-Identifier: Apache-2.0
// HTTP/2 by hand: frames as a client sends them, well-behaved or not, for the tests.
#pragma once
#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/test_tls.h"

namespace nuclio::http::frames {

inline constexpr int kSettingsType = 4;
inline constexpr int kGoaway = 7;
inline constexpr char kEndStream = 1;
inline constexpr char kEndHeaders = 4;

inline std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) text += static_cast<char>(value >> shift);
  return text;
}
inline std::uint32_t number_at(std::string_view text, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<unsigned char>(text[i]);
  return value;
}

inline std::string frame(int type, int flags, std::uint32_t stream, const std::string& payload) {
  return number(payload.size(), 3) + static_cast<char>(type) + static_cast<char>(flags) + number(stream, 4) + payload;
}
// An integer of HPACK with a prefix of seven bits.
inline std::string length(std::size_t size) {
  if (size < 127) return std::string(1, static_cast<char>(size));
  std::string text(1, 127);
  for (size -= 127; size >= 128; size >>= 7) text += static_cast<char>(size % 128 + 128);
  return text + static_cast<char>(size);
}
using Fields = std::vector<std::pair<std::string, std::string>>;
inline std::string encoded(const Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields)
    text += std::string(1, '\0') + length(name.size()) + name + length(value.size()) + value;
  return text;
}
inline std::string head(std::uint32_t stream, const std::string& method, const std::string& target,
                        const Fields& more = {}, int flags = kEndHeaders | kEndStream) {
  Fields fields{{":method", method}, {":scheme", "http"}, {":authority", "localhost"}, {":path", target}};
  fields.insert(fields.end(), more.begin(), more.end());
  return frame(1, flags, stream, encoded(fields));
}
inline std::string data(std::uint32_t stream, const std::string& bytes, int flags = 0) {
  return frame(0, flags, stream, bytes);
}
inline std::string settings(const std::string& entries = "") { return frame(kSettingsType, 0, 0, entries); }
inline std::string reset(std::uint32_t stream) { return frame(3, 0, stream, number(NGHTTP2_CANCEL, 4)); }
inline std::string window(std::uint32_t stream, std::uint32_t more) { return frame(8, 0, stream, number(more, 4)); }

inline const std::string kHello = std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + settings();

// What came back for one stream.
struct Answer {
  std::map<std::string, std::string> fields;
  std::string body;
  bool ended = false;
  std::optional<std::uint32_t> reset;
  std::string status() const { return fields.contains(":status") ? fields.at(":status") : ""; }
};

// Reads frames and keeps what they say. Through TLS or not.
class Client {
 public:
  explicit Client(Loop& loop, int port) : peer_(std::in_place, loop, port) { make_inflater(); }
  Client(Loop& loop, int port, const TlsClientOptions& options) : tls_(std::in_place, loop, port, options) {
    make_inflater();
  }
  ~Client() { nghttp2_hd_inflate_del(inflater_); }

  Task<bool> handshake() { co_return co_await tls_->handshake(); }
  Task<void> send(std::string bytes) {
    if (tls_) co_return co_await tls_->send(std::move(bytes));
    co_await peer_->send(std::move(bytes));
  }
  // As send(), where the server may have closed by then.
  Task<bool> try_send(std::string bytes) {
    auto sent = co_await peer_->stream().write_all(std::string_view(bytes), Deadline::in(std::chrono::seconds{5}));
    co_return sent.has_value();
  }
  // Until the stream has ended, or the connection.
  Task<Answer> answer(std::uint32_t stream) {
    while (!answers[stream].ended && !answers[stream].reset) {
      bool more = co_await receive();
      if (!more) break;
    }
    co_return answers[stream];
  }
  Task<void> read_to_end() {
    bool more = true;
    while (more) more = co_await receive();
  }
  Task<bool> receive() {
    std::string got;
    if (tls_) {
      got = co_await tls_->read_some();
    } else {
      char buffer[16384];
      auto count = co_await peer_->stream().read_some(std::span<char>(buffer), Deadline::in(std::chrono::seconds{5}));
      if (count) got.assign(buffer, *count);
    }
    if (got.empty()) co_return false;
    received_ += got;
    take_frames();
    co_return true;
  }

  std::map<std::uint32_t, Answer> answers;
  std::optional<std::uint32_t> goaway;  // its error
  int goaways = 0;
  bool acked = false;

 private:
  void make_inflater() { ASSERT_EQ(nghttp2_hd_inflate_new(&inflater_), 0); }
  void take_frames() {
    while (received_.size() >= 9) {
      std::size_t size = number_at(received_, 0) >> 8;
      if (received_.size() < 9 + size) return;
      int type = received_[3];
      int flags = received_[4];
      std::uint32_t stream = number_at(received_, 5);
      std::string payload = received_.substr(9, size);
      received_.erase(0, 9 + size);
      Answer& to = answers[stream];
      if (type == 0) to.body += payload;
      if (type == 1) inflate(payload, to);
      if (type <= 1 && (flags & kEndStream)) to.ended = true;
      if (type == 3) to.reset = number_at(payload, 0);
      if (type == kSettingsType && flags) acked = true;
      if (type == kGoaway) {
        goaway = number_at(payload, 4);
        ++goaways;
      }
    }
  }
  void inflate(std::string_view payload, Answer& to) {
    auto* at = reinterpret_cast<const std::uint8_t*>(payload.data());
    std::size_t left = payload.size();
    for (;;) {
      nghttp2_nv nv{};
      int flags = 0;
      ssize_t taken = nghttp2_hd_inflate_hd2(inflater_, &nv, &flags, at, left, 1);
      ASSERT_GE(taken, 0);
      at += taken;
      left -= static_cast<std::size_t>(taken);
      if (flags & NGHTTP2_HD_INFLATE_EMIT)
        to.fields[std::string(reinterpret_cast<char*>(nv.name), nv.namelen)] =
            std::string(reinterpret_cast<char*>(nv.value), nv.valuelen);
      if (flags & NGHTTP2_HD_INFLATE_FINAL) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_);
  }

  std::optional<Peer> peer_;
  std::optional<TlsPeer> tls_;
  std::string received_;
  nghttp2_hd_inflater* inflater_ = nullptr;
};

}  // namespace nuclio::http::frames
