// SPDX-License-Identifier: Apache-2.0
// A token server as registries know them, for the tests.
#pragma once
#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <ctime>
#include <string>
#include <vector>

#include "base/base64.h"
#include "http/test_server.h"
#include "http/test_tls.h"
#include "oci/test_registry.h"

namespace nuclio::oci {

// Gives tokens that Debian's docker-registry takes. "tester" with "open sesame", and whoever shows the refresh token
// "refresh me", may do all that they ask for; nobody may push to "closed"; all others may pull from "public".
class TokenServer {
 public:
  TokenServer(Loop& loop, const TestFolder& folder)
      : certificate_(folder.at("token.crt")),
        key_(folder.at("token.key")),
        answers_([this](http::Request& r) { return answer(r); }),
        server_(loop, http::Limits{}, answers_) {
    http::write_certificate(certificate_, key_);
    auto listener = Listener::listen(loop, Address{"127.0.0.1", 0, ""});
    EXPECT_TRUE(listener) << listener.error().what;
    server_.serve(std::move(*listener));
  }
  std::string realm() const { return "http://" + server_.addresses().front().text() + "/token"; }
  const std::string& certificate() const { return certificate_; }

  std::vector<std::string> asked;  // the queries and forms
  int stale = 0;                   // so many tokens from now on have expired when they arrive
  int busy = 0;                    // so many answers from now on are 503
  long life_seconds = 300;         // what it says

 private:
  static std::string base64url(std::string_view bytes) {
    std::string text = encode_base64(bytes);
    for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    text.resize(text.find_last_not_of('=') + 1);
    return text;
  }
  static std::string slurp(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // The certificate's DER is what stands between the lines of its PEM.
  std::string certificate_base64() const {
    std::string pem = slurp(certificate_);
    std::string text = pem.substr(pem.find('\n'), pem.rfind("-----END") - pem.find('\n'));
    std::erase(text, '\n');
    return text;
  }
  std::string sign(const std::string& text) const {
    const std::string pem = slurp(key_);
    BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    unsigned char der[128];
    std::size_t size = sizeof der;
    EXPECT_EQ(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key), 1);
    EXPECT_EQ(EVP_DigestSign(context, der, &size, reinterpret_cast<const unsigned char*>(text.data()), text.size()), 1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    const unsigned char* at = der;
    ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size));
    std::string raw(64, '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), reinterpret_cast<unsigned char*>(raw.data()), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), reinterpret_cast<unsigned char*>(raw.data()) + 32, 32);
    ECDSA_SIG_free(signature);
    return raw;
  }
  std::string token(const std::string& access) {
    const long now = std::time(nullptr);
    const long until = stale > 0 ? now - 3600 : now + 3600;
    if (stale > 0) --stale;
    const std::string head = R"({"typ":"JWT","alg":"ES256","x5c":[")" + certificate_base64() + "\"]}";
    const std::string claims = R"({"iss":"test","sub":"tester","aud":"test","jti":"1","iat":)" +
                               std::to_string(now - 7200) + ",\"nbf\":" + std::to_string(now - 7200) +
                               ",\"exp\":" + std::to_string(until) + ",\"access\":[" + access + "]}";
    const std::string text = base64url(head) + "." + base64url(claims);
    return text + "." + base64url(sign(text));
  }
  static std::string decoded(std::string text) {
    for (std::size_t at; (at = text.find("%20")) != std::string::npos;) text.replace(at, 3, " ");
    for (std::size_t at; (at = text.find("%2C")) != std::string::npos;) text.replace(at, 3, ",");
    return text;
  }
  // "repository:a:pull,push" and the like, one after the other.
  static std::vector<std::string> scopes_of(std::string query) {
    std::vector<std::string> scopes;
    query += "&";
    for (std::size_t at; (at = query.find('&')) != std::string::npos; query.erase(0, at + 1)) {
      if (!query.starts_with("scope=")) continue;
      std::string rest = decoded(query.substr(6, at - 6)) + " ";
      for (std::size_t blank; (blank = rest.find(' ')) != std::string::npos; rest.erase(0, blank + 1))
        if (blank > 0) scopes.push_back(rest.substr(0, blank));
    }
    return scopes;
  }
  Task<http::Response> answer(http::Request& request) {
    const std::string query(request.method == "POST" ? request.body : request.query);
    asked.push_back(query);
    if (busy > 0) {
      --busy;
      co_return http::Response::text(503, "later");
    }
    const std::string_view login = request.headers.get("Authorization");
    bool known = login == "Basic " + encode_base64("tester:open sesame");
    if (request.method == "POST") known = query.find("refresh_token=refresh%20me") != std::string::npos;
    if (!known && (!login.empty() || request.method == "POST")) co_return http::Response::text(401, "who are you");
    std::string access;
    for (const std::string& scope : scopes_of(query)) {
      const std::size_t begin = scope.find(':') + 1;
      const std::string name = scope.substr(begin, scope.rfind(':') - begin);
      std::string actions;
      if (known || name == "public") actions = "\"pull\"";
      if (known && name != "closed" && scope.ends_with("push")) actions += ",\"push\"";
      access += (access.empty() ? "" : ",") + (R"({"type":"repository","name":")" + name) + R"(","actions":[)" +
                actions + "]}";
    }
    co_return http::Response::json(
        200, R"({"token":")" + token(access) + R"(","expires_in":)" + std::to_string(life_seconds) + "}");
  }

  std::string certificate_;
  std::string key_;
  http::Answers answers_;
  http::Server server_;
};

}  // namespace nuclio::oci
