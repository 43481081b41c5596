// SPDX-License-Identifier: Apache-2.0
// Registries with a certificate of their own, and what must not leave TLS.
#include <gmock/gmock.h>

#include "http/test_tls.h"
#include "oci/registry.h"
#include "oci/test_registry.h"

namespace nuclio::oci {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Its certificate is for "localhost".
class SecuredRegistry : public testing::Test, protected TestBench {
 protected:
  SecuredRegistry() {
    http::write_certificate(folder_.at("tls.crt"), folder_.at("tls.key"));
    auto tls = http::Tls::load({.certificate = folder_.at("tls.crt"), .key = folder_.at("tls.key")});
    EXPECT_TRUE(tls) << tls.error().what;
    tls_ = std::move(*tls);
    front_.emplace(loop, behind_, real_.host(), tls_.get());
    const std::string port = front_->host().substr(front_->host().find(':'));
    host_ = "localhost" + port;
    options_.plain_http = PlainHttp::no;
    options_.authorities = folder_.at("tls.crt");
    keychain.add_login(host_, {.user = "tester", .password = "open sesame", .source = "the test"});
    registry_.emplace(loop, client, keychain, host_, options_);
  }
  Result<std::string> pull() {
    return run(registry_->read_blob_text(Repository{"a"}, blob_of(bytes_), Bytes{1000}, soon()));
  }

  const std::string bytes_ = noise(500);
  TestFolder folder_;
  std::unique_ptr<http::Tls> tls_;
  RealRegistry real_{loop};
  http::Client behind_{loop};
  std::optional<FaultyFront> front_;
  std::string host_;
  RegistryOptions options_ = plain_options();
  std::optional<Registry> registry_;
};

TEST_F(SecuredRegistry, IsTrustedByItsAuthorityUnderItsName) {
  // It does not know that TLS ends before it, and says http:// in each Location.
  auto pushed = run(push_simple(*registry_, "a", "1", noise(2'500'000), soon()));
  ASSERT_TRUE(pushed) << pushed.error().what;
  EXPECT_EQ(run(registry_->digest_of(Repository{"a"}, Version{"1"}, soon())), *pushed);

  Registry by_address{loop, client, keychain, front_->host(), options_};
  RegistryOptions without = options_;
  without.authorities.clear();
  Registry unknown{loop, client, keychain, host_, without};
  for (Registry* registry : {&by_address, &unknown}) {
    auto answer = run(registry->preflight(Repository{"a"}, soon()));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().why, Why::forbidden) << answer.error().what;
    EXPECT_THAT(answer.error().what, HasSubstr("the registry " + registry->host() + ": POST https://"));
  }
}

TEST_F(SecuredRegistry, DoesNotLeadAwayFromTls) {
  FaultyFront plain{loop, behind_, ""};
  plain.fault = [](http::Request&) { return answers(http::Response::text(200, "{}")); };
  const std::string elsewhere = "http://" + plain.host();

  front_->fault = [&](http::Request&) {
    http::Response response = http::Response::text(307, "");
    response.headers.add("Location", elsewhere + "/blob");
    return answers(std::move(response));
  };
  auto pulled = pull();
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().why, Why::forbidden);
  EXPECT_THAT(pulled.error().what,
              HasSubstr("is redirected to " + elsewhere + ", away from TLS; that is not followed"));

  front_->fault = [&](http::Request&) {
    http::Response response = http::Response::text(401, "");
    response.headers.add("WWW-Authenticate", "Bearer realm=\"" + elsewhere + "/token\",service=\"s\"");
    return answers(std::move(response));
  };
  pulled = pull();
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().why, Why::forbidden);
  EXPECT_THAT(pulled.error().what, HasSubstr("sends logins to " + elsewhere + " in plain text; that is not done"));

  front_->fault = [&](http::Request&) {
    http::Response response = http::Response::text(202, "");
    response.headers.add("Location", elsewhere + "/upload");
    return answers(std::move(response));
  };
  Registry fresh{loop, client, keychain, host_, options_};
  auto pushed = run(fresh.upload_blob(Repository{"a"}, blob_of(bytes_), bytes_, soon()));
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().why, Why::forbidden);
  EXPECT_THAT(pushed.error().what, HasSubstr("wants uploads in plain text, at " + elsewhere));
  EXPECT_THAT(plain.seen, ElementsAre());
}

}  // namespace
}  // namespace nuclio::oci
