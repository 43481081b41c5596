// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "base/result.h"
#include "http/limits.h"
#include "http/message.h"
#include "http/tls.h"
#include "loop/deadline.h"
#include "loop/group.h"
#include "loop/listener.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio::http {

class BodyPool;
class Connection;
struct Shared;

// Serves HTTP/1.0, 1.1 and 2, plain and through TLS. HTTP/2 is chosen by TLS, or begun by a client that knows. Lives on
// its loop's thread; loop, handler and pool outlive it. Destroying it closes everything and cancels the handlers that
// are at work.
class Server {
 public:
  // Long request bodies are received into memory of `pool`, when there is one.
  Server(Loop& loop, const Limits& limits, Handler& handler, BodyPool* pool = nullptr);
  ~Server();

  // Accepts connections from this listener too, from now on; inherited sockets and Unix sockets likewise. With `tls`,
  // borrowed for as long as connections are accepted, they speak TLS and nothing else.
  void serve(Listener listener, const Tls* tls = nullptr);
  // Connections can be shared out among servers on the loops of several threads: each accepts, so that one whose
  // handler holds up its loop keeps none from getting in; each connection goes to the server that has the fewest; and
  // the limit is that of all together. stand_by() makes this server serve, with `tls` as in serve(), once another that
  // has named it in share_with() does. stop_accepting() of all of them comes before drain() of any; they outlive that.
  void stand_by(const Tls* tls = nullptr);
  // Before serve().
  void share_with(std::vector<Server*> standing_by);
  // Where it listens, in the order of serve(), with the ports that the kernel chose.
  std::vector<Address> addresses() const;
  std::size_t connections() const;

  // The first step of an end that loses no request: from now on each answer says "Connection: close"; after `pause` (in
  // which load balancers learn that we are going), at the latest at the deadline, the listeners are closed. Who
  // connects once this has returned is not served here. To be called once.
  Task<void> stop_accepting(std::chrono::milliseconds pause, Deadline deadline);
  enum class Drained { completely, deadline_passed };
  // The second, which begins with the first when that was left out: idle connections are closed, those that were used
  // just now a moment later, since another request may be on its way; requests that have begun are answered. At the
  // deadline what is left is cancelled. To be called once.
  Task<Drained> drain(Deadline deadline);

 private:
  Task<void> accept(Listener& listener, const Tls* tls);
  bool give(Descriptor& socket, const Tls* tls);
  void rouse_peers(const Listener& listener);
  Task<void> converse(Descriptor socket, const Tls* tls);
  Task<void> converse_in_http2(Connection& begun);
  void turn_away(int socket, Response response);

  std::unique_ptr<Shared> shared_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<Server*> peers_;         // that accept for each other; without this one
  const Tls* tls_ = nullptr;           // for what peers give
  std::atomic<std::size_t> given_{0};  // connections that it has or is about to get; any thread
  Group conversations_;
  Group acceptors_;
};

}  // namespace nuclio::http
