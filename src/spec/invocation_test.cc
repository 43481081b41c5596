// SPDX-License-Identifier: Apache-2.0
#include "spec/invocation.h"

#include <gmock/gmock.h>

namespace nuclio::spec {
namespace {

using http::VerifyPeer;
using testing::HasSubstr;

FunctionSpec with(HttpTrigger http) {
  FunctionSpec spec;
  Trigger trigger;
  trigger.kind = std::move(http);
  spec.triggers["web"] = trigger;
  return spec;
}

HttpTrigger secured() {
  HttpTrigger http;
  http.tls = HttpTls{.secret_path = "/etc/web"};
  return http;
}

TEST(Invocation, IsPlainHttpUnlessTheTriggerHasTls) {
  for (const FunctionSpec& spec : {FunctionSpec{}, with({})}) {
    http::ClientRequest request;
    ASSERT_TRUE(direct_to_function(request, spec, "127.0.0.1:1", "/a?b=c", VerifyPeer::yes));
    EXPECT_EQ(request.url, "http://127.0.0.1:1/a?b=c");
    EXPECT_EQ(request.server_certificate, "");
  }
}

TEST(Invocation, WantsTheCertificateOfTheSpec) {
  http::ClientRequest request;
  ASSERT_TRUE(direct_to_function(request, with(secured()), "127.0.0.1:1", "/", VerifyPeer::yes));
  EXPECT_EQ(request.url, "https://127.0.0.1:1/");
  EXPECT_EQ(request.verify_peer, VerifyPeer::yes);
  EXPECT_EQ(request.server_certificate, "/etc/web/tls.crt");
}

TEST(Invocation, TakesAnyCertificateWhenToldSo) {
  http::ClientRequest request;
  ASSERT_TRUE(direct_to_function(request, with(secured()), "127.0.0.1:1", "/", VerifyPeer::no));
  EXPECT_EQ(request.url, "https://127.0.0.1:1/");
  EXPECT_EQ(request.verify_peer, VerifyPeer::no);
  EXPECT_EQ(request.server_certificate, "");
}

TEST(Invocation, IsOfTheTriggerThatIsNotDisabled) {
  FunctionSpec spec = with({});
  spec.triggers["another"].kind = secured();
  spec.triggers["another"].disabled = true;
  http::ClientRequest request;
  ASSERT_TRUE(direct_to_function(request, spec, "127.0.0.1:1", "/", VerifyPeer::yes));
  EXPECT_EQ(request.url, "http://127.0.0.1:1/");
}

TEST(Invocation, SaysThatItHasNoCertificateToShow) {
  HttpTrigger http = secured();
  http.tls->client_ca = "ca.crt";
  http::ClientRequest request;
  auto directed = direct_to_function(request, with(http), "127.0.0.1:1", "/", VerifyPeer::no);
  ASSERT_FALSE(directed);
  EXPECT_EQ(directed.error().why, Why::precondition);
  EXPECT_THAT(directed.error().what, HasSubstr("certificate of an authority in /etc/web/ca.crt (tls.clientCA)"));
}

}  // namespace
}  // namespace nuclio::spec
