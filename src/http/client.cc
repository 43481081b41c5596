// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <span>
#include <utility>

#include "base/check.h"
#include "loop/group.h"
#include "loop/poll_set.h"
#include "loop/wait_list.h"

namespace nuclio::http {
namespace {

// A body that is taken slower than it comes is not read further from here on.
constexpr std::size_t kAhead = 256 << 10;
constexpr long kReceiveBuffer = 64 << 10;
constexpr std::size_t kMaxHead = 256 << 10;
// An answer that is waited for may be silent for long, and its server gone meanwhile without a word: after so many
// seconds it is asked, and nine times again, before the connection counts as broken.
constexpr long kSilenceSeconds = 30;
constexpr long kAskAgainSeconds = 10;
constexpr std::chrono::milliseconds kRefusedPause{100};

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

void append(List& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  CHECK(longer);
  (void)list.release();
  list.reset(longer);
}

// For messages: without user name and password, and without the query, which may hold a token.
std::string shown(const ClientRequest& request) {
  std::string url = request.url.substr(0, request.url.find('?'));
  std::size_t host = url.find("://");
  host = host == std::string::npos ? 0 : host + 3;
  std::size_t at = url.substr(host, url.find('/', host) - host).rfind('@');
  if (at != std::string::npos) url.erase(host, at + 1);
  return request.method + " " + url;
}

Why why_of(CURLcode code) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_SSL_CERTPROBLEM: return Why::invalid;
    case CURLE_OPERATION_TIMEDOUT: return Why::timeout;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE: return Why::forbidden;
    default: return Why::unavailable;
  }
}

// Metadata services of clouds, where those tell secrets, are link-local; some have an address elsewhere: Azure
// 168.63.129.16, Alibaba 100.100.100.200, Oracle 192.0.0.192.
Reach reach_of_ip4(std::uint32_t ip) {
  if (ip >> 16 == 0xa9fe || ip == 0xa83f8110 || ip == 0x646464c8 || ip == 0xc00000c0) return Reach::anywhere;
  return ip >> 24 == 127 || ip >> 24 == 0 ? Reach::not_link_local : Reach::beyond_this_machine;
}

Reach reach_of_ip6(const in6_addr& ip) {
  const auto begins = [&](std::initializer_list<unsigned char> bytes) {
    return std::equal(bytes.begin(), bytes.end(), ip.s6_addr);
  };
  const auto inner = [&](std::size_t at) {
    std::uint32_t number = 0;
    std::memcpy(&number, ip.s6_addr + at, sizeof number);
    return ntohl(number);
  };
  if (IN6_IS_ADDR_LINKLOCAL(&ip) || begins({0xfd, 0x00, 0x0e, 0xc2})) return Reach::anywhere;  // the latter: Amazon's
  if (IN6_IS_ADDR_LOOPBACK(&ip) || IN6_IS_ADDR_UNSPECIFIED(&ip)) return Reach::not_link_local;
  // IPv4 within IPv6: mapped, compatible, and by way of NAT64 and 6to4.
  if (IN6_IS_ADDR_V4MAPPED(&ip) || IN6_IS_ADDR_V4COMPAT(&ip) || begins({0x00, 0x64, 0xff, 0x9b}))
    return reach_of_ip4(inner(12));
  return begins({0x20, 0x02}) ? reach_of_ip4(inner(2)) : Reach::beyond_this_machine;
}

// The furthest reach that a request needs to be allowed for this address.
Reach reach_of(const sockaddr& address) {
  if (address.sa_family == AF_INET)
    return reach_of_ip4(ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr));
  if (address.sa_family != AF_INET6) return Reach::anywhere;
  return reach_of_ip6(reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
}

bool is_ours(std::string_view name) {
  return same_ignoring_case(name, "Content-Length") || same_ignoring_case(name, "Transfer-Encoding") ||
         same_ignoring_case(name, "Connection") || same_ignoring_case(name, "Expect");
}

// A URL that names another host than the one to connect to.
struct Detour {
  std::string url;
  std::string connect_to;  // as curl wants it
  std::string host;        // the header
};

Detour detour(const std::string& url, const std::string& name) {
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t end = std::min(url.find_first_of("/?", begin), url.size());
  const std::size_t at = url.substr(0, end).rfind('@');
  const std::size_t host = at == std::string::npos || at < begin ? begin : at + 1;
  const std::string authority = url.substr(host, end - host);
  const std::size_t colon = authority.find(':', authority.starts_with('[') ? authority.find(']') : 0);
  const std::string port = colon == std::string::npos ? "" : authority.substr(colon);
  return {url.substr(0, host) + name + port + url.substr(end),
          "::" + authority.substr(0, colon) + (port.empty() ? ":" : port), authority};
}

List header_list(const Headers& headers) {
  List list;
  for (Header field : headers) {
    if (is_ours(field.name)) continue;
    // curl takes "Name:" for the wish to leave a header out, and "Name;" for an empty value.
    append(list, std::string(field.name) + (field.value.empty() ? std::string(";") : ": " + std::string(field.value)));
  }
  append(list, "Expect:");
  for (const char* name : {"Content-Type", "Accept"})
    if (!headers.has(name)) append(list, std::string(name) + ":");
  if (!headers.has("User-Agent")) append(list, "User-Agent: nuclio");
  return list;
}

}  // namespace

// Drives libcurl by the loop.
class Client::Engine final : private Timer {
 public:
  explicit Engine(Loop& loop) : Timer(loop), loop_(loop), sockets_(loop), driver_(loop) {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    CHECK(ready == CURLE_OK);
    multi_ = curl_multi_init();
    CHECK(multi_);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 64L);
    driver_.spawn(drive());
  }
  ~Engine() override {
    driver_.cancel();
    curl_multi_cleanup(multi_);
  }

  Loop& loop() { return loop_; }
  CURLM* multi() { return multi_; }

 private:
  static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void* known);
  static int on_timer(CURLM*, long milliseconds, void* self) {
    auto& timer = *static_cast<Engine*>(self);
    if (milliseconds < 0) {
      timer.disarm();
    } else {
      timer.arm(Deadline::in(std::chrono::milliseconds{milliseconds}));
    }
    return 0;
  }
  void fire() override { act(CURL_SOCKET_TIMEOUT, 0); }
  Task<void> drive();
  void act(curl_socket_t socket, int events);

  Loop& loop_;
  PollSet sockets_;
  CURLM* multi_ = nullptr;
  Group driver_;
};

// One request on its way. Whoever waits for it is resumed by the loop, never inside one of curl's calls, so that it may
// be destroyed at any moment.
class Client::Transfer {
 public:
  Transfer(Engine& engine, ClientRequest request)
      : engine_(engine),
        request_(std::move(request)),
        headers_to_send_(header_list(request_.headers)),
        changed_(engine.loop()) {}
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() {
    if (!easy_) return;
    curl_multi_remove_handle(engine_.multi(), easy_);
    curl_easy_cleanup(easy_);
  }

  Result<void> start();
  Task<Result<void>> head(Deadline deadline);
  Task<Result<std::optional<std::string>>> next(Deadline deadline);

  int status() const { return status_; }
  std::string address() const {
    char* text = nullptr;
    curl_easy_getinfo(easy_, CURLINFO_PRIMARY_IP, &text);
    return text ? text : "";
  }
  Headers& headers() { return headers_; }
  Bytes max_body() const { return request_.max_body; }
  // Nothing was sent, since nobody listens there.
  bool was_refused() const { return code_ == CURLE_COULDNT_CONNECT; }
  std::unexpected<Error> failed(Why why, std::string_view what) const {
    return fail(why, shown(request_) + ": " + std::string(what));
  }

  void finished(CURLcode code) {
    ended_ = true;
    code_ = code;
    changed_.notify_all();
  }

 private:
  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) {
    return static_cast<Transfer*>(self)->header_line({data, size}) ? size : 0;
  }
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) {
    return static_cast<Transfer*>(self)->piece({data, size}) ? size : CURL_WRITEFUNC_PAUSE;
  }
  static std::size_t on_send(char* into, std::size_t, std::size_t room, void* self) {
    return static_cast<Transfer*>(self)->read_file({into, room});
  }
  static int on_rewind(void* self, curl_off_t offset, int) {
    static_cast<Transfer*>(self)->sent_ = static_cast<std::uint64_t>(offset);
    return CURL_SEEKFUNC_OK;
  }
  static curl_socket_t on_open_socket(void* self, curlsocktype, curl_sockaddr* address) {
    auto& transfer = *static_cast<Transfer*>(self);
    if (reach_of(address->addr) < transfer.request_.reach) {
      transfer.led_inside_ = true;
      return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }
  void secure();
  void blob(CURLoption option, std::string& text);
  void send_file(const FilePart& file);
  std::size_t read_file(std::span<char> into);
  bool header_line(std::string_view line);
  bool piece(std::string_view data);
  std::unexpected<Error> broken() const;

  Engine& engine_;
  ClientRequest request_;
  List headers_to_send_;
  List connect_to_;
  CURL* easy_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  WaitList changed_;
  std::uint64_t sent_ = 0;  // of the file that is the body
  bool led_inside_ = false;
  int status_ = 0;
  Headers headers_;
  std::size_t head_size_ = 0;
  bool has_head_ = false;
  std::string arrived_;
  bool paused_ = false;
  bool ended_ = false;
  CURLcode code_ = CURLE_OK;
};

int Client::Engine::on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
  // A transfer that is paused wants nothing, and neither has a socket that is to be closed anything to be waited for.
  static_assert((CURL_POLL_REMOVE & CURL_POLL_INOUT) == 0);
  unsigned interest =
      (what & CURL_POLL_IN ? PollSet::kReadable : 0u) | (what & CURL_POLL_OUT ? PollSet::kWritable : 0u);
  static_cast<Engine*>(self)->sockets_.set(socket, interest);
  return 0;
}

Task<void> Client::Engine::drive() {
  for (;;) {
    (void)co_await sockets_.ready(Deadline::never());
    std::array<PollSet::Ready, 64> room;
    std::span<PollSet::Ready> ready = sockets_.take(room);
    for (auto [socket, what] : ready) {
      act(socket, (what & PollSet::kReadable ? CURL_CSELECT_IN : 0) |
                      (what & PollSet::kWritable ? CURL_CSELECT_OUT : 0) |
                      (what & PollSet::kBroken ? CURL_CSELECT_ERR : 0));
    }
    // A large download must not keep the others waiting.
    if (!ready.empty()) co_await loop_.yield();
  }
}

void Client::Engine::act(curl_socket_t socket, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, socket, events, &running);
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    char* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    reinterpret_cast<Transfer*>(transfer)->finished(message->data.result);
  }
}

Result<void> Client::Transfer::start() {
  if (!is_header_name(request_.method)) return failed(Why::invalid, "the method must be a token such as GET");
  if (std::ranges::any_of(request_.url, [](unsigned char c) { return c <= ' ' || c == 0x7f; }))
    return failed(Why::invalid, "the URL contains a blank or a control character");
  easy_ = curl_easy_init();
  CHECK(easy_);
  auto set = [this](CURLoption option, auto value) { CHECK(curl_easy_setopt(easy_, option, value) == CURLE_OK); };
  set(CURLOPT_PRIVATE, static_cast<void*>(this));
  set(CURLOPT_URL, request_.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_PROXY, request_.proxy.c_str());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_BUFFERSIZE, kReceiveBuffer);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(request_.connect_timeout.count(), 1)));
  set(CURLOPT_ERRORBUFFER, error_text_.data());
  set(CURLOPT_HTTPHEADER, headers_to_send_.get());
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_TCP_KEEPIDLE, kSilenceSeconds);
  set(CURLOPT_TCP_KEEPINTVL, kAskAgainSeconds);
  if (request_.protocol == Protocol::http1) set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  if (request_.connections == Connections::of_its_own) {
    set(CURLOPT_FRESH_CONNECT, 1L);
    set(CURLOPT_FORBID_REUSE, 1L);
  }
  secure();
  if (request_.reach != Reach::anywhere) {
    set(CURLOPT_OPENSOCKETFUNCTION, &on_open_socket);
    set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
    set(CURLOPT_FRESH_CONNECT, 1L);  // a connection that is kept was perhaps opened by who may go anywhere
  }
  if (!request_.unix_socket.empty()) set(CURLOPT_UNIX_SOCKET_PATH, request_.unix_socket.c_str());

  bool empty_body_counts = request_.method == "POST" || request_.method == "PUT" || request_.method == "PATCH";
  if (request_.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (request_.file) {
    send_file(*request_.file);
  } else if (!request_.body.empty() || empty_body_counts) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(CURLOPT_POSTFIELDS, request_.body.c_str());
  }
  set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  CURLMcode added = curl_multi_add_handle(engine_.multi(), easy_);
  if (added != CURLM_OK) return failed(Why::internal, curl_multi_strerror(added));
  return {};
}

void Client::Transfer::secure() {
  auto set = [this](CURLoption option, auto value) { CHECK(curl_easy_setopt(easy_, option, value) == CURLE_OK); };
  set(CURLOPT_SSL_VERIFYPEER, request_.verify_peer == VerifyPeer::yes ? 1L : 0L);
  bool name_counts = request_.verify_peer == VerifyPeer::yes && request_.server_certificate.empty();
  set(CURLOPT_SSL_VERIFYHOST, name_counts ? 2L : 0L);
  if (!request_.server_certificate.empty()) {
    set(CURLOPT_CAINFO, request_.server_certificate.c_str());
    set(CURLOPT_CA_CACHE_TIMEOUT, 0L);  // it may have been renewed
  }
  if (!request_.authorities.empty()) {
    set(CURLOPT_CAINFO, request_.authorities.c_str());  // the system's are a folder besides
    set(CURLOPT_CA_CACHE_TIMEOUT, 0L);
  }
  if (!request_.authority_text.empty()) {
    blob(CURLOPT_CAINFO_BLOB, request_.authority_text);
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // the system's
  }
  // Curl compares certificate and authorities before it uses a connection or a TLS session again.
  if (!request_.client_certificate.empty()) blob(CURLOPT_SSLCERT_BLOB, request_.client_certificate);
  if (!request_.client_key.empty()) blob(CURLOPT_SSLKEY_BLOB, request_.client_key);
  if (!request_.tls_server_name.empty()) {
    const Detour way = detour(request_.url, request_.tls_server_name);
    append(connect_to_, way.connect_to);
    if (!request_.headers.has("Host")) append(headers_to_send_, "Host: " + way.host);
    set(CURLOPT_URL, way.url.c_str());
    set(CURLOPT_CONNECT_TO, connect_to_.get());
    set(CURLOPT_HTTPHEADER, headers_to_send_.get());
  }
}

void Client::Transfer::blob(CURLoption option, std::string& text) {
  curl_blob memory{text.data(), text.size(), CURL_BLOB_NOCOPY};  // the request outlives the transfer
  CHECK(curl_easy_setopt(easy_, option, &memory) == CURLE_OK);
}

void Client::Transfer::send_file(const FilePart& file) {
  curl_easy_setopt(easy_, CURLOPT_POST, 1L);
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(file.size.count));
  curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &on_send);
  curl_easy_setopt(easy_, CURLOPT_READDATA, static_cast<void*>(this));
  curl_easy_setopt(easy_, CURLOPT_SEEKFUNCTION, &on_rewind);
  curl_easy_setopt(easy_, CURLOPT_SEEKDATA, static_cast<void*>(this));
}

std::size_t Client::Transfer::read_file(std::span<char> into) {
  const FilePart& file = *request_.file;
  const std::size_t want = std::min<std::uint64_t>(into.size(), file.size.count - sent_);
  if (want == 0) return 0;
  const ssize_t got = ::pread(file.descriptor, into.data(), want, static_cast<off_t>(file.offset + sent_));
  if (got <= 0) return CURL_READFUNC_ABORT;  // it was cut meanwhile, or the disk fails
  sent_ += static_cast<std::size_t>(got);
  return static_cast<std::size_t>(got);
}

bool Client::Transfer::header_line(std::string_view line) {
  if (has_head_) return true;  // trailers
  head_size_ += line.size();
  if (head_size_ > kMaxHead) return false;
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    status_ = 0;
    headers_ = {};
    std::string_view code = line.substr(std::min(line.find(' ') + 1, line.size()));
    std::from_chars(code.data(), code.data() + code.size(), status_);
  } else if (std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    headers_.add(line.substr(0, colon), line.substr(colon + 1));
  } else if (line.empty() && status_ >= 200) {  // the end of the head, and not that of "100 Continue"
    has_head_ = true;
    changed_.notify_all();
  }
  return true;
}

bool Client::Transfer::piece(std::string_view data) {
  if (arrived_.size() >= kAhead) {
    paused_ = true;
    return false;
  }
  arrived_.append(data);
  changed_.notify_all();
  return true;
}

std::unexpected<Error> Client::Transfer::broken() const {
  if (led_inside_)
    return failed(Why::forbidden,
                  "this leads to an address that only this machine reaches, which a stranger must not choose");
  if (code_ == CURLE_ABORTED_BY_CALLBACK && request_.file)
    return failed(Why::internal, "the file that is sent could not be read, or became shorter meanwhile");
  long number = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &number);
  if (code_ == CURLE_COULDNT_CONNECT && number != 0) {
    std::string what = std::strerror(static_cast<int>(number));
    what[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(what[0])));
    return failed(Why::unavailable, what);
  }
  return failed(why_of(code_), error_text_[0] ? error_text_.data() : curl_easy_strerror(code_));
}

Task<Result<void>> Client::Transfer::head(Deadline deadline) {
  while (!has_head_) {
    if (ended_ && code_ != CURLE_OK) co_return broken();
    if (ended_) co_return failed(Why::unavailable, "the answer is not HTTP");
    bool changed = co_await changed_.wait(deadline);
    if (!changed && !has_head_ && !ended_) co_return failed(Why::timeout, "no answer came in time");
  }
  co_return Result<void>{};
}

Task<Result<std::optional<std::string>>> Client::Transfer::next(Deadline deadline) {
  while (arrived_.empty()) {
    if (ended_ && code_ != CURLE_OK) co_return broken();
    if (ended_) co_return std::optional<std::string>{};
    bool changed = co_await changed_.wait(deadline);
    if (!changed && arrived_.empty() && !ended_) co_return failed(Why::timeout, "the answer did not end in time");
  }
  std::optional<std::string> piece = std::exchange(arrived_, {});
  if (std::exchange(paused_, false)) curl_easy_pause(easy_, CURLPAUSE_CONT);
  co_return std::move(piece);
}

class Client::Body final : public BodySource {
 public:
  Body(std::unique_ptr<Transfer> transfer, Deadline deadline) : transfer_(std::move(transfer)), deadline_(deadline) {}
  Task<Result<std::optional<std::string>>> next() override { return transfer_->next(deadline_); }

 private:
  std::unique_ptr<Transfer> transfer_;
  Deadline deadline_;
};

Client::Client(Loop& loop) : engine_(std::make_unique<Engine>(loop)) {}
Client::~Client() = default;

// One of which the headers have come.
Task<Result<std::unique_ptr<Client::Transfer>>> Client::begin(ClientRequest request, Deadline head) {
  const Deadline patience = earlier(head, Deadline::in(request.refused_patience));
  while (!patience.passed()) {
    auto transfer = std::make_unique<Transfer>(*engine_, request);
    CO_TRY_DO(transfer->start());
    auto come = co_await transfer->head(head);
    if (come) co_return std::move(transfer);
    if (!transfer->was_refused()) co_return std::unexpected(std::move(come).error());
    co_await engine_->loop().sleep(kRefusedPause);
  }
  auto transfer = std::make_unique<Transfer>(*engine_, std::move(request));
  CO_TRY_DO(transfer->start());
  CO_TRY_DO(co_await transfer->head(head));
  co_return std::move(transfer);
}

Task<Result<ClientResponse>> Client::fetch(ClientRequest request, Deadline deadline) {
  CO_TRY(const auto transfer, co_await begin(std::move(request), deadline));
  ClientResponse response{transfer->status(), std::move(transfer->headers()), {}};
  for (;;) {
    CO_TRY(auto piece, co_await transfer->next(deadline));
    if (!piece) co_return std::move(response);
    if (response.body.size() + piece->size() > transfer->max_body().count)
      co_return transfer->failed(Why::too_large,
                                 "the answer has more than " + std::to_string(transfer->max_body().count) + " bytes");
    response.body += *piece;
  }
}

Task<Result<ClientStream>> Client::open(ClientRequest request, Deadline head, Deadline all) {
  CO_TRY(auto transfer, co_await begin(std::move(request), earlier(head, all)));
  ClientStream stream{transfer->status(), std::move(transfer->headers()), transfer->address(), nullptr};
  stream.body = std::make_unique<Body>(std::move(transfer), all);
  co_return std::move(stream);
}

}  // namespace nuclio::http
