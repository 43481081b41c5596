// SPDX-License-Identifier: Apache-2.0
// What a handler gets and what it gives.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "http/headers.h"
#include "loop/deadline.h"
#include "loop/descriptor.h"
#include "loop/task.h"

namespace nuclio::http {

// A received request. All views point into the connection's buffer (or, for a large body, into memory that the
// connection holds, of a BodyPool maybe): they are valid until the handler's Task is done, across its co_awaits too,
// and not a moment longer. Whoever keeps something for later copies it.
struct Request {
  std::string_view method;  // as received; any token, known or not
  std::string_view target;  // as received: "/a%20b?x=1", "*" or "http://host/a"
  std::string_view path;    // the target's path, still percent-encoded: "/a%20b"; never empty
  std::string_view query;   // behind the first '?', without it, still encoded
  int minor_version = 1;    // of HTTP/1.x: 0 or 1
  HeaderViews headers;
  std::string_view body;            // complete, whatever its framing was
  std::string_view remote_address;  // "127.0.0.1:4242", "[::1]:4242", "unix"
  SteadyTime received{};            // when its first byte was seen; a Deadline for the work counts from here
};

// A body that is made while it is sent: logs that are followed, another server's answer passed on. It is asked for the
// next piece when the peer has taken the last one, so a slow reader slows down the source. Destroyed when the peer has
// gone, in the middle of next() too; a peer that has closed its sending side counts as gone.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // The next piece (an empty one is skipped), nothing at the end. After an error the connection is cut, so that the
  // peer does not take what it has for the whole.
  virtual Task<Result<std::optional<std::string>>> next() = 0;
};

enum class DeleteAfterSend : bool { no, yes };

// An open file that is sent as body, from its beginning, by the kernel.
class FileBody {
 public:
  // Why::not_found, Why::forbidden, or Why::invalid when the path names no regular file. With DeleteAfterSend::yes the
  // file is removed once the response is done with, sent or not.
  static Result<FileBody> open(const std::string& path, DeleteAfterSend after = DeleteAfterSend::no);
  FileBody(FileBody&& other) noexcept
      : descriptor_(std::move(other.descriptor_)), size_(other.size_), remove_(std::exchange(other.remove_, {})) {}
  FileBody& operator=(FileBody&& other) noexcept;
  ~FileBody();

  int descriptor() const { return descriptor_.get(); }
  Bytes size() const { return size_; }  // when it was opened; that many bytes are announced

 private:
  FileBody(Descriptor descriptor, Bytes size, std::string remove)
      : descriptor_(std::move(descriptor)), size_(size), remove_(std::move(remove)) {}
  Descriptor descriptor_;
  Bytes size_;
  std::string remove_;  // "" to keep it
};

// Keeps somebody's memory as it is while it lives; destroying it gives the memory back.
class Loan {
 public:
  virtual ~Loan() = default;
};

// A body in lent memory. HTTP/1 sends it from there; HTTP/2, and answers too short to matter, copy it. The loan ends
// once the bytes were sent or copied, or need not be sent (HEAD, 204, a connection that broke): Limits::loan_time after
// the sending began at the latest, since what a slow peer has not taken by then is copied. On the loop's thread.
// Whoever still writes to the memory garbles the answer and harms nobody else.
struct LentBody {
  std::string_view bytes;
  std::unique_ptr<Loan> loan;
};

using Body = std::variant<std::string, FileBody, std::unique_ptr<BodySource>, LentBody>;

// What goes back. Content-Length, Transfer-Encoding, Connection, Date and Server are the server's business: it writes
// them itself. A handler's own Date and Server are kept, its "Connection: close" closes, and its Content-Length counts
// in an answer without body to HEAD.
struct Response {
  int status = 200;  // 200 to 999
  Headers headers;
  Body body;

  static Response text(int status, std::string body, std::string_view content_type = "text/plain; charset=utf-8");
  static Response json(int status, std::string json) { return text(status, std::move(json), "application/json"); }
  // {"error": "<what>", "errorStackTrace": ""} with the status of its Why; Nuclio's clients look for both.
  static Response error(const Error& error);
  static Response empty(int status) { return {status, {}, {}}; }
};

// Who answers requests. One object serves many connections of one loop at once; it outlives the server.
class Handler {
 public:
  virtual ~Handler() = default;
  // `request` outlives the task. The task is not cancelled when the peer goes away, so that what was begun is finished;
  // only Server::drain() at its deadline, and destroying the server, cancel it.
  virtual Task<Response> handle(Request& request) = 0;
};

}  // namespace nuclio::http
