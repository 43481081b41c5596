// SPDX-License-Identifier: Apache-2.0
#include "loop/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace nuclio {
namespace {

using namespace std::chrono_literals;
constexpr int kBacklog = 4096;
constexpr auto kPauseWithoutDescriptors = 100ms;

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
  sockaddr_un path;
};

Result<socklen_t> fill(const Address& address, SocketAddress& out) {
  std::memset(&out, 0, sizeof out);
  if (!address.unix_path.empty()) {
    if (address.unix_path.size() >= sizeof out.path.sun_path)
      return fail(Why::invalid, "socket path \"" + address.unix_path + "\" is longer than 107 bytes");
    out.path.sun_family = AF_UNIX;
    std::memcpy(out.path.sun_path, address.unix_path.data(), address.unix_path.size());
    return sizeof out.path;
  }
  auto port = htons(static_cast<std::uint16_t>(address.port));
  if (address.host.empty()) {
    out.v6.sin6_family = AF_INET6;
    out.v6.sin6_port = port;
    out.v6.sin6_addr = in6addr_any;
    return sizeof out.v6;
  }
  std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
  if (inet_pton(AF_INET, host.c_str(), &out.v4.sin_addr) == 1) {
    out.v4.sin_family = AF_INET;
    out.v4.sin_port = port;
    return sizeof out.v4;
  }
  if (inet_pton(AF_INET6, host.c_str(), &out.v6.sin6_addr) == 1) {
    out.v6.sin6_family = AF_INET6;
    out.v6.sin6_port = port;
    return sizeof out.v6;
  }
  return fail(Why::invalid, "\"" + host + "\" is no IP address to listen on; use 127.0.0.1, 0.0.0.0, [::1] or nothing");
}

Result<Address> address_of(int descriptor) {
  SocketAddress bound{};
  socklen_t size = sizeof bound;
  if (getsockname(descriptor, &bound.any, &size) != 0) return fail_errno("reading the address of a listening socket");
  char text[INET6_ADDRSTRLEN] = "";
  Address address;
  if (bound.any.sa_family == AF_UNIX) {
    address.unix_path = bound.path.sun_path;
  } else if (bound.any.sa_family == AF_INET) {
    inet_ntop(AF_INET, &bound.v4.sin_addr, text, sizeof text);
    address.port = ntohs(bound.v4.sin_port);
    address.host = bound.v4.sin_addr.s_addr == INADDR_ANY ? "" : text;
  } else {
    inet_ntop(AF_INET6, &bound.v6.sin6_addr, text, sizeof text);
    address.port = ntohs(bound.v6.sin6_port);
    address.host = IN6_IS_ADDR_UNSPECIFIED(&bound.v6.sin6_addr) ? "" : text;
  }
  return address;
}

Result<Descriptor> bind_and_listen(const Address& address, SocketAddress& where, socklen_t size) {
  Descriptor socket{::socket(where.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket) return fail_errno("opening a socket");
  int yes = 1;
  int no = 0;
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (where.any.sa_family == AF_INET6) setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  if (where.any.sa_family == AF_UNIX) ::unlink(where.path.sun_path);
  if (bind(socket.get(), &where.any, size) != 0 || ::listen(socket.get(), kBacklog) != 0) {
    if (errno == EADDRINUSE)
      return fail(Why::conflict, "cannot listen on " + address.text() + ": the port is in use by another process");
    return fail_errno("listening on " + address.text());
  }
  return socket;
}

}  // namespace

std::string Address::text() const {
  if (!unix_path.empty()) return "unix:" + unix_path;
  std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return shown + ":" + std::to_string(port);
}

Result<Address> parse_address(std::string_view text) {
  Address address;
  if (text.starts_with("unix:")) {
    address.unix_path = text.substr(5);
    if (address.unix_path.empty()) return fail(Why::invalid, "address \"unix:\" lacks the path of the socket");
    return address;
  }
  std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return fail(Why::invalid, "address must be host:port or :port, is \"" + std::string(text) + "\"");
  std::string_view host = text.substr(0, colon);
  std::string_view digits = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (error != std::errc{} || end != digits.data() + digits.size() || address.port < 0 || address.port > 65535)
    return fail(Why::invalid, "port must be a number from 0 to 65535, is \"" + std::string(digits) + "\"");
  address.host = host;
  return address;
}

Listener::Listener(Loop& loop, Descriptor descriptor, Address address)
    : loop_(&loop),
      descriptor_(std::move(descriptor)),
      watch_(std::make_unique<Watch>(loop, descriptor_.get())),
      address_(std::move(address)) {}

Result<Descriptor> Listener::open(const Address& address) {
  SocketAddress where;
  TRY(socklen_t size, fill(address, where));
  auto socket = bind_and_listen(address, where, size);
  if (socket || !address.unix_path.empty() || !address.host.empty() || errno != EAFNOSUPPORT) return socket;
  // A machine without IPv6: all addresses means all of IPv4.
  Address v4 = address;
  v4.host = "0.0.0.0";
  TRY(size, fill(v4, where));
  return bind_and_listen(address, where, size);
}

Result<Listener> Listener::listen(Loop& loop, const Address& address) {
  TRY(auto socket, open(address));
  return adopt(loop, std::move(socket));
}

Result<Listener> Listener::adopt(Loop& loop, Descriptor descriptor) {
  int listens = 0;
  socklen_t size = sizeof listens;
  if (getsockopt(descriptor.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || !listens)
    return fail(Why::invalid, "descriptor " + std::to_string(descriptor.get()) + " is no listening socket");
  fcntl(descriptor.get(), F_SETFD, FD_CLOEXEC);
  fcntl(descriptor.get(), F_SETFL, fcntl(descriptor.get(), F_GETFL) | O_NONBLOCK);
  TRY(auto address, address_of(descriptor.get()));
  return Listener{loop, std::move(descriptor), std::move(address)};
}

Descriptor Listener::duplicate() const { return Descriptor{fcntl(descriptor_.get(), F_DUPFD_CLOEXEC, 0)}; }

Descriptor Listener::try_accept() {
  for (;;) {
    int connection = accept4(descriptor_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection >= 0) {
      int yes = 1;
      setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      return Descriptor{connection};
    }
    if (errno == EAGAIN) watch_->drained(Watch::Direction::read);
    if (errno != EINTR && errno != ECONNABORTED) return {};
  }
}

Task<Descriptor> Listener::accept() {
  for (;;) {
    Descriptor connection = try_accept();
    if (connection) co_return std::move(connection);
    if (errno == EAGAIN) {
      (void)co_await watch_->readable(Deadline::never());
    } else {
      co_await loop_->sleep(kPauseWithoutDescriptors);
    }
  }
}

}  // namespace nuclio
