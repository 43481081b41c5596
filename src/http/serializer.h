// SPDX-License-Identifier: Apache-2.0
// Responses to bytes, without I/O.
#pragma once
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "http/message.h"

namespace nuclio::http {

enum class KeepAlive : bool { no, yes };

// What of the request decides about the shape of its answer.
struct Answering {
  bool head = false;  // the method was HEAD
  int minor_version = 1;
  KeepAlive keep_alive = KeepAlive::yes;  // what the client and the server's state allow
};

// How the body follows the head.
enum class Sending { nothing, counted, chunked, until_close };

struct Plan {
  Sending sending;
  KeepAlive keep_alive;
};

// Appends status line and headers, with the blank line, to `out`. `date` is what HttpDate gives. A status outside 200
// to 999 becomes 500.
Plan append_head(std::string& out, const Response& response, const Answering& to, std::string_view date);

// In bytes, of one that is no BodySource.
std::uint64_t size_of(const Body& body);

// What stands before the data of a chunk; "\r\n" follows it, and kLastChunk ends the body.
void append_chunk_size(std::string& out, std::size_t size);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";
inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// "Tue, 15 Nov 1994 08:12:31 GMT", made once a second. One thread.
class HttpDate {
 public:
  std::string_view at(std::time_t now);  // valid until the next call
  std::string_view now() { return at(std::time(nullptr)); }

 private:
  std::time_t second_ = -1;
  char text_[30] = "";
};

}  // namespace nuclio::http
