// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include <gtest/gtest.h>

namespace nuclio {
namespace {

TEST(Base64, MatchesTheExamplesOfTheStandard) {
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(encode_base64(bytes), text);
    EXPECT_EQ(decode_base64(text).value(), bytes);
  }
}

TEST(Base64, KeepsEveryByteValue) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(decode_base64(encode_base64(bytes)).value(), bytes);
}

TEST(Base64, RefusesTextThatSomebodyElseMightReadDifferently) {
  for (const char* text : {"Zg", "Zg=", "Zh==", "Zg==\n", "Z g=", "Zg==Zg==", "Z===", "====", "Zm9-", "Zm9vYmF="})
    EXPECT_FALSE(decode_base64(text)) << text;
}

TEST(Base64, SaysWhereTheTextGoesWrong) {
  EXPECT_EQ(decode_base64("Zm9v!m9v").error().what,
            "base64 text holds a character that does not belong there at offset 4");
}

}  // namespace
}  // namespace nuclio
