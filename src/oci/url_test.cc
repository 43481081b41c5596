// SPDX-License-Identifier: Apache-2.0
#include "oci/url.h"

#include <gtest/gtest.h>

#include "oci/range.h"

namespace nuclio::oci {
namespace {

TEST(Resolve, FollowsALocation) {
  const Url base = *parse_url("https://Reg.io:443/v2/a/blobs/x?y#z");
  EXPECT_EQ(base.text(), "https://reg.io/v2/a/blobs/x?y");
  const struct {
    std::string location, leads_to;
  } table[] = {
      {"/v2/b?_state=1%2F", "https://reg.io/v2/b?_state=1%2F"},
      {"//cdn.io/b", "https://cdn.io/b"},
      {"http://cdn.io:80/b", "http://cdn.io/b"},
      {"HTTPS://[::1]:5000", "https://[::1]:5000/"},
      {"https://cdn.io?x=1", "https://cdn.io/?x=1"},
  };
  for (const auto& item : table) {
    auto url = resolve(base, item.location);
    ASSERT_TRUE(url) << item.location << ": " << url.error().what;
    EXPECT_EQ(url->text(), item.leads_to);
  }
  for (const std::string& location :
       {std::string(), std::string("b"), std::string("file:///etc/passwd"), std::string("https://"),
        std::string("https://u:p@h/"), std::string("https://h/a b"), std::string("https://h\\@evil/"),
        std::string("javascript://x")})
    EXPECT_FALSE(resolve(base, location)) << location;
}

TEST(Url, KnowsItsHost) {
  EXPECT_EQ(parse_url("http://[::1]:5000/")->host(), "::1");
  EXPECT_EQ(parse_url("http://a.b:5000/")->host(), "a.b");
  EXPECT_TRUE(is_loopback_name("localhost"));
  EXPECT_TRUE(is_loopback_name("registry.localhost"));
  EXPECT_TRUE(is_loopback_name("127.0.0.2"));
  EXPECT_FALSE(is_loopback_name("localhost.evil.io"));
  EXPECT_FALSE(is_loopback_name("127.evil.io"));
}

TEST(AddQuery, EncodesTheValue) {
  std::string url = "https://a/token";
  add_query(url, "service", "a b&c");
  add_query(url, "scope", "repository:a/b:pull");
  EXPECT_EQ(url, "https://a/token?service=a%20b%26c&scope=repository:a/b:pull");
}

TEST(Ranges, AreReadAsRegistriesWriteThem) {
  EXPECT_EQ(range_received("0-99"), 100u);
  EXPECT_EQ(range_received("bytes=0-99"), 100u);
  EXPECT_EQ(range_received("0-0"), 0u);
  EXPECT_EQ(range_begin("bytes 100-199/200"), 100u);
  for (const char* text : {"", "1-2", "0-", "0-x", "-5", "0--5", "0-18446744073709551615"})
    EXPECT_FALSE(range_received(text)) << text;
  for (const char* text : {"", "100-199", "bytes -1", "bytes */200"}) EXPECT_FALSE(range_begin(text)) << text;
}

}  // namespace
}  // namespace nuclio::oci
