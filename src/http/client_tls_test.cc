// SPDX-License-Identifier: Apache-2.0
// Calls over HTTPS to a server whose certificate is known beforehand.
#include <gmock/gmock.h>

#include <fstream>

#include "http/client.h"
#include "http/test_tls.h"

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

}  // namespace
}  // namespace nuclio::http
