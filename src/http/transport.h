// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "http/pace.h"
#include "http/tls.h"
#include "loop/deadline.h"
#include "loop/descriptor.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio::http {

// The bytes of one connection, as they are or through TLS. Nothing here waits but secure() and can_send(). Lives on its
// loop's thread.
class Transport final {
 public:
  Transport(Loop& loop, Descriptor socket) : socket_(std::move(socket)), watch_(loop, socket_.get()) {}
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  ~Transport();

  enum class Secured { yes, no, plain };
  // Turns to TLS before anything was received. `plain`: the peer does not speak TLS, and nothing was taken from it.
  // `no`: the peer is gone, was too slow, or the two have no way to speak in common.
  Task<Secured> secure(const Tls& tls, Deadline deadline);
  bool is_secure() const { return tls_ != nullptr; }
  bool chose_http2() const { return tls_ && tls_->chose_http2(); }

  Moved receive(std::span<char> into, std::size_t& count);
  // Some of what the parts hold, from the front. After `again` the next call must begin with the same bytes.
  Moved send(std::span<const iovec> parts, std::size_t& count);
  // From `at` on, which it moves; `some` with `at` unmoved: the file has become shorter.
  Moved send_file(int file, off_t& at, std::uint64_t count);
  // Waits until the socket takes more; false when the peer is behind its pace.
  Task<bool> can_send(Pace& pace);

  // Says that nothing more comes.
  void end_sending();
  // The peer shall not take what it has for the whole: the connection is reset when this is destroyed.
  void cut();

  Watch& watch() { return watch_; }
  int socket() const { return socket_.get(); }

 private:
  Descriptor socket_;  // before watch_: the watch must go first
  Watch watch_;
  std::unique_ptr<TlsSession> tls_;
  bool cut_ = false;
};

}  // namespace nuclio::http
