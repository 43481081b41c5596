// SPDX-License-Identifier: Apache-2.0
#include "oci/challenge.h"

#include <gtest/gtest.h>

namespace nuclio::oci {
namespace {

TEST(ParseChallenge, FindsTheOneThatWeCanMeet) {
  using Scheme = Challenge::Scheme;
  const struct {
    std::string header;
    Scheme scheme;
    std::string realm, service, error;
  } table[] = {
      {R"(Basic realm="Registry Realm")", Scheme::basic, "Registry Realm", "", ""},
      {"basic", Scheme::basic, "", "", ""},
      {R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a:pull,push")",
       Scheme::bearer, "https://auth.docker.io/token", "registry.docker.io", ""},
      {R"(BEARER Realm = "https://a/t" , Service = b , error="insufficient_scope")", Scheme::bearer, "https://a/t", "b",
       "insufficient_scope"},
      {R"(Basic realm="x", Bearer realm="https://a/t",service="s")", Scheme::bearer, "https://a/t", "s", ""},
      {R"(Bearer realm="https://a/t",service="s", Basic realm="x")", Scheme::bearer, "https://a/t", "s", ""},
      {R"(Negotiate abc==, Basic realm="a \"b\", c")", Scheme::basic, "a \"b\", c", "", ""},
      {R"(Bearer service="s", Basic realm="x")", Scheme::basic, "x", "", ""},
  };
  for (const auto& item : table) {
    auto challenge = parse_challenge(item.header);
    ASSERT_TRUE(challenge) << item.header;
    EXPECT_EQ(challenge->scheme, item.scheme) << item.header;
    EXPECT_EQ(challenge->realm, item.realm) << item.header;
    EXPECT_EQ(challenge->service, item.service) << item.header;
    EXPECT_EQ(challenge->error, item.error) << item.header;
  }
}

TEST(ParseChallenge, EndsWhateverItReads) {
  for (const std::string& header :
       {std::string(), std::string(",,,"), std::string("==="), std::string("\"\"\""), std::string("Digest realm=\"x\""),
        std::string("Bearer"), std::string("Bearer realm"), std::string(1 << 20, '='), std::string(1 << 20, '"')})
    EXPECT_FALSE(parse_challenge(header)) << header.substr(0, 20);
}

}  // namespace
}  // namespace nuclio::oci
