// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "http/message.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio::http {

enum class VerifyPeer : bool { no, yes };

// Where a request may lead. Who follows what a stranger wrote (a redirect, a URL in a spec) must not be led to what
// only this machine reaches. not_link_local refuses link-local addresses and others where clouds tell secrets;
// beyond_this_machine those of loopback and the unspecified ones, too: whatever name they hide behind, with
// Why::forbidden. The address that counts is the one that would be connected to.
enum class Reach { anywhere, not_link_local, beyond_this_machine };

// What is spoken to a server that speaks both, which TLS tells: HTTP/2, where many requests share a connection, or 1.1,
// where each has one for itself as long as it lasts, so that one that is read slowly holds up no other.
enum class Protocol { newest, http1 };

// Over which connection a request goes: one that is kept from an earlier one, where there is such, or one that is made
// for it and closed behind it. A kept one leads to whom it was made to, who may be about to end.
enum class Connections { kept, of_its_own };

// A part of an open file, read while it is sent. The descriptor is borrowed for as long as the request is on its way.
struct FilePart {
  int descriptor = -1;
  std::uint64_t offset = 0;
  Bytes size;
};

// A request to another server. Redirects are not followed, no proxy is used but the one that is named here, whatever
// the environment says, and only http and https are spoken.
struct ClientRequest {
  std::string method = "GET";
  std::string url;  // its path and query are sent as they stand
  Headers headers;  // Content-Length, Transfer-Encoding, Connection and Expect are left out: they are ours to say
  std::string body;
  std::optional<FilePart> file;  // the body, instead of `body`
  std::string unix_socket;       // connect there instead of the URL's host; "" for TCP
  std::string proxy;             // "" for none
  Bytes max_body{64 << 20};      // of the answer, with fetch(): Why::too_large
  std::chrono::milliseconds connect_timeout{10'000};
  // So long it is tried again while nobody listens there, which is before anything was sent.
  std::chrono::milliseconds refused_patience{0};
  VerifyPeer verify_peer = VerifyPeer::yes;
  // PEM file of the one certificate that the server must show, under whatever name, or of its authorities; "" for the
  // system's authorities and the URL's host. Read for each connection.
  std::string server_certificate = {};
  // PEM file of authorities that count beside the system's; the URL's host must be named by the certificate.
  std::string authorities = {};
  // PEM texts of the only authorities that count, and of who we are: the certificate and its key; "" for none. A
  // connection that was opened as one serves no other, nor one who trusts others.
  std::string authority_text = {};
  std::string client_certificate = {};
  std::string client_key = {};
  std::string tls_server_name = {};  // asked for, and to be named by the certificate, instead of the URL's host
  Protocol protocol = Protocol::newest;
  Connections connections = Connections::kept;
  Reach reach = Reach::anywhere;
};

// Any status is an answer, not an error.
struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};

// An answer whose body is still coming. The body can be put into a Response as it is, which passes it on with
// back-pressure. The client outlives it; destroying it ends the transfer.
struct ClientStream {
  int status = 0;
  Headers headers;
  std::string address;  // of the server, without the port: "192.0.2.1", "2001:db8::1"; "" over a Unix socket
  std::unique_ptr<BodySource> body;
};

// HTTP over libcurl, with connections that are kept and used again. Lives on its loop's thread, and outlives the tasks
// and streams it gave. Destroying a task cancels its transfer.
class Client {
 public:
  explicit Client(Loop& loop);
  ~Client();

  // Errors: Why::unavailable (no connection, or it broke), timeout, invalid (URL, method), forbidden (certificate),
  // too_large. They begin with method and URL: "GET http://127.0.0.1:1/x: connection refused".
  Task<Result<ClientResponse>> fetch(ClientRequest request, Deadline deadline);
  // Gives the answer as soon as its headers are there, by `head`; the body's pieces may take until `all`.
  Task<Result<ClientStream>> open(ClientRequest request, Deadline head, Deadline all = Deadline::never());

 private:
  class Engine;
  class Transfer;
  class Body;
  Task<Result<std::unique_ptr<Transfer>>> begin(ClientRequest request, Deadline head);
  std::unique_ptr<Engine> engine_;
};

}  // namespace nuclio::http
