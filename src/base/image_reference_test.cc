// SPDX-License-Identifier: Apache-2.0
#include "base/image_reference.h"

#include <gtest/gtest.h>

namespace nuclio {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

TEST(ParseImageReference, WritesDockersShortFormsOut) {
  const struct {
    std::string text;
    ImageReference means;
  } table[] = {
      {"python", {"docker.io", "library/python", "latest", ""}},
      {"python:3.11", {"docker.io", "library/python", "3.11", ""}},
      {"nuclio/processor-hello", {"docker.io", "nuclio/processor-hello", "latest", ""}},
      {"docker.io/python", {"docker.io", "library/python", "latest", ""}},
      {"index.docker.io/team/a", {"docker.io", "team/a", "latest", ""}},
      {"localhost/a", {"localhost", "a", "latest", ""}},
      {"localhost:5000/a:b", {"localhost:5000", "a", "b", ""}},
      {"localhost:5000", {"docker.io", "library/localhost", "5000", ""}},
      {"quay.io/nuclio/processor:1.15.2-amd64", {"quay.io", "nuclio/processor", "1.15.2-amd64", ""}},
      {"Reg.io:443/a@" + kDigest, {"Reg.io:443", "a", "", kDigest}},
      {"a.b/c/d/e:f@" + kDigest, {"a.b", "c/d/e", "f", kDigest}},
  };
  for (const auto& item : table) {
    auto reference = parse_image_reference(item.text);
    ASSERT_TRUE(reference) << reference.error().what;
    EXPECT_EQ(*reference, item.means) << item.text << " became " << reference->text();
    EXPECT_EQ(*parse_image_reference(reference->text()), item.means) << reference->text();
  }
  EXPECT_EQ(parse_image_reference("a.b/c:f@" + kDigest)->version(), kDigest);
  EXPECT_EQ(parse_image_reference("a.b/c:f")->version(), "f");
}

TEST(ParseImageReference, KnowsWhatDockerKnows) {
  for (const std::string& text : {std::string("a"), std::string("registry.local/team/a_b__c-d.e:V1.0-x"),
                                  "a@" + kDigest, "quay.io/a/b:1@" + kDigest})
    EXPECT_TRUE(parse_image_reference(text)) << text;
  for (const std::string& text : {std::string(""),
                                  std::string("A"),
                                  std::string("a:"),
                                  std::string("a/"),
                                  std::string("/a"),
                                  std::string("a//b"),
                                  std::string("https://reg/a"),
                                  std::string("a b"),
                                  std::string("a___b"),
                                  std::string("a-"),
                                  std::string("a:b:c"),
                                  std::string("reg.io:x/a"),
                                  std::string("-r.io/a"),
                                  std::string("a@sha256:abc"),
                                  std::string("a:-1"),
                                  std::string("a;rm"),
                                  std::string(300, 'a'),
                                  "a:" + std::string(200, 'a'),
                                  std::string("reg.io/../a"),
                                  std::string("reg.io/a/.."),
                                  std::string("reg.io/a?b"),
                                  std::string("reg.io/a\n")})
    EXPECT_FALSE(parse_image_reference(text)) << text;
}

TEST(ParseImageReference, SaysWhichPartIsWrongAndWhatItMustBe) {
  const struct {
    std::string text, message;
  } table[] = {
      {"Team/app",
       "the image name \"Team/app\" is not valid: each part of the path must be small letters and digits, with \".\", "
       "\"_\", \"__\" or dashes between them, is \"Team\""},
      {"https://quay.io/a",
       "the image name \"https://quay.io/a\" is not valid: it must begin with the registry's host and not with a "
       "scheme, "
       "is \"https://\""},
      {"a:",
       "the image name \"a:\" is not valid: the tag must be 1 to 128 letters, digits, \"_\", \".\" or \"-\", with "
       "neither of the last two first, is \"\""},
      {"a@sha256:abc",
       "the image name \"a@sha256:abc\" is not valid: the digest must be such as sha256: and 64 hex digits, is "
       "\"sha256:abc\""},
      {"reg.io:x/a",
       "the image name \"reg.io:x/a\" is not valid: the registry must be a host name, or host:port, is "
       "\"reg.io:x\""},
  };
  for (const auto& item : table) {
    auto reference = parse_image_reference(item.text);
    ASSERT_FALSE(reference) << item.text;
    EXPECT_EQ(reference.error().what, item.message);
  }
}

}  // namespace
}  // namespace nuclio
