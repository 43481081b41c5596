// SPDX-License-Identifier: Apache-2.0
// What a function answers with, well or badly.
#pragma once
#include <nuclio/abi.h>
#include <nuclio/event.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nuclio {

// Takes the pieces of a response that is sent while it is being made. Lives as long as the function that it was handed
// to.
class Writer final {
 public:
  Writer(const nuclio_host& host, void* call) : host_(host), call_(call) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Waits while the reader is slower than we are. False: nobody reads any more, so there is no use in going on.
  bool write(std::string_view piece) {
    open_ = open_ && (piece.empty() || host_.write(call_, detail::text(piece)) != 0);
    return open_;
  }

 private:
  const nuclio_host& host_;
  void* call_;
  bool open_ = true;
};

// A handler returns one of these or what it can be made of: a text, or a status and a text.
struct Response {
  int status = 200;
  std::string content_type = "text/plain";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // Called after the handler has returned, for the rest of the body; when it throws, the caller sees an answer cut off.
  std::function<void(Writer&)> rest;

  Response() = default;
  Response(std::string text, std::string type = "text/plain", int with_status = 200)
      : status(with_status), content_type(std::move(type)), body(std::move(text)) {}
  Response(const char* text) : body(text) {}
  Response(std::string_view text) : body(text) {}
  Response(int with_status, std::string text) : status(with_status), body(std::move(text)) {}
  Response(std::pair<int, std::string> answer) : Response(answer.first, std::move(answer.second)) {}

  static Response json(std::string text, int status = 200) { return {std::move(text), "application/json", status}; }

  // The body is what `pieces` writes.
  static Response stream(std::function<void(Writer&)> pieces, std::string content_type = "text/plain") {
    Response response("", std::move(content_type));
    response.rest = std::move(pieces);
    return response;
  }

  Response& header(std::string name, std::string value) & {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  Response&& header(std::string name, std::string value) && {
    return std::move(header(std::move(name), std::move(value)));
  }
};

// Thrown by a handler to answer with this status and, as the body, this message. Any other exception becomes a 500
// whose text only the log shows, unless the function is configured to expose it.
struct Error : std::runtime_error {
  int status;
  Error(int with_status, const std::string& message) : std::runtime_error(message), status(with_status) {}
};

}  // namespace nuclio
