// SPDX-License-Identifier: Apache-2.0
#include "http/parser.h"

#include <algorithm>
#include <limits>

#include "http/characters.h"

namespace nuclio::http {
namespace {

// Of the request line, beside the target: method, two spaces, version, CR.
constexpr std::size_t kAroundTarget = 64;
constexpr int kMaxChunkDigits = 16;

std::unexpected<Refusal> refuse(int status, std::string_view reason) {
  return std::unexpected(Refusal{status, reason});
}

// The length of the run of characters that `belongs` accepts, at the beginning of `text`.
template <class Belongs>
std::size_t run_of(std::string_view text, Belongs belongs) {
  return std::find_if_not(text.begin(), text.end(), belongs) - text.begin();
}

std::string_view without_scheme(std::string_view target) {
  if (target.starts_with('/')) return {};
  for (std::string_view scheme : {"http://", "https://"})
    if (same_ignoring_case(target.substr(0, scheme.size()), scheme)) return target.substr(scheme.size());
  return {};
}

std::expected<Header, Refusal> split_header(std::string_view line) {
  if (is_blank(line.front())) return refuse(400, "a header line begins with a blank (folded lines are obsolete)");
  std::size_t name_size = run_of(line, is_token_character);
  if (name_size == line.size()) return refuse(400, "a header line has no colon");
  if (name_size == 0 || line[name_size] != ':')
    return refuse(400,
                  "a header name is empty or has a character that is not allowed there, such as a blank before "
                  "the colon");
  std::string_view value = line.substr(name_size + 1);
  if (!all_value_characters(value)) return refuse(400, "a header value contains a control character");
  while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
  while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
  return Header{line.substr(0, name_size), value};
}

// What stands behind the ';' of a chunk's size: "name" or "name=value". More of them, and a value in quotation marks,
// are allowed by the RFC but refused here: nobody sends them, and there are parsers that take what stands behind a
// second ';' for another size.
bool is_chunk_extension(std::string_view text) {
  std::size_t name = run_of(text, is_token_character);
  std::string_view rest = text.substr(name);
  if (name == 0 || rest.empty()) return name > 0;
  return rest.front() == '=' && rest.size() > 1 && run_of(rest.substr(1), is_token_character) == rest.size() - 1;
}

// Somebody who puts trailers among the headers, as some do, would frame the request anew.
bool is_about_framing(std::string_view name) {
  return same_ignoring_case(name, "Content-Length") || same_ignoring_case(name, "Transfer-Encoding") ||
         same_ignoring_case(name, "Host");
}

}  // namespace

Target split_target(std::string_view target) {
  if (std::string_view rest = without_scheme(target); !rest.empty()) {
    std::size_t authority = std::min(rest.find_first_of("/?"), rest.size());
    target = rest.substr(authority);
  }
  std::size_t mark = std::min(target.find('?'), target.size());
  std::string_view path = target.substr(0, mark);
  return {path.empty() ? std::string_view("/") : path, target.substr(std::min(mark + 1, target.size()))};
}

void HeadParser::reset() {
  line_ = scan_ = 0;
  in_headers_ = skipped_blank_line_ = false;
  fields_.clear();
  seen_ = {};
}

std::expected<Progress, Refusal> HeadParser::parse(std::string_view received) {
  std::uint64_t line_limit = std::min(limits_.target_bytes.count + kAroundTarget, limits_.header_bytes.count);
  for (;;) {
    // A peer that speaks TLS or another protocol is told at once, not when the header timeout comes.
    if (!in_headers_ && received.size() > line_ && !is_token_character(received[line_]) && received[line_] != '\r')
      return refuse(400, "this does not begin like an HTTP request");
    std::size_t newline_at = received.find('\n', scan_);
    bool newline = newline_at != std::string_view::npos;
    std::size_t line_end = newline ? newline_at : received.size();
    if (!in_headers_ && line_end - line_ > line_limit) return refuse(414, "the request target is too long");
    if (line_end + (newline ? 1 : 0) > limits_.header_bytes.count) return refuse(431, "the headers are too large");
    scan_ = line_end;
    if (!newline) return Progress::more;
    if (line_end == line_ || received[line_end - 1] != '\r') return refuse(400, "a line does not end in CR LF");

    std::string_view line = received.substr(line_, line_end - 1 - line_);
    if (!line.empty()) {
      auto step = in_headers_ ? header_line(line) : request_line(line);
      if (!step) return std::unexpected(step.error());
      in_headers_ = true;
    }
    line_ = scan_ = line_end + 1;
    if (line.empty()) {
      if (in_headers_) {
        if (auto step = finish(received); !step) return std::unexpected(step.error());
        return Progress::done;
      }
      // Some clients send a line end behind a body; one is harmless.
      if (skipped_blank_line_) return refuse(400, "blank lines stand where a request line should");
      skipped_blank_line_ = true;
    }
  }
}

HeadParser::Slice HeadParser::slice(std::string_view line, std::string_view part) const {
  return {static_cast<std::uint32_t>(line_ + (part.data() - line.data())), static_cast<std::uint32_t>(part.size())};
}

HeadParser::Step HeadParser::request_line(std::string_view line) {
  std::size_t method_size = run_of(line, is_token_character);
  if (method_size == 0 || method_size == line.size() || line[method_size] != ' ')
    return refuse(400, "the request line is not \"METHOD target HTTP/1.1\"");
  std::string_view rest = line.substr(method_size + 1);
  std::size_t target_size = run_of(rest, is_target_character);
  if (target_size == rest.size()) return refuse(400, "the request line has no HTTP version (HTTP/0.9 is not spoken)");
  if (target_size == 0 || rest[target_size] != ' ')
    return refuse(400, "the request target is empty or has a character that is not allowed there");
  if (target_size > limits_.target_bytes.count) return refuse(414, "the request target is too long");

  std::string_view version = rest.substr(target_size + 1);
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) || version[6] != '.' ||
      !is_digit(version[7]) || version[5] == '0')
    return refuse(400, "the HTTP version is not HTTP/1.1 or HTTP/1.0");
  if (version[5] != '1') return refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");

  std::string_view method = line.substr(0, method_size);
  std::string_view target = rest.substr(0, target_size);
  // Nothing but a proxy is asked to connect, and not everybody sees a body in such a request.
  if (method == "CONNECT") return refuse(400, "CONNECT is for proxies");
  std::string_view authority = without_scheme(target);
  authority = authority.substr(0, authority.find_first_of("/?"));
  bool absolute = !authority.empty() && all_host_characters(authority);
  if (target.front() != '/' && !absolute && !(target == "*" && method == "OPTIONS"))
    return refuse(400, "the request target must begin with \"/\" or \"http://\"");
  method_ = slice(line, method);
  target_ = slice(line, target);
  authority_ = absolute ? slice(line, authority) : Slice{};
  minor_version_ = version[7] == '0' ? 0 : 1;
  return {};
}

HeadParser::Step HeadParser::header_line(std::string_view line) {
  auto field = split_header(line);
  if (!field) return std::unexpected(field.error());
  if (fields_.size() == limits_.header_count) return refuse(431, "there are too many headers");
  fields_.push_back({slice(line, field->name), slice(line, field->value)});
  // The names that mean something here are told apart by their lengths, so that most others cost one comparison.
  switch (field->name.size()) {
    case std::string_view("Host").size():
    case std::string_view("Expect").size():
    case std::string_view("Connection").size():
    case std::string_view("Content-Length").size():
    case std::string_view("Transfer-Encoding").size(): return known_header(line, *field);
    default: return {};
  }
}

HeadParser::Step HeadParser::known_header(std::string_view line, const Header& field) {
  auto [name, value] = field;
  // Not everybody takes a tab for a blank, and two of these decide where the request ends.
  auto has_tab = [&] { return line.find('\t') != line.npos; };
  constexpr std::string_view kTab = "a tab stands beside a Content-Length or Transfer-Encoding";
  if (same_ignoring_case(name, "Host")) {
    ++seen_.hosts;
    seen_.host = fields_.back().value;
    if (!all_host_characters(value)) return refuse(400, "the Host header is no host name");
  } else if (same_ignoring_case(name, "Content-Length")) {
    ++seen_.lengths;
    if (has_tab()) return refuse(400, kTab);
    if (value.empty() || run_of(value, is_digit) != value.size()) return refuse(400, "Content-Length is not a number");
    constexpr auto kTooLarge = std::numeric_limits<std::uint64_t>::max();
    seen_.content_length = 0;
    for (char c : value) {
      std::uint64_t digit = c - '0';
      seen_.content_length =
          seen_.content_length > (kTooLarge - digit) / 10 ? kTooLarge : seen_.content_length * 10 + digit;
    }
  } else if (same_ignoring_case(name, "Transfer-Encoding")) {
    ++seen_.codings;
    if (has_tab()) return refuse(400, kTab);
    if (!same_ignoring_case(value, "chunked")) return refuse(400, "Transfer-Encoding is not \"chunked\"");
  } else if (same_ignoring_case(name, "Connection")) {
    seen_.close |= has_token(value, "close");
    seen_.keep_alive |= has_token(value, "keep-alive");
  } else if (same_ignoring_case(name, "Expect")) {
    seen_.expects_continue = same_ignoring_case(value, "100-continue");
    seen_.unknown_expectation |= !seen_.expects_continue;
  }
  return {};
}

HeadParser::Step HeadParser::finish(std::string_view received) {
  bool old = minor_version_ == 0;
  if (seen_.hosts > 1) return refuse(400, "there is more than one Host header");
  if (seen_.hosts == 0 && !old) return refuse(400, "there is no Host header");
  // Some decide by the one who a request is for, some by the other.
  if (seen_.hosts == 1 && authority_.size > 0 && !same_ignoring_case(authority_.of(received), seen_.host.of(received)))
    return refuse(400, "the request target names another host than the Host header");
  if (seen_.lengths > 1) return refuse(400, "there is more than one Content-Length header");
  if (seen_.codings > 1) return refuse(400, "there is more than one Transfer-Encoding header");
  if (seen_.codings && seen_.lengths) return refuse(400, "there are both Content-Length and Transfer-Encoding");
  if (seen_.codings && old) return refuse(400, "HTTP/1.0 has no Transfer-Encoding");
  if (seen_.content_length > limits_.body_bytes.count) return refuse(413, "the body is too large");
  if (seen_.unknown_expectation && !old) return refuse(417, "the only expectation that can be met is 100-continue");
  return {};
}

void HeadParser::fill(std::string_view received, Request& request) const {
  request.method = method_.of(received);
  request.target = target_.of(received);
  auto [path, query] = split_target(request.target);
  request.path = path;
  request.query = query;
  request.minor_version = minor_version_;
  request.headers.clear();
  for (const Field& field : fields_) request.headers.add({field.name.of(received), field.value.of(received)});
}

std::expected<std::size_t, Refusal> ChunkedDecoder::decode(std::string_view received, std::string& body) {
  std::size_t at = 0;
  while (at < received.size() && !done()) {
    if (state_ == State::data) {
      std::string_view data = received.substr(at, left_);
      body.append(data);
      at += data.size();
      left_ -= data.size();
      if (left_ == 0) state_ = State::data_cr;
    } else if (auto stepped = step(received[at++], body); !stepped) {
      return std::unexpected(stepped.error());
    }
  }
  return at;
}

std::expected<void, Refusal> ChunkedDecoder::step(char c, const std::string& body) {
  constexpr std::string_view kBadEnd = "a chunk's line does not end in CR LF";
  switch (state_) {
    case State::size_start:
      left_ = 0;
      digits_ = 0;
      state_ = State::size;
      [[fallthrough]];
    case State::size:
      if (int digit = hex_value(c); digit >= 0) {
        if (++digits_ > kMaxChunkDigits) return refuse(400, "a chunk size has too many digits");
        left_ = left_ << 4 | static_cast<unsigned>(digit);
        return {};
      }
      if (digits_ == 0 || (c != ';' && c != '\r')) return refuse(400, "a chunk size is not a hexadecimal number");
      if (left_ > limits_.body_bytes.count - body.size()) return refuse(413, "the body is too large");
      line_.clear();
      state_ = c == ';' ? State::extension : State::size_lf;
      return {};
    case State::extension:
      if (++overhead_ > limits_.header_bytes.count) return refuse(431, "the chunk extensions are too large");
      if (c != '\r') {
        line_.push_back(c);
        return {};
      }
      if (!is_chunk_extension(line_)) return refuse(400, "a chunk extension is not name or name=value");
      state_ = State::size_lf;
      return {};
    case State::size_lf:
      if (c != '\n') return refuse(400, kBadEnd);
      state_ = left_ == 0 ? State::trailer_start : State::data;
      return {};
    case State::data_cr:
      if (c != '\r') return refuse(400, "a chunk is longer than its size says");
      state_ = State::data_lf;
      return {};
    case State::data_lf:
      if (c != '\n') return refuse(400, kBadEnd);
      state_ = State::size_start;
      return {};
    case State::trailer_start:
      if (c == '\r') {
        state_ = State::last_lf;
        return {};
      }
      line_.clear();
      if (++trailers_ > limits_.header_count) return refuse(431, "there are too many trailers");
      state_ = State::trailer;
      [[fallthrough]];
    case State::trailer:
      if (++overhead_ > limits_.header_bytes.count) return refuse(431, "the trailers are too large");
      if (c == '\r') {
        state_ = State::trailer_lf;
      } else if (!is_value_character(c)) {
        return refuse(400, "a trailer contains a control character");
      } else {
        line_.push_back(c);
      }
      return {};
    case State::trailer_lf:
      if (c != '\n') return refuse(400, kBadEnd);
      {
        auto field = split_header(line_);
        if (!field) return std::unexpected(field.error());
        if (is_about_framing(field->name)) return refuse(400, "a trailer must not be about the request's framing");
      }
      state_ = State::trailer_start;
      return {};
    case State::last_lf:
      if (c != '\n') return refuse(400, kBadEnd);
      state_ = State::done;
      return {};
    case State::data:
    case State::done: break;  // decode() does not come here with these
  }
  return {};
}

}  // namespace nuclio::http
