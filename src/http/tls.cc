// SPDX-License-Identifier: Apache-2.0
#include "http/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <string_view>

#include "base/check.h"
#include "base/log.h"
#include "loop/file_watch.h"

namespace nuclio::http {
namespace {

using namespace std::chrono_literals;

// Forward secrecy and authenticated encryption only, as all TLS 1.3 has it.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
// A certificate and its key are two files, replaced one after the other.
constexpr auto kQuiet = 200ms;
constexpr auto kLongestChange = 2s;

// In the format of ALPN: length, name.
constexpr std::string_view kAlpnHttp2 = "\x02h2";
constexpr std::string_view kAlpnHttp1 = "\x08http/1.1";

std::string last_error() {
  unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason ? reason : "unknown error";
}

Result<void> check_readable(const std::string& what, const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0 || access(path.c_str(), R_OK) != 0)
    return fail_errno("reading the " + what + " " + path);
  if (!S_ISREG(info.st_mode)) return fail(Why::invalid, "the " + what + " " + path + " is not a regular file");
  return {};
}

// In place of OpenSSL's question on the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                    unsigned offered_size, void* speaks_http2) {
  std::string ours = speaks_http2 ? std::string(kAlpnHttp2).append(kAlpnHttp1) : std::string(kAlpnHttp1);
  unsigned char* found = nullptr;
  int outcome = SSL_select_next_proto(&found, chosen_size, reinterpret_cast<const unsigned char*>(ours.data()),
                                      static_cast<unsigned>(ours.size()), offered, offered_size);
  if (outcome != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  // What was found lies in `ours`; OpenSSL wants it from somewhere that stays.
  static constexpr unsigned char kNames[] = "h2http/1.1";
  *chosen = *chosen_size == 2 ? kNames : kNames + 2;
  return SSL_TLSEXT_ERR_OK;
}

// What changes when a file is written or another takes its place.
std::string fingerprint(const TlsOptions& options) {
  std::string all;
  for (const std::string& path : {options.certificate, options.key, options.client_ca}) {
    struct stat info{};
    if (path.empty() || stat(path.c_str(), &info) != 0) {
      all += "none ";
      continue;
    }
    for (auto number :
         {static_cast<long>(info.st_ino), static_cast<long>(info.st_size), info.st_mtim.tv_sec, info.st_mtim.tv_nsec})
      all.append(std::to_string(number)).append(" ");
  }
  return all;
}

void warn_about_dates(SSL_CTX* context, const std::string& path) {
  const X509* certificate = SSL_CTX_get0_certificate(context);
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
    log::warn("The certificate has expired: clients will refuse it", {{"certificate", path}});
  if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
    log::warn("The certificate is not valid yet: clients will refuse it", {{"certificate", path}});
}

}  // namespace

// OpenSSL's own socket BIO would raise SIGPIPE, and does not tell whether a read took all that was there.
struct SocketBio {
  static int read(BIO* bio, char* into, int size) {
    auto* session = static_cast<TlsSession*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    for (;;) {
      ssize_t got = ::recv(session->socket_, into, static_cast<std::size_t>(size), MSG_DONTWAIT);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) BIO_set_retry_read(bio);
      session->read_all_ = got < size;
      return static_cast<int>(got);
    }
  }
  static int write(BIO* bio, const char* from, int size) {
    auto* session = static_cast<TlsSession*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    for (;;) {
      ssize_t sent = ::send(session->socket_, from, static_cast<std::size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && errno == EAGAIN) BIO_set_retry_write(bio);
      return static_cast<int>(sent);
    }
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket of a session");
      CHECK(method);
      BIO_meth_set_read(method, read);
      BIO_meth_set_write(method, write);
      BIO_meth_set_ctrl(method, control);
      return method;
    }();
    return made;
  }
};

void TlsSession::Free::operator()(ssl_st* ssl) const { SSL_free(ssl); }

TlsSession::TlsSession(ssl_ctx_st* context, int socket) : socket_(socket), ssl_(SSL_new(context)) {
  BIO* bio = BIO_new(SocketBio::method());
  CHECK(ssl_ && bio);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_accept_state(ssl_.get());
}

TlsSession::~TlsSession() = default;

TlsSession::Handshake TlsSession::shake_hands(Watch& watch) {
  ERR_clear_error();
  int outcome = SSL_do_handshake(ssl_.get());
  if (outcome == 1) return Handshake::done;
  switch (SSL_get_error(ssl_.get(), outcome)) {
    case SSL_ERROR_WANT_READ: watch.drained(Watch::Direction::read); return Handshake::wants_to_read;
    case SSL_ERROR_WANT_WRITE: watch.drained(Watch::Direction::write); return Handshake::wants_to_write;
    default: failure_ = ERR_peek_error() == 0 ? "the connection ended" : last_error(); return Handshake::failed;
  }
}

bool TlsSession::chose_http2() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return kAlpnHttp2.substr(1) == std::string_view(reinterpret_cast<const char*>(name), size);
}

Moved TlsSession::receive(std::span<char> into, std::size_t& count, Watch& watch) {
  ERR_clear_error();
  int outcome = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
  if (outcome == 1) {
    // What OpenSSL holds would wait for ever behind a watch that sleeps until more comes.
    if (read_all_ && SSL_has_pending(ssl_.get()) == 0) watch.drained(Watch::Direction::read);
    return Moved::some;
  }
  count = 0;
  // A read that would have to write first: the peer asks for new keys and does not read. We do not wait for such a one.
  if (SSL_get_error(ssl_.get(), outcome) != SSL_ERROR_WANT_READ) return Moved::gone;
  watch.drained(Watch::Direction::read);
  return Moved::again;
}

Moved TlsSession::send(std::string_view bytes, std::size_t& count, Watch& watch) {
  ERR_clear_error();
  int outcome = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
  if (outcome == 1) return Moved::some;
  count = 0;
  if (SSL_get_error(ssl_.get(), outcome) != SSL_ERROR_WANT_WRITE) return Moved::gone;
  watch.drained(Watch::Direction::write);
  return Moved::again;
}

void TlsSession::close() {
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

void Tls::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Tls::Tls(TlsOptions options, Context context, std::string fingerprint)
    : options_(std::move(options)), context_(std::move(context)), fingerprint_(std::move(fingerprint)) {}

Result<std::unique_ptr<Tls>> Tls::load(TlsOptions options) {
  std::string before = fingerprint(options);
  TRY(Context context, make_context(options));
  return std::unique_ptr<Tls>(new Tls{std::move(options), std::move(context), std::move(before)});
}

Result<Tls::Context> Tls::make_context(const TlsOptions& options) {
  TRY_DO(check_readable("certificate", options.certificate));
  TRY_DO(check_readable("key", options.key));
  ERR_clear_error();
  Context made{SSL_CTX_new(TLS_server_method())};
  SSL_CTX* context = made.get();
  CHECK(context);
  SSL_CTX_set_min_proto_version(context, options.minimum_version == TlsVersion::v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
  CHECK(SSL_CTX_set_cipher_list(context, kCiphers) == 1);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // A write goes as far as it goes, from wherever the bytes lie by then; an idle session holds no buffers.
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);  // otherwise each record takes two reads
  // Sessions are resumed by tickets, which cost the server no memory.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  static constexpr unsigned char kSessions[] = "nuclio";
  SSL_CTX_set_session_id_context(context, kSessions, sizeof kSessions - 1);
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, options.http2 ? context : nullptr);

  if (SSL_CTX_use_certificate_chain_file(context, options.certificate.c_str()) != 1)
    return fail(Why::invalid, "the certificate " + options.certificate + " cannot be used: " + last_error());
  if (SSL_CTX_use_PrivateKey_file(context, options.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    bool other = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH ||
                 ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_TYPE_MISMATCH;
    std::string reason = last_error();
    if (other)
      return fail(Why::invalid,
                  "the key " + options.key + " does not belong to the certificate " + options.certificate);
    return fail(Why::invalid,
                "the key " + options.key + " cannot be used (it must be a PEM file without passphrase): " + reason);
  }
  if (SSL_CTX_check_private_key(context) != 1)
    return fail(Why::invalid, "the key " + options.key + " does not belong to the certificate " + options.certificate);
  if (!options.client_ca.empty()) {
    TRY_DO(check_readable("file of client authorities", options.client_ca));
    STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(options.client_ca.c_str());
    if (!names || SSL_CTX_load_verify_file(context, options.client_ca.c_str()) != 1)
      return fail(Why::invalid, "the client authorities " + options.client_ca + " cannot be used: " + last_error());
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  warn_about_dates(context, options.certificate);
  return made;
}

std::unique_ptr<TlsSession> Tls::begin_session(int socket) const {
  return std::make_unique<TlsSession>(context_.get(), socket);
}

Result<void> Tls::reload() {
  TRY(context_, make_context(options_));
  return {};
}

Task<void> Tls::follow_files(Loop& loop) {
  auto watch = FileWatch::create(loop);
  std::set<std::string> folders;
  for (const std::string& path : {options_.certificate, options_.key, options_.client_ca})
    if (!path.empty()) folders.insert(std::filesystem::path(path).parent_path().string());
  for (const std::string& folder : folders) {
    Result<void> added = watch ? watch->add(folder.empty() ? "." : folder) : fail(watch.error());
    if (added) continue;
    log::warn("A renewed certificate will not be noticed until the next start", {{"reason", added.error().what}});
    co_return;
  }
  for (;;) {
    std::string current = fingerprint(options_);
    if (current != fingerprint_) {
      fingerprint_ = std::move(current);
      if (auto loaded = reload(); loaded) {
        log::info("The certificate was renewed", {{"certificate", options_.certificate}});
      } else {
        log::warn("The certificate's files changed and cannot be used; the one before stays",
                  {{"reason", loaded.error().what}});
      }
    }
    (void)co_await watch->changed(Deadline::never());
    Deadline longest = Deadline::in(kLongestChange);
    bool changing = true;
    while (changing && !longest.passed()) {
      Deadline quiet = earlier(Deadline::in(kQuiet), longest);
      changing = co_await watch->changed(quiet);
    }
  }
}

}  // namespace nuclio::http
