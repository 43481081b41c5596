// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/jwt.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <string>

namespace nuclio::dashboard {
namespace {

using ::testing::HasSubstr;
namespace json = boost::json;

// The example of RFC 7515, appendix A.3.
constexpr const char* kHeader = "eyJhbGciOiJFUzI1NiJ9";
constexpr const char* kClaims =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
constexpr const char* kSignature =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
constexpr const char* kKeys = R"({"keys": [{"kty": "oct", "k": "AA"}, {"kty": "EC", "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})";

std::string token(const std::string& header, const std::string& claims, const std::string& signature) {
  return header + "." + claims + "." + signature;
}

TEST(VerifiedClaims, AreThoseOfTheExampleThatTheStandardHas) {
  const auto claims = verified_claims(token(kHeader, kClaims, kSignature), json::parse(kKeys));
  ASSERT_TRUE(claims) << claims.error().what;
  EXPECT_EQ(claims->at("iss"), "joe");
  EXPECT_EQ(claims->at("exp"), 1300819380);
}

TEST(VerifiedClaims, AreNoneWhereAnythingElseWasSigned) {
  struct Case {
    std::string token;
    Why why;
    const char* said;
  };
  std::string other_signature = kSignature;
  other_signature[5] = other_signature[5] == 'A' ? 'B' : 'A';
  std::string other_claims = kClaims;
  other_claims.replace(0, 12, "eyJpc3MiOiJh");
  for (const Case& each : {
           Case{token(kHeader, kClaims, other_signature), Why::forbidden, "signature is wrong"},
           Case{token(kHeader, other_claims, kSignature), Why::forbidden, "signature is wrong"},
           Case{token(kHeader, kClaims, ""), Why::forbidden, "is none of ES256"},
           Case{token(kHeader, kClaims, std::string(86, 'A')), Why::forbidden, "signature is wrong"},
           Case{token("eyJhbGciOiJub25lIn0", kClaims, ""), Why::forbidden, "not by \"none\""},
           Case{token("eyJhbGciOiJIUzI1NiJ9", kClaims, kSignature), Why::forbidden, "not by \"HS256\""},
           Case{token("eyJhbGciOiJSUzI1NiJ9", kClaims, kSignature), Why::not_found, "has no key"},
           Case{token("eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ", kClaims, kSignature), Why::not_found, "has no key \"a\""},
           Case{"", Why::invalid, "three parts"},
           Case{"a.b", Why::invalid, "three parts"},
           Case{"a.b.c.d", Why::invalid, "three parts"},
           Case{"!.b.c", Why::invalid, "header"},
           Case{token(kHeader, "e30=", kSignature), Why::invalid, "claims"},
       }) {
    const auto claims = verified_claims(each.token, json::parse(kKeys));
    ASSERT_FALSE(claims) << each.said;
    EXPECT_EQ(claims.error().why, each.why) << each.said;
    EXPECT_THAT(claims.error().what, HasSubstr(each.said));
  }
}

TEST(VerifiedClaims, TakeNoKeyThatIsNone) {
  const std::string good = token(kHeader, kClaims, kSignature);
  for (const char* keys : {"{}", "[]", "null", R"({"keys": {}})", R"({"keys": [1, null, "x"]})",
                           R"({"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]})",
                           R"({"keys": [{"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}]})",
                           R"({"keys": [{"kty": "EC"}]})", R"({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]})"})
    EXPECT_FALSE(verified_claims(good, json::parse(keys))) << keys;
}

}  // namespace
}  // namespace nuclio::dashboard
