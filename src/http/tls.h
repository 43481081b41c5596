// SPDX-License-Identifier: Apache-2.0
// TLS for a server: its certificate, and the sessions of its connections.
#pragma once
#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "loop/loop.h"
#include "loop/task.h"

struct ssl_st;
struct ssl_ctx_st;

namespace nuclio::http {

enum class TlsVersion { v1_2, v1_3 };

struct TlsOptions {
  std::string certificate;  // PEM file: the server's certificate, then those between it and the root
  std::string key;          // PEM file of its private key, without passphrase
  std::string client_ca;    // PEM file of authorities: only clients with a certificate of one of them; "" for all
  TlsVersion minimum_version = TlsVersion::v1_2;
  bool http2 = true;  // offered to clients (by ALPN), beside HTTP/1.1
};

// What one attempt to move bytes came to. `again`: the socket has no more, or takes no more; its watch knows.
enum class Moved { some, again, gone };

// One connection's TLS, over a non-blocking socket. Lives on its loop's thread.
class TlsSession final {
 public:
  // Both are borrowed for as long as this lives.
  TlsSession(ssl_ctx_st* context, int socket);
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  ~TlsSession();

  enum class Handshake { done, wants_to_read, wants_to_write, failed };
  // To be called again when the socket is readable or writable, until it is done. Before that nothing else may be.
  Handshake shake_hands(Watch& watch);
  std::string failure() const { return failure_; }  // of the handshake, for people
  bool chose_http2() const;

  Moved receive(std::span<char> into, std::size_t& count, Watch& watch);
  // At most one record of 16 KiB. After `again` the same bytes must come first in the next call.
  Moved send(std::string_view bytes, std::size_t& count, Watch& watch);
  // Says that nothing more comes, so that the peer can tell the end from a cut.
  void close();

 private:
  friend struct SocketBio;
  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  int socket_;
  bool read_all_ = false;  // the last read from the socket found less than it had room for
  std::string failure_;
  std::unique_ptr<ssl_st, Free> ssl_;
};

// The certificate and the rules of a listener. Sessions that have begun keep what they began with. Lives on one thread.
class Tls final {
 public:
  // Why::not_found, Why::forbidden or Why::invalid, naming the file, when the server could not prove who it is: a file
  // that is missing or no PEM, a key that belongs to another certificate. An expired certificate is a warning in the
  // log.
  static Result<std::unique_ptr<Tls>> load(TlsOptions options);

  // Loads the files anew: connections that come later get the new certificate. An error changes nothing.
  Result<void> reload();
  // Reloads whenever the files change, for ever; the log says so. A file is followed by its folder's entries, which is
  // how Kubernetes renews a secret.
  Task<void> follow_files(Loop& loop);

  std::unique_ptr<TlsSession> begin_session(int socket) const;

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  using Context = std::unique_ptr<ssl_ctx_st, Free>;
  Tls(TlsOptions options, Context context, std::string fingerprint);
  static Result<Context> make_context(const TlsOptions& options);

  TlsOptions options_;
  Context context_;
  std::string fingerprint_;  // of the files, before they were read last
};

}  // namespace nuclio::http
