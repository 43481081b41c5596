// SPDX-License-Identifier: Apache-2.0
// Any bytes as a chunked body: what the decoder says does not depend on how they are cut, and it takes a body for
// complete exactly when a second, slower decoder does, with the same data and the same end.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "http/characters.h"
#include "http/headers.h"
#include "http/parser.h"

namespace nuclio::http {
namespace {

struct Body {
  std::string data;
  std::size_t size = 0;  // in received bytes
  bool operator==(const Body&) const = default;
};

struct Outcome {
  int status = 0;            // of the refusal
  std::optional<Body> body;  // when it is complete
};

// Pieces of `step` bytes, each in memory of its own, so that ASan sees what is read beyond it.
Outcome decode(std::string_view whole, std::size_t step, const Limits& limits) {
  ChunkedDecoder decoder{limits};
  Body body;
  while (!decoder.done() && body.size < whole.size()) {
    std::string_view rest = whole.substr(body.size, step);
    std::vector<char> memory(rest.begin(), rest.end());
    auto taken = decoder.decode({memory.data(), memory.size()}, body.data);
    if (!taken) return {taken.error().status, {}};
    CHECK(*taken == rest.size() || decoder.done());
    CHECK(body.data.size() <= limits.body_bytes.count);
    body.size += *taken;
  }
  if (!decoder.done()) return {};
  return {0, std::move(body)};
}

// name, or name=value, of tokens.
bool is_extension(std::string_view text) {
  std::size_t sign = text.find('=');
  std::string_view value = sign == std::string_view::npos ? "none" : text.substr(sign + 1);
  return sign != 0 && !text.empty() && !value.empty() &&
         std::ranges::all_of(text.substr(0, sign), is_token_character) &&
         std::ranges::all_of(value, is_token_character);
}

// The grammar of RFC 9112, section 7.1, line by line. Nothing when the body is not complete or not right.
std::optional<Body> decode_slowly(std::string_view whole) {
  Body body;
  auto line = [&]() -> std::optional<std::string_view> {
    std::size_t end = whole.find("\r\n", body.size);
    if (end == std::string_view::npos) return {};
    std::string_view text = whole.substr(body.size, end - body.size);
    if (!std::ranges::all_of(text, is_value_character)) return {};
    body.size = end + 2;
    return text;
  };
  for (;;) {
    auto head = line();
    if (!head) return {};
    std::string_view digits = head->substr(0, head->find(';'));
    bool hex = std::ranges::all_of(digits, [](char c) { return hex_value(c) >= 0; });
    if (!hex || digits.empty() || digits.size() > 16) return {};
    if (digits.size() < head->size() && !is_extension(head->substr(digits.size() + 1))) return {};
    std::uint64_t size = std::stoull(std::string(digits), nullptr, 16);
    if (size == 0) break;
    if (size > whole.size() - body.size) return {};
    body.data += whole.substr(body.size, size);
    body.size += size;
    if (!whole.substr(body.size).starts_with("\r\n")) return {};
    body.size += 2;
  }
  for (;;) {
    auto trailer = line();
    if (!trailer) return {};
    if (trailer->empty()) return body;
    std::size_t colon = trailer->find(':');
    if (colon == 0 || colon == std::string_view::npos) return {};
    std::string_view name = trailer->substr(0, colon);
    if (!std::ranges::all_of(name, is_token_character)) return {};
    for (std::string_view framing : {"host", "content-length", "transfer-encoding"})
      if (same_ignoring_case(name, framing)) return {};
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Limits limits;
  limits.header_bytes = Bytes{1024};
  limits.body_bytes = Bytes{2048};
  if (size < 2) return 0;
  // The first byte says how to cut the rest.
  std::string_view whole{reinterpret_cast<const char*>(data) + 1, size - 1};
  Outcome at_once = decode(whole, whole.size(), limits);
  Outcome cut = decode(whole, data[0] + 1, limits);
  CHECK(cut.status == at_once.status && cut.body == at_once.body);
  // The slow one knows no limits.
  if (at_once.status == 413 || at_once.status == 431) return 0;
  CHECK(at_once.body == decode_slowly(whole));
  return 0;
}

}  // namespace nuclio::http
