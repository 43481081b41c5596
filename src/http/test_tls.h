// SPDX-License-Identifier: Apache-2.0
// Certificates that are made on the spot, and a client that speaks TLS, for the tests.
#pragma once
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "http/test_server.h"
#include "http/tls.h"

namespace nuclio::http {

// A folder that goes with the test.
class Folder {
 public:
  Folder() {
    std::string path = (std::filesystem::temp_directory_path() / "nuclio-tls-XXXXXX").string();
    EXPECT_NE(mkdtemp(path.data()), nullptr);
    path_ = path;
  }
  Folder(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// Writes a self-signed certificate for "localhost" and its key. `days` from now until it expires; negative: it has.
inline void write_certificate(const std::string& certificate, const std::string& key, int days = 1) {
  EVP_PKEY* pair = EVP_EC_gen("P-256");
  X509* made = X509_new();
  X509_set_version(made, X509_VERSION_3);
  static long serial = 1;
  ASN1_INTEGER_set(X509_get_serialNumber(made), serial++);
  X509_gmtime_adj(X509_getm_notBefore(made), -10 * 86400L);
  X509_gmtime_adj(X509_getm_notAfter(made), days * 86400L);
  X509_set_pubkey(made, pair);
  X509_NAME* name = X509_get_subject_name(made);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(made, name);
  X509_sign(made, pair, EVP_sha256());
  auto write = [](const std::string& path, auto put) {
    std::FILE* file = std::fopen((path + ".new").c_str(), "w");
    ASSERT_NE(file, nullptr);
    EXPECT_EQ(put(file), 1);
    std::fclose(file);
    std::filesystem::rename(path + ".new", path);
  };
  write(key, [&](std::FILE* file) { return PEM_write_PrivateKey(file, pair, nullptr, nullptr, 0, nullptr, nullptr); });
  write(certificate, [&](std::FILE* file) { return PEM_write_X509(file, made); });
  X509_free(made);
  EVP_PKEY_free(pair);
}

struct TlsClientOptions {
  std::string alpn;         // "h2" or "http/1.1"; "" offers nothing
  std::string certificate;  // of the client, with its key
  std::string key;
  int newest = TLS1_3_VERSION;
};

// A client with TLS between it and its Peer's socket.
class TlsPeer {
 public:
  TlsPeer(Loop& loop, int port, const TlsClientOptions& options = {})
      : peer_(loop, port), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    SSL_CTX_set_security_level(context_.get(), 0);  // so that a test may offer what the server must refuse
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), options.newest);
    if (!options.certificate.empty()) {
      EXPECT_EQ(SSL_CTX_use_certificate_file(context_.get(), options.certificate.c_str(), SSL_FILETYPE_PEM), 1);
      EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context_.get(), options.key.c_str(), SSL_FILETYPE_PEM), 1);
    }
    ssl_.reset(SSL_new(context_.get()));
    if (!options.alpn.empty()) {
      std::string offer = static_cast<char>(options.alpn.size()) + options.alpn;
      SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(offer.data()),
                          static_cast<unsigned>(offer.size()));
    }
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl_.get());
  }

  Task<bool> handshake() {
    for (;;) {
      int outcome = SSL_do_handshake(ssl_.get());
      co_await flush();
      if (outcome == 1) co_return true;
      if (SSL_get_error(ssl_.get(), outcome) != SSL_ERROR_WANT_READ) co_return false;
      bool more = co_await receive();
      if (!more) co_return false;
    }
  }
  Task<void> send(std::string bytes) {
    EXPECT_GT(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())), 0);
    co_await flush();
  }
  // Until `end` was read; to the end of the session when it is "" or comes first.
  Task<std::string> read_until(std::string end) {
    std::string got;
    while (end.empty() || got.find(end) == std::string::npos) {
      char buffer[16384];
      int count = SSL_read(ssl_.get(), buffer, sizeof buffer);
      if (count > 0) {
        got.append(buffer, static_cast<std::size_t>(count));
        continue;
      }
      ended_well_ = SSL_get_error(ssl_.get(), count) == SSL_ERROR_ZERO_RETURN;
      if (SSL_get_error(ssl_.get(), count) != SSL_ERROR_WANT_READ) break;
      bool more = co_await receive();
      if (!more) break;
    }
    co_return got;
  }
  // At least one byte; "" at the end.
  Task<std::string> read_some() {
    for (;;) {
      char buffer[16384];
      int count = SSL_read(ssl_.get(), buffer, sizeof buffer);
      if (count > 0) co_return std::string(buffer, static_cast<std::size_t>(count));
      if (SSL_get_error(ssl_.get(), count) != SSL_ERROR_WANT_READ) co_return "";
      bool more = co_await receive();
      if (!more) co_return "";
    }
  }
  SSL* ssl() { return ssl_.get(); }
  bool ended_well() const { return ended_well_; }  // the server said that nothing more comes
  long serial() const {
    std::unique_ptr<X509, decltype(&X509_free)> shown{SSL_get1_peer_certificate(ssl_.get()), X509_free};
    return ASN1_INTEGER_get(X509_get0_serialNumber(shown.get()));
  }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }

 private:
  Task<void> flush() {
    char* bytes = nullptr;
    long count = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &bytes);
    std::string out(bytes, static_cast<std::size_t>(count));
    BIO_reset(SSL_get_wbio(ssl_.get()));
    if (out.empty()) co_return;
    auto sent = co_await peer_.stream().write_all(std::string_view(out), Deadline::in(std::chrono::seconds{5}));
    EXPECT_TRUE(sent);
  }
  Task<bool> receive() {
    char buffer[16384];
    auto count = co_await peer_.stream().read_some(std::span<char>(buffer), Deadline::in(std::chrono::seconds{5}));
    if (!count || *count == 0) co_return false;
    BIO_write(SSL_get_rbio(ssl_.get()), buffer, static_cast<int>(*count));
    co_return true;
  }

  Peer peer_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  std::unique_ptr<SSL, Free> ssl_;
  bool ended_well_ = false;
};

}  // namespace nuclio::http
