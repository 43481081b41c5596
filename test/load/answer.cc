// SPDX-License-Identifier: Apache-2.0
#include "load/answer.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace nuclio::load {
namespace {

constexpr std::uint64_t kLargestHead = 64U << 10;

bool same(std::string_view a, std::string_view lower) {
  return std::ranges::equal(a, lower, [](char x, char y) { return std::tolower(static_cast<unsigned char>(x)) == y; });
}

template <class Number>
bool read_number(std::string_view text, Number& number, int base) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc{} && end == text.data() + text.size();
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::size_t Answer::take(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && state_ != State::complete && state_ != State::garbled) {
    state_ = State::partial;
    taken += take_some(bytes.substr(taken));
  }
  return taken;
}

void Answer::closed() {
  if (state_ == State::partial && part_ == Part::until_close) state_ = State::complete;
}

std::size_t Answer::take_some(std::string_view bytes) {
  switch (part_) {
    case Part::until_close: return bytes.size();
    case Part::body:
    case Part::chunk: {
      std::size_t size = std::min<std::uint64_t>(left_, bytes.size());
      left_ -= size;
      if (left_ > 0) return size;
      if (part_ == Part::body)
        state_ = State::complete;
      else
        part_ = Part::chunk_end;
      return size;
    }
    default: {
      std::string_view rest = bytes;
      if (take_line(rest)) line_done();
      return bytes.size() - rest.size();
    }
  }
}

// Moves bytes up to the end of the line into line_; false when more is needed. Lines end in CRLF and in nothing else.
bool Answer::take_line(std::string_view& bytes) {
  std::size_t end = bytes.find('\n');
  std::size_t size = end == std::string_view::npos ? bytes.size() : end + 1;
  head_size_ += size;
  if (head_size_ > kLargestHead) {
    garble();
    return false;
  }
  line_ += bytes.substr(0, size);
  bytes.remove_prefix(size);
  if (end == std::string_view::npos) return false;
  if (!line_.ends_with("\r\n")) {
    garble();
    return false;
  }
  line_.resize(line_.size() - 2);
  return true;
}

void Answer::line_done() {
  switch (part_) {
    case Part::head: head_line(); break;
    case Part::chunk_size: chunk_size(); break;
    case Part::chunk_end:
      if (!line_.empty()) garble();
      head_size_ = 0;
      part_ = Part::chunk_size;
      break;
    default:  // a trailer
      if (line_.empty()) state_ = State::complete;
  }
  line_.clear();
}

void Answer::head_line() {
  std::string_view line = line_;
  if (status_ == 0) {
    if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[8] != ' ' ||
        !read_number(line.substr(9, 3), status_, 10) || status_ < 100 || (line.size() > 12 && line[12] != ' '))
      return garble();
    keep_alive_ = line[7] == '1';
    return;
  }
  if (line.empty()) return head_done();
  std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return garble();
  header(line.substr(0, colon), trimmed(line.substr(colon + 1)));
}

void Answer::header(std::string_view name, std::string_view value) {
  if (same(name, "content-length")) {
    if (has_length_ || !read_number(value, left_, 10)) return garble();
    has_length_ = true;
  } else if (same(name, "transfer-encoding")) {
    if (!same(value, "chunked")) return garble();
    chunked_ = true;
  } else if (same(name, "connection")) {
    if (same(value, "close")) keep_alive_ = false;
    if (same(value, "keep-alive")) keep_alive_ = true;
  }
}

void Answer::head_done() {
  bool interim = status_ < 200;
  bool bodiless = head_only_ || status_ == 204 || status_ == 304;
  if (chunked_ && has_length_) return garble();
  if (interim) {
    status_ = 0;
    has_length_ = chunked_ = false;
  } else if (bodiless || (has_length_ && left_ == 0)) {
    state_ = State::complete;
  } else if (has_length_) {
    part_ = Part::body;
  } else if (chunked_) {
    part_ = Part::chunk_size;
  } else {
    part_ = Part::until_close;
    keep_alive_ = false;
  }
  head_size_ = 0;
}

void Answer::chunk_size() {
  std::string_view size = trimmed(std::string_view{line_}.substr(0, line_.find(';')));
  if (!read_number(size, left_, 16)) return garble();
  part_ = left_ > 0 ? Part::chunk : Part::trailer;
}

}  // namespace nuclio::load
