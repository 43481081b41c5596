// SPDX-License-Identifier: Apache-2.0
#include "http/http2_head.h"

#include <algorithm>
#include <limits>

#include "http/characters.h"

namespace nuclio::http {
namespace {

// What stands around a field in HTTP/1.1, so that one limit means the same for both.
constexpr std::size_t kAroundField = std::string_view(": \r\n").size();

std::uint64_t number_of(std::string_view digits) {
  constexpr auto kTooLarge = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t number = 0;
  for (char c : digits) {
    std::uint64_t digit = static_cast<unsigned char>(c - '0');
    number = digit > 9 || number > (kTooLarge - digit) / 10 ? kTooLarge : number * 10 + digit;
  }
  return number;
}

}  // namespace

void Http2Head::refuse(int status, std::string_view reason) {
  if (!refusal_) refusal_ = Refusal{status, reason};
}

Http2Head::Slice Http2Head::keep(std::string_view text) {
  Slice slice{static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(text.size())};
  text_ += text;
  return slice;
}

void Http2Head::add(std::string_view name, std::string_view value, const Limits& limits) {
  bytes_ += name.size() + value.size() + kAroundField;
  if (bytes_ > limits.header_bytes.count) return refuse(431, "the headers are too large");
  if (name.starts_with(':')) return pseudo(name, value);
  if (++count_ > limits.header_count) return refuse(431, "there are too many headers");
  // A client may send each cookie on its own, which compresses better; functions expect one field.
  if (name == "cookie") {
    if (!cookies_.empty()) cookies_ += "; ";
    cookies_ += value;
    return;
  }
  known(name, value);
  Slice kept = keep(name);
  fields_.push_back({kept, keep(value)});
  if (name == "host") host_ = fields_.back().value;
}

void Http2Head::pseudo(std::string_view name, std::string_view value) {
  if (name == ":method") method_ = keep(value);
  if (name == ":path") target_ = keep(value);
  if (name == ":authority") authority_ = keep(value);
}

void Http2Head::known(std::string_view name, std::string_view value) {
  if (name == "content-length") {
    content_length_ = number_of(value);
  } else if (name == "expect") {
    expects_continue_ = same_ignoring_case(value, "100-continue");
    if (!expects_continue_) refuse(417, "the only expectation that can be met is 100-continue");
  }
}

std::optional<Refusal> Http2Head::finish(const Limits& limits) {
  std::string_view target = of(target_);
  if (target.size() > limits.target_bytes.count) refuse(414, "the request target is too long");
  bool asterisk = target == "*" && of(method_) == "OPTIONS";
  if (!target.starts_with('/') && !asterisk) refuse(400, "the request target must begin with \"/\"");
  if (!std::ranges::all_of(target, is_target_character))
    refuse(400, "the request target has a character that is not allowed there");
  if (host_.size > 0 && authority_.size > 0 && !same_ignoring_case(of(host_), of(authority_)))
    refuse(400, "the Host header and the authority differ");
  if (content_length_.value_or(0) > limits.body_bytes.count) refuse(413, "the body is too large");
  return refusal_;
}

void Http2Head::fill(Request& request) const {
  request.method = of(method_);
  request.target = of(target_);
  auto [path, query] = split_target(request.target);
  request.path = path;
  request.query = query;
  request.minor_version = 1;
  request.headers.clear();
  if (host_.size == 0 && authority_.size > 0) request.headers.add({"host", of(authority_)});
  for (const Field& field : fields_) request.headers.add({of(field.name), of(field.value)});
  if (!cookies_.empty()) request.headers.add({"cookie", cookies_});
}

}  // namespace nuclio::http
