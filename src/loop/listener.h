// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "loop/descriptor.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio {

// Where to listen: ":8080" (all addresses, IPv6 too where there is IPv6), "127.0.0.1:0" (0 lets the kernel choose),
// "[::1]:80", "localhost:80" (127.0.0.1), or "unix:/path" (a stale socket file is replaced).
struct Address {
  std::string host;  // "" for all
  int port = 0;
  std::string unix_path;  // set: the other two mean nothing

  std::string text() const;
};
Result<Address> parse_address(std::string_view text);

// A listening socket. Owns its descriptor; lives on its loop's thread.
class Listener {
 public:
  // Why::conflict when something else listens there already: the message names the address.
  static Result<Listener> listen(Loop& loop, const Address& address);
  // A socket that listens already, inherited from the parent.
  static Result<Listener> adopt(Loop& loop, Descriptor descriptor);
  // A bound and listening socket without a loop, to be handed to a child.
  static Result<Descriptor> open(const Address& address);

  Listener(Listener&&) noexcept = default;

  // The next connection, non-blocking, TCP_NODELAY set. Errors that pass by themselves are retried, with a pause when
  // the process is out of descriptors. One coroutine waits at a time.
  Task<Descriptor> accept();
  // Accepts without waiting; nothing when none is pending.
  Descriptor try_accept();
  Watch::Wait readable(Deadline deadline) { return watch_->readable(deadline); }

  // The same socket once more, for adopt() on another loop: whoever comes first accepts.
  Descriptor duplicate() const;

  const Address& address() const { return address_; }  // with the port that the kernel chose
  int descriptor() const { return descriptor_.get(); }

 private:
  Listener(Loop& loop, Descriptor descriptor, Address address);
  Loop* loop_;
  Descriptor descriptor_;
  std::unique_ptr<Watch> watch_;
  Address address_;
};

}  // namespace nuclio
