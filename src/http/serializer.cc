// SPDX-License-Identifier: Apache-2.0
#include "http/serializer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "http/characters.h"
#include "http/status.h"
#include "http/writer.h"

namespace nuclio::http {
namespace {

// Of what write_head() writes beside the handler's fields and the date; it comes to 150.
constexpr std::size_t kMostOfOurs = 256;

bool forbids_body(int status) { return status == 204 || status == 304; }

// What the handler's own headers said about the things that are the server's to say.
struct Said {
  bool close = false;
  bool date = false;
  bool server = false;
  std::string_view content_length;
};

// Takes note of a field that the server writes itself; false for all others. Most fields are told apart by the length
// of their name.
bool is_servers_own(const Header& field, Said& said) {
  switch (field.name.size()) {
    case std::string_view("Date").size():
    case std::string_view("Server").size():
    case std::string_view("Connection").size():
    case std::string_view("Content-Length").size():
    case std::string_view("Transfer-Encoding").size(): break;
    default: return false;
  }
  if (same_ignoring_case(field.name, "Connection")) {
    said.close |= has_token(field.value, "close");
    return true;
  }
  if (same_ignoring_case(field.name, "Content-Length")) {
    if (!field.value.empty() && std::ranges::all_of(field.value, is_digit)) said.content_length = field.value;
    return true;
  }
  if (same_ignoring_case(field.name, "Transfer-Encoding") || same_ignoring_case(field.name, "Keep-Alive")) return true;
  said.date |= same_ignoring_case(field.name, "Date");
  said.server |= same_ignoring_case(field.name, "Server");
  return false;
}

constexpr std::uint32_t kServersOwnSizes = Headers::size_bit(std::string_view("Date").size()) |
                                           Headers::size_bit(std::string_view("Server").size()) |
                                           Headers::size_bit(std::string_view("Connection").size()) |
                                           Headers::size_bit(std::string_view("Content-Length").size()) |
                                           Headers::size_bit(std::string_view("Transfer-Encoding").size());

// The handler's fields, as they are when none is the server's to write.
Said write_fields(Writer& out, const Headers& fields) {
  Said said;
  if (!(fields.name_sizes() & kServersOwnSizes)) {
    out << fields.text();
    return said;
  }
  for (Header field : fields)
    if (!is_servers_own(field, said)) out << field.name << ": " << field.value << "\r\n";
  return said;
}

Sending write_framing(Writer& out, const Response& response, const Answering& to, const Said& said) {
  if (forbids_body(response.status)) return Sending::nothing;
  if (std::holds_alternative<std::unique_ptr<BodySource>>(response.body)) {
    if (to.minor_version == 0) return to.head ? Sending::nothing : Sending::until_close;
    out << "Transfer-Encoding: chunked\r\n";
    return to.head ? Sending::nothing : Sending::chunked;
  }
  std::uint64_t size = size_of(response.body);
  out << "Content-Length: ";
  if (to.head && size == 0 && !said.content_length.empty()) {
    out << said.content_length;
  } else {
    out << size;
  }
  out << "\r\n";
  return to.head ? Sending::nothing : Sending::counted;
}

Plan write_head(Writer& out, const Response& response, const Answering& to, std::string_view date) {
  int status = response.status >= 200 && response.status <= 999 ? response.status : 500;
  if (status == 200) {
    out << "HTTP/1.1 200 OK\r\n";
  } else {
    out << "HTTP/1.1 " << static_cast<unsigned>(status) << " " << reason_phrase(status) << "\r\n";
  }
  Said said = write_fields(out, response.headers);
  if (!said.server) out << "Server: nuclio\r\n";
  if (!said.date) out << "Date: " << date << "\r\n";

  Plan plan{write_framing(out, response, to, said), to.keep_alive};
  if (said.close || plan.sending == Sending::until_close) plan.keep_alive = KeepAlive::no;
  if (plan.keep_alive == KeepAlive::no) {
    out << "Connection: close\r\n";
  } else if (to.minor_version == 0) {
    out << "Connection: keep-alive\r\n";
  }
  out << "\r\n";
  return plan;
}

}  // namespace

std::uint64_t size_of(const Body& body) {
  if (auto* text = std::get_if<std::string>(&body)) return text->size();
  if (auto* lent = std::get_if<LentBody>(&body)) return lent->bytes.size();
  return std::get<FileBody>(body).size().count;
}

Plan append_head(std::string& out, const Response& response, const Answering& to, std::string_view date) {
  Plan plan{};
  std::size_t before = out.size();
  std::size_t most = before + kMostOfOurs + date.size() + response.headers.text().size();
  out.resize_and_overwrite(most, [&](char* text, std::size_t) {
    Writer writer{text + before};
    plan = write_head(writer, response, to, date);
    return static_cast<std::size_t>(writer.at() - text);
  });
  return plan;
}

void append_chunk_size(std::string& out, std::size_t size) {
  std::array<char, Writer::kMostDigits> digits;
  auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16);
  out.append(digits.data(), end).append("\r\n");
}

// Not strftime: its names of days and months follow the locale.
std::string_view HttpDate::at(std::time_t now) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (now != second_) {
    second_ = now;
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::snprintf(text_, sizeof text_, "%s, %02u %s %04u %02u:%02u:%02u GMT", kDays[utc.tm_wday], utc.tm_mday % 32u,
                  kMonths[utc.tm_mon], (utc.tm_year + 1900) % 10000u, utc.tm_hour % 24u, utc.tm_min % 60u,
                  utc.tm_sec % 61u);
  }
  return {text_, 29};
}

}  // namespace nuclio::http
