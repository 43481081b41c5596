// SPDX-License-Identifier: Apache-2.0
// Bytes to requests, without I/O. Strict: what two HTTP implementations could understand differently is refused, since
// a proxy in front of us would then see other requests than we do (request smuggling). test/vectors/http holds the
// cases.
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "http/limits.h"
#include "http/message.h"

namespace nuclio::http {

// Why a request is refused. The connection cannot be used further: where the next request begins is unknown.
struct Refusal {
  int status;
  std::string_view reason;  // a literal, for the person at the other end
};

enum class Progress { more, done };
enum class Framing { none, length, chunked };

// Request line and headers of one request. parse() may be called again after each read, at no extra cost for what was
// looked at before; what it says does not depend on how the bytes were cut.
class HeadParser {
 public:
  explicit HeadParser(const Limits& limits) : limits_(limits) {}  // borrowed

  // `received` is all that was received of this request: on each call the same bytes and more, at the same place or
  // another. After `done` or a refusal only reset() may follow.
  std::expected<Progress, Refusal> parse(std::string_view received);
  void reset();

  // After `done`:
  std::size_t size() const { return line_; }  // bytes of the head, its blank line included
  Framing framing() const { return seen_.codings ? Framing::chunked : seen_.lengths ? Framing::length : Framing::none; }
  std::uint64_t content_length() const { return seen_.content_length; }  // with Framing::length; within limits
  bool keep_alive() const { return !seen_.close && (minor_version_ > 0 || seen_.keep_alive); }
  bool expects_continue() const { return seen_.expects_continue && minor_version_ > 0; }
  // Sets method, target, path, query, version and headers of `request`, as views into `received`.
  void fill(std::string_view received, Request& request) const;

 private:
  struct Slice {
    std::uint32_t at = 0;
    std::uint32_t size = 0;
    std::string_view of(std::string_view whole) const { return whole.substr(at, size); }
  };
  struct Field {
    Slice name;
    Slice value;
  };
  using Step = std::expected<void, Refusal>;

  Step request_line(std::string_view line);
  Step header_line(std::string_view line);
  Step known_header(std::string_view line, const Header& field);
  Step finish(std::string_view received);
  Slice slice(std::string_view line, std::string_view part) const;

  // What the headers that matter for framing said.
  struct Seen {
    int hosts = 0;
    Slice host;  // the last one
    int lengths = 0;
    int codings = 0;
    std::uint64_t content_length = 0;
    bool close = false;
    bool keep_alive = false;
    bool expects_continue = false;
    bool unknown_expectation = false;
  };

  const Limits& limits_;
  std::size_t line_ = 0;  // where the current line begins
  std::size_t scan_ = 0;  // up to here there is no further line end
  bool in_headers_ = false;
  bool skipped_blank_line_ = false;
  Slice method_;
  Slice target_;
  Slice authority_;  // of an absolute target
  int minor_version_ = 1;
  std::vector<Field> fields_;
  Seen seen_;
};

// A body with Transfer-Encoding: chunked. Extensions and trailers are checked and dropped; both are bounded by
// Limits::header_bytes, the data by Limits::body_bytes.
class ChunkedDecoder {
 public:
  explicit ChunkedDecoder(const Limits& limits) : limits_(limits) {}  // borrowed

  // Takes bytes from the front of `received`, appends the data in them to `body`, and says how many it took: all,
  // unless done() holds then.
  std::expected<std::size_t, Refusal> decode(std::string_view received, std::string& body);
  bool done() const { return state_ == State::done; }

 private:
  enum class State {
    size_start,
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer,
    trailer_lf,
    last_lf,
    done
  };

  std::expected<void, Refusal> step(char c, const std::string& body);

  const Limits& limits_;
  State state_ = State::size_start;
  std::uint64_t left_ = 0;  // of the current chunk
  int digits_ = 0;
  std::size_t overhead_ = 0;  // bytes of extensions and trailers so far
  std::size_t trailers_ = 0;
  std::string line_;  // of the extension or trailer that is being read
};

// "/a%20b?x=1" or "http://host/a%20b?x=1" into "/a%20b" and "x=1".
struct Target {
  std::string_view path;
  std::string_view query;
};
Target split_target(std::string_view target);

}  // namespace nuclio::http
