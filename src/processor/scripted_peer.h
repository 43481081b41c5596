// SPDX-License-Identifier: Apache-2.0
// The worker's end of a conversation, as a test scripts it: well-behaved or not.
#pragma once
#include <nuclio_wire.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "loop/loop.h"
#include "loop/stream.h"
#include "loop/task.h"
#include "wire/frame_reader.h"

namespace nuclio::processor {

struct Said {
  int type;
  std::uint64_t call = 0;
  int flags = 0;
  std::vector<std::int64_t> numbers = {};
  std::vector<std::string_view> strings = {};
  std::string_view body = {};
  std::vector<std::pair<std::string_view, std::string_view>> headers = {};
};

inline std::string encoded(const Said& said) {
  std::vector<nuclio_wire_text> strings;
  for (std::string_view text : said.strings) strings.push_back({text.data(), text.size()});
  std::vector<nuclio_wire_pair> headers;
  for (auto [name, value] : said.headers) headers.push_back({{name.data(), name.size()}, {value.data(), value.size()}});
  nuclio_wire_head head{.type = static_cast<std::uint8_t>(said.type),
                        .flags = static_cast<std::uint16_t>(said.flags),
                        .call = said.call,
                        .deadline_ns = 0,
                        .timestamp_ns = 0,
                        .number = said.numbers.data(),
                        .string = strings.data(),
                        .header = headers.data(),
                        .field = nullptr,
                        .numbers = static_cast<std::uint16_t>(said.numbers.size()),
                        .strings = static_cast<std::uint16_t>(strings.size()),
                        .headers = static_cast<std::uint16_t>(headers.size()),
                        .fields = 0,
                        .body_length = said.body.size()};
  std::string out(nuclio_wire_head_size(&head, NUCLIO_WIRE_DEFAULT_LIMIT), '\0');
  CHECK(nuclio_wire_encode(&head, NUCLIO_WIRE_DEFAULT_LIMIT, out.data()) == out.size());
  out += said.body;
  out.append(nuclio_wire_padding(said.body.size()), '\0');
  return out;
}

class ScriptedPeer {
 public:
  ScriptedPeer(Loop& loop, Descriptor socket)
      : write_(::dup(socket.get())), stream_(std::make_unique<Stream>(loop, std::move(socket))) {}

  // False when the socket takes no more.
  bool bytes(std::string_view bytes) {
    return ::write(write_.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  }
  bool say(const Said& said) { return bytes(encoded(said)); }
  void ready() { CHECK(say({.type = NUCLIO_WIRE_START, .numbers = {1}, .strings = {"", "", "script 1.0"}})); }
  Task<Result<wire::Frame>> hear(Deadline deadline) {
    for (;;) {
      CO_TRY(auto frame, reader_.read(*stream_));
      if (frame) co_return std::move(*frame);
      bool in_time = co_await stream_->readable(deadline);
      if (!in_time) co_return fail(Why::timeout, "nothing was heard");
    }
  }
  void close() {
    stream_.reset();
    write_.reset();
  }

 private:
  Descriptor write_;
  std::unique_ptr<Stream> stream_;
  wire::FrameReader reader_{wire::kFrameLimit};
};

}  // namespace nuclio::processor
