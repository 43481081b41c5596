// SPDX-License-Identifier: Apache-2.0
#include "base/names.h"

#include <gtest/gtest.h>

#include <array>

namespace nuclio {
namespace {

TEST(ParseFunctionName, TakesDnsLabels) {
  for (const char* text :
       {"a", "hello", "hello-2", "0-0", "a23456789012345678901234567890123456789012345678901234567890123"})
    EXPECT_EQ(parse_function_name(text).value().value(), text);
}

TEST(ParseFunctionName, SaysWhatIsWrong) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "function name must not be empty"},
      {"Hello", "function name must consist of lower-case letters, digits and '-', is \"Hello\""},
      {"a_b", "function name must consist of lower-case letters, digits and '-', is \"a_b\""},
      {"../x", "function name must consist of lower-case letters, digits and '-', is \"../x\""},
      {"-a", "function name must begin and end with a lower-case letter or a digit, is \"-a\""},
      {"a-", "function name must begin and end with a lower-case letter or a digit, is \"a-\""}};
  for (const auto& [text, message] : cases) EXPECT_EQ(parse_function_name(text).error().what, message);
  EXPECT_TRUE(parse_function_name(std::string(64, 'a'))
                  .error()
                  .what.starts_with("function name must have at most 63 characters, has 64"));
}

TEST(CheckNotReserved, KeepsThePlatformsOwnNames) {
  for (const char* text : {"dashboard", "controller", "dlx", "scaler"})
    EXPECT_EQ(check_not_reserved(FunctionName{text}).error().why, Why::precondition);
  EXPECT_TRUE(check_not_reserved(FunctionName{"dashboards"}));
}

TEST(Nearest, FindsTheWordThatWasMeant) {
  constexpr std::array<std::string_view, 5> kKnown = {"minReplicas", "maxReplicas", "handler", "env", "runtime"};
  EXPECT_EQ(nearest("minreplicas", kKnown), "minReplicas");
  EXPECT_EQ(nearest("maxReplica", kKnown), "maxReplicas");
  EXPECT_EQ(nearest("hanlder", kKnown), "handler");
  EXPECT_EQ(nearest("evn", kKnown), "env");
  EXPECT_EQ(nearest("colour", kKnown), "");
  EXPECT_EQ(nearest("", kKnown), "");
  EXPECT_EQ(nearest(std::string(100000, 'x'), kKnown), "");
  EXPECT_EQ(did_you_mean("runtim", kKnown), "; did you mean \"runtime\"?");
  EXPECT_EQ(did_you_mean("zzz", kKnown), "");
}

}  // namespace
}  // namespace nuclio
