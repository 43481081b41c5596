// SPDX-License-Identifier: Apache-2.0
// Calls over HTTPS to a server whose certificate is known beforehand.
#include <gmock/gmock.h>

#include <fstream>
#include <utility>
#include <vector>

#include "http/client.h"
#include "http/test_tls.h"
#include "loop/wait_list.h"

namespace nuclio::http {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Serves with the certificate that is in the folder when it begins; it is for "localhost", and called by its address.
struct SecuredServer : TestServer {
  explicit SecuredServer(const Folder& folder) {
    auto loaded = Tls::load({.certificate = folder / "tls.crt", .key = folder / "tls.key"});
    EXPECT_TRUE(loaded) << loaded.error().what;
    tls = std::move(*loaded);
    auto listener = Listener::listen(loop, Address{"127.0.0.1", 0, ""});
    EXPECT_TRUE(listener) << listener.error().what;
    server.serve(std::move(*listener), tls.get());
    url = "https://" + server.addresses().back().text() + "/a";
  }
  Result<ClientResponse> fetch(ClientRequest request) {
    request.url = url;
    return run_until_done(loop, client.fetch(std::move(request), Deadline::in(5s)));
  }

  std::unique_ptr<Tls> tls;
  std::string url;
  Client client{loop};
};

TEST(ClientTls, TakesTheCertificateThatItKnowsUnderAnyName) {
  Folder folder;
  write_certificate(folder / "tls.crt", folder / "tls.key");
  SecuredServer server{folder};
  auto response = server.fetch({.server_certificate = folder / "tls.crt"});
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->body, "GET /a|");
}

TEST(ClientTls, RefusesEveryOther) {
  Folder folder;
  write_certificate(folder / "tls.crt", folder / "tls.key");
  write_certificate(folder / "other.crt", folder / "other.key");
  SecuredServer server{folder};
  for (const std::string& known : {std::string(), folder / "other.crt", folder / "missing.crt"}) {
    auto response = server.fetch({.server_certificate = known});
    ASSERT_FALSE(response) << known;
    EXPECT_EQ(response.error().why, Why::forbidden) << response.error().what;
    EXPECT_THAT(response.error().what, HasSubstr("GET " + server.url + ": "));
  }
  auto response = server.fetch({.verify_peer = VerifyPeer::no});
  EXPECT_TRUE(response) << response.error().what;
}

TEST(ClientTls, ReadsARenewedCertificateAnew) {
  Folder folder;
  write_certificate(folder / "tls.crt", folder / "tls.key");
  SecuredServer server{folder};
  auto before = server.fetch({.server_certificate = folder / "tls.crt"});
  ASSERT_TRUE(before) << before.error().what;

  write_certificate(folder / "tls.crt", folder / "tls.key");
  auto renewed = Tls::load({.certificate = folder / "tls.crt", .key = folder / "tls.key"});
  auto listener = Listener::listen(server.loop, Address{"127.0.0.1", 0, ""});
  server.server.serve(std::move(*listener), renewed->get());
  server.url = "https://" + server.server.addresses().back().text() + "/a";
  auto after = server.fetch({.server_certificate = folder / "tls.crt"});
  EXPECT_TRUE(after) << after.error().what;
}

TEST(ClientTls, TakesAuthoritiesOfItsOwnForTheRightNameOnly) {
  Folder folder;
  write_certificate(folder / "tls.crt", folder / "tls.key");
  SecuredServer server{folder};
  auto by_address = server.fetch({.authorities = folder / "tls.crt"});
  ASSERT_FALSE(by_address);
  EXPECT_EQ(by_address.error().why, Why::forbidden) << by_address.error().what;
  server.url = "https://localhost:" + std::to_string(server.server.addresses().back().port) + "/a";
  auto unknown = server.fetch({});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().why, Why::forbidden) << unknown.error().what;
  auto by_name = server.fetch({.authorities = folder / "tls.crt"});
  EXPECT_TRUE(by_name) << by_name.error().what;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ClientTls, TakesAuthoritiesAsTextAndNoOthers) {
  Folder folder;
  write_certificate(folder / "tls.crt", folder / "tls.key");
  write_certificate(folder / "other.crt", folder / "other.key");
  SecuredServer server{folder};
  server.url = "https://localhost:" + std::to_string(server.server.addresses().back().port) + "/a";
  auto known = server.fetch({.authority_text = text_of(folder / "tls.crt")});
  EXPECT_TRUE(known) << known.error().what;
  // With the connection of the call before at hand.
  for (const std::string& text : {text_of(folder / "other.crt"), std::string("no PEM"), std::string()}) {
    auto unknown = server.fetch({.authority_text = text});
    ASSERT_FALSE(unknown) << text;
    EXPECT_EQ(unknown.error().why, Why::forbidden) << unknown.error().what;
  }
}

TEST(ClientTls, ChecksTheNameThatItIsToldInsteadOfTheHost) {
  Folder folder;
  write_certificate(folder / "tls.crt", folder / "tls.key");
  SecuredServer server{folder};
  std::string host;
  server.answers = Answers([&host](Request& request) {
    host = request.headers.get("Host");
    return echo(request);
  });
  const std::string text = text_of(folder / "tls.crt");
  auto named = server.fetch({.authority_text = text, .tls_server_name = "localhost"});
  ASSERT_TRUE(named) << named.error().what;
  EXPECT_EQ(named->body, "GET /a|");
  EXPECT_EQ(host, server.server.addresses().back().text());
  auto otherwise = server.fetch({.authority_text = text, .tls_server_name = "elsewhere.example"});
  ASSERT_FALSE(otherwise);
  EXPECT_EQ(otherwise.error().why, Why::forbidden) << otherwise.error().what;
  EXPECT_FALSE(server.fetch({.authority_text = text}));
}

TEST(ClientTls, ShowsItsCertificateAndSharesTheConnectionWithNobodyElse) {
  Folder folder;
  for (const char* name : {"tls", "anna", "bert"})
    write_certificate(folder / (std::string(name) + ".crt"), folder / (std::string(name) + ".key"));
  SecuredServer server{folder};
  auto strict = Tls::load(
      {.certificate = folder / "tls.crt", .key = folder / "tls.key", .client_ca = folder / "anna.crt", .http2 = false});
  ASSERT_TRUE(strict) << strict.error().what;
  auto listener = Listener::listen(server.loop, Address{"127.0.0.1", 0, ""});
  server.server.serve(std::move(*listener), strict->get());
  server.url = "https://" + server.server.addresses().back().text() + "/a";
  const auto as = [&](const std::string& name) {
    ClientRequest request{.verify_peer = VerifyPeer::no, .protocol = Protocol::http1};
    request.client_certificate = name.empty() ? "" : text_of(folder / (name + ".crt"));
    request.client_key = name.empty() ? "" : text_of(folder / (name + ".key"));
    return server.fetch(std::move(request));
  };
  EXPECT_TRUE(as("anna"));
  EXPECT_FALSE(as("bert"));
  EXPECT_FALSE(as(""));
  EXPECT_TRUE(as("anna"));
  auto unfit = server.fetch({.verify_peer = VerifyPeer::no, .client_certificate = "no PEM", .client_key = "none"});
  ASSERT_FALSE(unfit);
  EXPECT_EQ(unfit.error().why, Why::invalid) << unfit.error().what;
}

// Says a word and then nothing for ever.
class Waiting final : public BodySource {
 public:
  explicit Waiting(Loop& loop) : never_(loop) {}
  Task<Result<std::optional<std::string>>> next() override {
    if (std::exchange(begun_, true)) (void)co_await never_.wait();
    co_return "begun";
  }

 private:
  bool begun_ = false;
  WaitList never_;
};

Task<Response> wait_for_ever(Loop& loop) {
  Response response;
  response.body = std::make_unique<Waiting>(loop);
  co_return response;
}

Task<bool> open_three(Client& client, ClientRequest request) {
  std::vector<ClientStream> streams;
  for (int i = 0; i < 3; ++i) {
    auto stream = co_await client.open(request, Deadline::in(5s));
    if (!stream) co_return false;
    streams.push_back(std::move(*stream));
  }
  co_return true;
}

TEST(ClientTls, GivesEachHttp1RequestAConnectionOfItsOwnAlsoWhereHttp2IsOffered) {
  Folder folder;
  write_certificate(folder / "tls.crt", folder / "tls.key");
  for (const auto& [protocol, connections] : {std::pair{Protocol::newest, 1u}, std::pair{Protocol::http1, 3u}}) {
    SecuredServer server{folder};
    server.answers = Answers([&server](Request&) { return wait_for_ever(server.loop); });
    ClientRequest request{.url = server.url, .verify_peer = VerifyPeer::no, .protocol = protocol};
    EXPECT_TRUE(run_until_done(server.loop, open_three(server.client, request)));
    EXPECT_EQ(server.server.connections(), connections);
  }
}

}  // namespace
}  // namespace nuclio::http
