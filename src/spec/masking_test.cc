// SPDX-License-Identifier: Apache-2.0
#include "spec/masking.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "base/base64.h"
#include "spec/function.h"
#include "spec/load.h"

namespace nuclio::spec {
namespace {

namespace json = boost::json;

constexpr std::string_view kFunction = R"(
metadata:
  name: hello
  annotations: {nuclio.io/kafka-sasl-password: hush1, other: seen}
spec:
  handler: main:handler
  env: [{name: TOKEN, value: hush2}]
  build:
    codeEntryAttributes: {password: hush3, branch: main, headers: {Authorization: hush4, X: hush5}}
  dataBindings: {db: {secret: hush6, attributes: {password: hush7, numWorkers: 8}}}
  volumes: [{volume: {name: v, flexVolume: {driver: v3io/fuse, options: {accessKey: hush8}}}, volumeMount: {name: v, mountPath: /v}}]
  triggers:
    tick: {kind: cron, attributes: {interval: 1m, event: {body: seen, headers: {Authorization: hush12, Accept: seen}}}}
    queue: {kind: rabbit-mq, password: hush9, attributes: {exchangeName: seen}}
    stream: {kind: kafka-cluster, attributes: {topics: [t], consumerGroup: g, sasl: {user: seen, password: hush10}, accessKey: hush11}}
)";

FunctionConfig function() { return parse_function(kFunction, Unknown::problem).value().config; }

TEST(Mask, PutsAReferenceInThePlaceOfEachSecret) {
  const auto masked = mask(function(), {});
  ASSERT_TRUE(masked);
  const MaskedValues expected = {
      {"$ref:/metadata/annotations/nuclio.io/kafka-sasl-password", "hush1"},
      {"$ref:/spec/build/codeentryattributes/password", "hush3"},
      {"$ref:/spec/build/codeentryattributes/headers/authorization", "hush4"},
      {"$ref:/spec/build/codeentryattributes/headers/x", "hush5"},
      {"$ref:/spec/databindings/db/secret", "hush6"},
      {"$ref:/spec/databindings/db/attributes/password", "hush7"},
      {"$ref:/spec/volumes[0]/volume/flexvolume/options/accesskey", "hush8"},
      {"$ref:/spec/triggers/queue/password", "hush9"},
      {"$ref:/spec/triggers/stream/attributes/sasl/password", "hush10"},
      {"$ref:/spec/triggers/stream/attributes/accesskey", "hush11"},
      {"$ref:/spec/triggers/tick/attributes/event/headers/authorization", "hush12"},
  };
  EXPECT_EQ(masked->values, expected);
  const std::string text = json::serialize(masked->function);
  for (const auto& [reference, value] : expected) {
    EXPECT_EQ(text.find("\"" + value + "\""), std::string::npos) << value;
    EXPECT_NE(text.find(reference), std::string::npos) << reference;
  }
  EXPECT_NE(text.find("hush2"), std::string::npos) << "nobody said that this variable is secret";
}

TEST(Mask, GoesByPatternsOfThePlatform) {
  const auto masked = mask(function(), {"^/SPEC/env.*/value$"});
  ASSERT_TRUE(masked);
  EXPECT_EQ(masked->values.at("$ref:/spec/env[0]/value"), "hush2");
}

TEST(Mask, SaysWhichPatternIsNone) {
  const auto masked = mask(function(), {"a", "("});
  ASSERT_FALSE(masked);
  EXPECT_EQ(masked.error().what, "sensitiveFields.customSensitiveFields[1] must be a regular expression, is \"(\"");
}

TEST(Mask, LeavesAFunctionThatDoesNotWantIt) {
  FunctionConfig config = function();
  config.spec.disable_sensitive_fields_masking = true;
  const auto masked = mask(config, {"."});
  ASSERT_TRUE(masked);
  EXPECT_TRUE(masked->values.empty());
  EXPECT_EQ(json::value(masked->function), to_json(config, Secrets::shown));
}

TEST(Mask, MakesAFunctionThatReadsAndMasksAgain) {
  const auto once = mask(function(), {});
  ASSERT_TRUE(once);
  const auto read = read_function(once->function, Unknown::problem);
  ASSERT_TRUE(read) << read.error().what;
  const auto twice = mask(read->config, {});
  ASSERT_TRUE(twice);
  EXPECT_TRUE(twice->values.empty());
  EXPECT_EQ(twice->function, once->function);
}

TEST(Restore, GivesTheFunctionBackThroughTheSecret) {
  const auto masked = mask(function(), {"/env"});
  ASSERT_TRUE(masked);
  const auto values = masked_values(secret_texts(masked->values).at("content") + "\n");
  ASSERT_TRUE(values) << values.error().what;
  const auto restored = restore(masked->function, *values);
  ASSERT_TRUE(restored) << restored.error().what;
  EXPECT_EQ(json::value(*restored), to_json(function(), Secrets::shown));
}

TEST(Restore, SaysWhichReferenceHasNoValue) {
  auto masked = mask(function(), {});
  ASSERT_TRUE(masked);
  masked->values.erase("$ref:/spec/triggers/queue/password");
  const auto restored = restore(masked->function, masked->values);
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().why, Why::not_found);
  EXPECT_EQ(
      restored.error().what,
      "spec.triggers.queue.password is $ref:/spec/triggers/queue/password, and the function's Secret has no value "
      "for it; deploy the function again");
}

TEST(SecretTexts, HaveNucliosKeys) {
  const auto texts = secret_texts({{"$ref:/spec/triggers/web/password", "hush"}});
  ASSERT_EQ(texts.size(), 2u);
  const std::string key = "NUCLIO_B64_JHJlZjovc3BlYy90cmlnZ2Vycy93ZWIvcGFzc3dvcmQ_";
  EXPECT_EQ(texts.at(key), "hush");
  EXPECT_EQ(texts.at("content"), encode_base64("{\"" + key + "\":\"hush\"}"));
}

TEST(SecretTexts, AreThereWhenNothingIsSecret) {
  EXPECT_EQ(secret_texts({}), (std::map<std::string, std::string>{{"content", ""}}));
  EXPECT_TRUE(masked_values("").value().empty());
}

TEST(SecretTexts, HaveKeysThatSecretsMayHave) {
  for (const auto& [key, value] : secret_texts({{"$ref:/a?~>\xc3\xbf\xff", "x"}, {"$ref:/ab?", "y"}}))
    EXPECT_EQ(key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."),
              std::string::npos)
        << key;
}

TEST(MaskedValues, DoNotComeFromOtherSecrets) {
  for (const char* text : {"%", "YQ==", "e30x", "eyJhIjoiYiJ9"}) EXPECT_FALSE(masked_values(text)) << text;
}

}  // namespace
}  // namespace nuclio::spec
