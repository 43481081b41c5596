// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/log.h"
#include "http/connection.h"
#include "http/http2_connection.h"

namespace nuclio::http {
namespace {

using namespace std::chrono_literals;

// A client that uses its connection again and again does so within this time, also when a busy machine holds it up in
// between: what it then sends without a look at what has come would be lost. Whoever ends a program waits no longer.
constexpr auto kMaySendAgain = 1s;

std::string peer_of(int socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* any = reinterpret_cast<sockaddr*>(&storage);
  if (getpeername(socket, any, &size) != 0 || any->sa_family == AF_UNIX) return "unix";
  char text[INET6_ADDRSTRLEN] = "";
  if (any->sa_family == AF_INET) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(any);
    inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(v4->sin_port));
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(any);
  std::string port = std::to_string(ntohs(v6->sin6_port));
  if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
    inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text, sizeof text);
    return std::string(text) + ":" + port;
  }
  inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
  return "[" + std::string(text) + "]:" + port;
}

}  // namespace

Server::Server(Loop& loop, const Limits& limits, Handler& handler, BodyPool* pool)
    : shared_(new Shared{.loop = loop,
                         .limits = limits,
                         .handler = handler,
                         .date = {},
                         .connections = {},
                         .http2_connections = {},
                         .body_pool = pool}),
      conversations_(loop),
      acceptors_(loop) {}

Server::~Server() = default;

void Server::stand_by(const Tls* tls) { tls_ = tls; }

void Server::share_with(std::vector<Server*> standing_by) { peers_ = std::move(standing_by); }

void Server::serve(Listener listener, const Tls* tls) {
  listeners_.push_back(std::make_unique<Listener>(std::move(listener)));
  if (!peers_.empty()) {
    tls_ = tls;
    rouse_peers(*listeners_.back());
  }
  acceptors_.spawn(accept(*listeners_.back(), tls));
}

// Each listens to a duplicate of the one socket.
void Server::rouse_peers(const Listener& listener) {
  for (Server* peer : peers_) {
    std::vector<Server*> others{this};
    std::ranges::copy_if(peers_, std::back_inserter(others), [&](const Server* other) { return other != peer; });
    auto socket = std::make_shared<Descriptor>(listener.duplicate());
    peer->shared_->loop.post([peer, socket, others = std::move(others)] {
      peer->peers_ = others;
      auto adopted = Listener::adopt(peer->shared_->loop, std::move(*socket));
      if (!adopted) return log::error("a thread cannot accept connections", {{"reason", adopted.error().what}});
      peer->listeners_.push_back(std::make_unique<Listener>(std::move(*adopted)));
      peer->acceptors_.spawn(peer->accept(*peer->listeners_.back(), peer->tls_));
    });
  }
}

std::vector<Address> Server::addresses() const {
  std::vector<Address> all;
  for (const auto& listener : listeners_) all.push_back(listener->address());
  return all;
}

std::size_t Server::connections() const { return conversations_.size(); }

Task<void> Server::accept(Listener& listener, const Tls* tls) {
  for (;;) {
    Descriptor socket = co_await listener.accept();
    if (give(socket, tls) || tls) continue;
    Response response = Response::text(503, "too many connections\n");
    response.headers.add("Retry-After", "1");
    turn_away(socket.get(), std::move(response));
  }
}

// False when there are too many.
bool Server::give(Descriptor& socket, const Tls* tls) {
  Server* taker = this;
  std::size_t fewest = given_;
  std::size_t all = fewest;
  for (Server* peer : peers_) {
    std::size_t has = peer->given_;
    all += has;
    if (has < fewest) {
      taker = peer;
      fewest = has;
    }
  }
  if (all >= shared_->limits.connections) return false;
  ++taker->given_;
  if (taker == this) {
    conversations_.spawn(converse(std::move(socket), tls));
  } else {
    auto moved = std::make_shared<Descriptor>(std::move(socket));
    taker->shared_->loop.post(
        [taker, moved] { taker->conversations_.spawn(taker->converse(std::move(*moved), taker->tls_)); });
  }
  return true;
}

Task<void> Server::converse(Descriptor socket, const Tls* tls) {
  struct Given {
    std::atomic<std::size_t>& count;
    ~Given() { --count; }
  } given{given_};
  std::string peer = peer_of(socket.get());
  Connection connection{*shared_, std::move(socket), std::move(peer)};
  if (tls) {
    Transport& transport = connection.transport();
    auto secured = co_await transport.secure(*tls, Deadline::in(shared_->limits.handshake_timeout));
    if (secured == Transport::Secured::plain)
      turn_away(transport.socket(), Response::text(400, "This port speaks HTTPS, and the request was plain HTTP.\n"));
    if (secured != Transport::Secured::yes) co_return;
  }
  bool http2 = connection.transport().chose_http2();
  if (!http2) co_await connection.run();
  if (http2 || connection.wants_http2()) co_await converse_in_http2(connection);
}

// Of its own, so that the other connections do not carry the memory for it.
Task<void> Server::converse_in_http2(Connection& begun) {
  begun.unlink();
  Http2Connection connection{*shared_, begun.transport(), begun.remote_address()};
  co_await connection.run(std::string(begun.received()));
}

// Costs next to nothing, since that may be what we have left. The request, when it is there already, is read, as a
// socket closed with unread data resets the connection and may take the answer with it.
void Server::turn_away(int socket, Response response) {
  std::string answer;
  append_head(answer, response, {.keep_alive = KeepAlive::no}, shared_->date.now());
  answer += std::get<std::string>(response.body);
  std::array<char, 16384> unread;
  (void)::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL);
  ::shutdown(socket, SHUT_WR);
  (void)::recv(socket, unread.data(), unread.size(), MSG_DONTWAIT);
}

Task<void> Server::stop_accepting(std::chrono::milliseconds pause, Deadline deadline) {
  shared_->draining = true;
  shared_->http2_connections.for_each([](Http2Connection& connection) { connection.drain(); });
  // The caller may be a handler, further down on the stack of what is destroyed here.
  co_await shared_->loop.yield();
  co_await shared_->loop.sleep_until(earlier(Deadline::in(pause), deadline));
  acceptors_.cancel();
  listeners_.clear();
}

Task<Server::Drained> Server::drain(Deadline deadline) {
  if (!shared_->draining) co_await stop_accepting(0ms, deadline);
  // A peer that has just connected or been answered may be sending a request at this very moment, which closing would
  // lose. It gets the time for that, and hears "Connection: close" then; those that were idle for longer go at once.
  SteadyTime lately = shared_->loop.now() - kMaySendAgain;
  shared_->connections.for_each([&](Connection& connection) { connection.close_when_idle_since(lately); });
  shared_->http2_connections.for_each([&](Http2Connection& connection) { connection.finish_when_idle_since(lately); });
  bool empty = co_await conversations_.empty(earlier(Deadline::in(kMaySendAgain), deadline));
  shared_->closing_idle = true;
  shared_->connections.for_each([](Connection& connection) { connection.close_when_idle_since(SteadyTime::max()); });
  shared_->http2_connections.for_each([](Http2Connection& connection) { connection.finish(); });
  if (!empty) empty = co_await conversations_.empty(deadline);
  if (empty) co_return Drained::completely;
  log::warn("Connections were cut since their requests were not answered by the deadline",
            {{"connections", conversations_.size()}});
  conversations_.cancel();
  co_return Drained::deadline_passed;
}

}  // namespace nuclio::http
