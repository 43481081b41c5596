// SPDX-License-Identifier: Apache-2.0
#include "spec/function.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "schema/set_path.h"
#include "spec/api_gateway.h"
#include "spec/cron_schedule.h"
#include "spec/enrich.h"
#include "spec/function_event.h"
#include "spec/load.h"
#include "spec/platform_config.h"
#include "spec/project.h"
#include "spec/rules.h"

namespace nuclio::spec {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

FunctionConfig function(std::string_view text) {
  auto loaded = parse_function(text, Unknown::problem);
  EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().what);
  return loaded ? loaded->config : FunctionConfig{};
}

std::string shown(const json::value& value) { return json::serialize(value); }

TEST(Trigger, KnowsItsKindAndHowLongAnEventWaits) {
  Trigger trigger;
  EXPECT_EQ(kind_name(trigger), "http");
  EXPECT_TRUE(is_http(trigger));
  EXPECT_EQ(worker_availability_timeout(trigger), 10s);
  trigger.worker_availability_timeout_milliseconds = -5;
  EXPECT_EQ(worker_availability_timeout(trigger), 10s);
  trigger.worker_availability_timeout_milliseconds = 0;
  EXPECT_EQ(worker_availability_timeout(trigger), 0s);
  trigger.worker_availability_timeout_milliseconds = 250;
  EXPECT_EQ(worker_availability_timeout(trigger), 250ms);
  trigger.kind = KafkaClusterTrigger{};
  EXPECT_EQ(kind_name(trigger), "kafka-cluster");
  EXPECT_FALSE(is_http(trigger));
}

TEST(FunctionState, HasNucliosNamesAndSaysWhetherWorkIsGoingOn) {
  EXPECT_EQ(schema::name_of(FunctionState::waiting_for_resource_configuration), "waitingForResourceConfiguration");
  EXPECT_EQ(schema::name_of(FunctionState::scaled_to_zero), "scaledToZero");
  EXPECT_TRUE(provisioned(FunctionState::imported));
  EXPECT_FALSE(provisioned(FunctionState::building));
}

TEST(Enrich, AddsThePlatformsEnvironmentBehindTheFunctionsOwn) {
  const auto platform = parse_platform_config(
      "runtime: {common: {env: [{name: A, value: common}, {name: B, value: common}]},"
      " python: {env: [{name: B, value: python}]}}",
      Unknown::problem);
  ASSERT_TRUE(platform);
  const auto env = [&](std::string_view runtime) {
    std::string out;
    FunctionConfig config = function("spec: {env: [{name: A, value: own}]}");
    config.spec.runtime = runtime;
    for (const auto& variable : enrich(config, platform->config).spec.env)
      out += variable.name + "=" + variable.value + " ";
    return out;
  };
  EXPECT_EQ(env("python:3.11"), "A=own B=python ");
  EXPECT_EQ(env("cpp"), "A=own B=common ");
}

TEST(Enrich, LeavesTheDefaultTriggerOutWhenThePlatformSaysSoUnlessTheFunctionWantsIt) {
  PlatformConfig platform;
  platform.disable_default_http_trigger = true;
  EXPECT_TRUE(enrich(FunctionConfig{}, platform).spec.triggers.empty());
  EXPECT_EQ(enrich(function("spec: {disableDefaultHTTPTrigger: false}"), platform).spec.triggers.size(), 1u);
}

constexpr std::string_view kSecrets = R"(
metadata:
  name: a
  namespace: n
  resourceVersion: "7"
  annotations: {nuclio.io/kafka-sasl-password: p1, other: stays}
spec:
  image: a:1
  runRegistry: r
  volumes: [{volume: {flexVolume: {driver: v3io/fuse, options: {accessKey: p2, container: c}}}}]
  build:
    registry: r
    functionSourceCode: Zm9v
    codeEntryAttributes: {username: u, password: p3, headers: {Authorization: p4}, s3SecretAccessKey: p5}
  triggers:
    k:
      kind: kafka-cluster
      username: u
      password: p6
      secret: p7
      annotations: {nuclio.io/kafka-access-key: p8}
      attributes: {consumerGroup: g, caCert: p9, sasl: {user: u, password: p10, oauth: {clientSecret: p11}}}
status: {state: ready}
)";

TEST(ToJson, MasksEverySecretAndNothingElse) {
  const FunctionConfig config = function(kSecrets);
  const std::string masked = shown(to_json(config, Secrets::masked));
  for (int i = 1; i <= 11; ++i) EXPECT_EQ(masked.find("\"p" + std::to_string(i) + "\""), std::string::npos) << i;
  for (const char* kept : {"\"stays\"", "\"container\":\"c\"", "\"username\":\"u\"", "\"consumerGroup\":\"g\""})
    EXPECT_NE(masked.find(kept), std::string::npos) << kept;
  EXPECT_EQ(shown(to_json(config.spec.triggers.at("k"), Secrets::masked)),
            R"({"kind":"kafka-cluster","attributes":{"consumerGroup":"g","sasl":{"user":"u","password":"********",)"
            R"("oauth":{"clientSecret":"********"}},"caCert":"********"},"username":"u","password":"********",)"
            R"("secret":"********","annotations":{"nuclio.io/kafka-access-key":"********"}})");
  EXPECT_NE(shown(to_json(config, Secrets::shown)).find("\"p11\""), std::string::npos);
}

TEST(Exported, CanBeImportedElsewhere) {
  const FunctionConfig kept = exported(function(kSecrets), KeepSecrets::yes, Cleanup::no);
  EXPECT_EQ(kept.metadata.namespace_name, "");
  EXPECT_EQ(kept.metadata.resource_version, "");
  EXPECT_EQ(kept.metadata.annotations.at("skip-build"), "true");
  EXPECT_EQ(kept.metadata.annotations.at("skip-deploy"), "true");
  EXPECT_EQ(kept.metadata.annotations.at("nuclio.io/previous-state"), "ready");
  EXPECT_EQ(kept.status.state, FunctionState::none);
  EXPECT_EQ(kept.spec.triggers.at("k").password, "p6");
  EXPECT_EQ(kept.spec.image, "a:1");
  EXPECT_EQ(kept.spec.run_registry, "r");
}

TEST(Exported, LosesPasswordsAndRegistriesWhenAskedTo) {
  const FunctionConfig clean = exported(function(kSecrets), KeepSecrets::no, Cleanup::yes);
  EXPECT_EQ(clean.spec.triggers.at("k").password, "");
  EXPECT_EQ(clean.spec.triggers.at("k").secret, "");
  EXPECT_EQ(clean.spec.run_registry, "");
  EXPECT_EQ(clean.spec.build.registry, "");
  EXPECT_EQ(clean.spec.image, "");
}

TEST(ToProcessorYaml, IsReadByTheProcessor) {
  const std::string yaml = to_processor_yaml(function(kSecrets));
  EXPECT_NE(yaml.find("PlatformConfig: null\n"), std::string::npos);
  EXPECT_EQ(yaml.find("status"), std::string::npos);
  const FunctionConfig again = function(yaml);
  EXPECT_EQ(again.metadata.name, "a");
  EXPECT_EQ(again.spec.triggers.at("k").password, "p6");
}

TEST(ReadProject, FindsItsMetadataUnderBothNames) {
  for (const char* text : {R"({"metadata":{"name":"p"},"spec":{"description":"d"}})",
                           R"({"meta":{"name":"p"},"spec":{"description":"d"}})",
                           R"({"apiVersion":"nuclio.io/v1","kind":"NuclioProject","metadata":{"name":"p"},)"
                           R"("spec":{"description":"d"}})"}) {
    const auto project = read_project(json::parse(text), Unknown::problem);
    ASSERT_TRUE(project) << project.error().what;
    EXPECT_EQ(shown(to_json(project->config)), R"({"metadata":{"name":"p"},"spec":{"description":"d"}})");
  }
  EXPECT_EQ(read_project(json::parse(R"({"spec":{"desc":1}})"), Unknown::problem).error().what,
            "spec.desc is not a known field");
}

TEST(ReadFunctionEvent, KeepsItsAttributes) {
  const char* text = R"({"metadata":{"name":"e"},"spec":{"displayName":"d","attributes":{"headers":{"a":1}}}})";
  const auto event = read_function_event(json::parse(text), Unknown::problem);
  ASSERT_TRUE(event) << event.error().what;
  EXPECT_EQ(shown(to_json(event->config)), text);
}

TEST(ApiGatewayRules, SayWhatIsWrong) {
  const auto problems = [](const std::string& spec) {
    auto gateway = read_api_gateway(json::parse(R"({"metadata":{"name":"g"},"spec":)" + spec + "}"), Unknown::problem);
    if (!gateway) return gateway.error().what;
    const auto valid = validate(enrich(std::move(gateway->config)));
    return valid ? std::string() : valid.error().what;
  };
  const auto with = [&](const std::string& upstreams, const std::string& more = "") {
    return problems(R"({"host":"h.example.com","upstreams":[)" + upstreams + "]" + more + "}");
  };
  const std::string f = R"({"kind":"nucliofunction","nucliofunction":{"name":"f"}})";
  const std::string canary = R"({"nucliofunction":{"name":"c"},"percentage":20})";
  EXPECT_EQ(with(f), "");
  EXPECT_EQ(with(f + "," + canary), "");
  EXPECT_EQ(with(""), "spec.upstreams must be one function, or a function and its canary; there are 0");
  EXPECT_EQ(with(f + "," + canary + "," + f),
            "spec.upstreams must be one function, or a function and its canary; there are 3");
  EXPECT_EQ(with(f + "," + f),
            "spec.upstreams must have a percentage, 1 to 100, on exactly one of the two: the canary; it is on 0");
  EXPECT_EQ(with(canary + "," + canary),
            "spec.upstreams must have a percentage, 1 to 100, on exactly one of the two: the canary; it is on 2");
  EXPECT_EQ(with(R"({"kind":"pod","nucliofunction":{"name":"../f"}})"),
            "spec.upstreams[0].kind must be nucliofunction, is \"pod\"\n"
            "spec.upstreams[0].nucliofunction.name is no valid name: function name must consist of lower-case letters, "
            "digits and '-', is \"../f\"");
  EXPECT_EQ(with(f, R"(,"authenticationMode":"basicAuth")"),
            "spec.authentication.basicAuth must have username and password for authenticationMode basicAuth");
  EXPECT_EQ(with(f, R"(,"authenticationMode":"basicAuth",)"
                    R"("authentication":{"basicAuth":{"username":"u","password":"p"}})"),
            "");
  EXPECT_EQ(with(f, R"(,"name":"other")"), "spec.name must be that of the metadata, \"g\", is \"other\"");
  EXPECT_EQ(with(f, R"(,"path":"/a b")"), "spec.path must be a path without blanks and quotes, is \"/a b\"");
  EXPECT_EQ(problems(R"({"host":"a;b","upstreams":[)" + f + "]}"),
            "spec.host must be a host name such as shop.example.com, is \"a;b\"");
}

TEST(SetPath, KnowsEveryFieldOfAFunction) {
  json::value root;
  for (const auto& [path, value] : {std::pair{"spec.minReplicas", "2"},
                                    {"spec.triggers.web.kind", "http"},
                                    {"spec.triggers.web.attributes.port", "30000"},
                                    {"spec.triggers.web.attributes.cors.enabled", "true"},
                                    {"spec.env[0].name", "A"},
                                    {"spec.env[0].value", "1.10"},
                                    {"metadata.labels[\"nuclio.io/project-name\"]", "p"},
                                    {"spec.eventTimeout", "5s"}}) {
    const auto set = schema::set_path(root, function_type(), path, value);
    ASSERT_TRUE(set) << set.error().what;
  }
  const auto config = read_function(root, Unknown::problem);
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_EQ(config->config.spec.min_replicas, 2);
  EXPECT_EQ(config->config.spec.env.at(0).value, "1.10");
  EXPECT_EQ(config->config.spec.event_timeout, 5s);
  const auto& http = std::get<HttpTrigger>(config->config.spec.triggers.at("web").kind);
  EXPECT_EQ(http.port, 30000);
  EXPECT_TRUE(http.cors->enabled);
}

TEST(CronSchedule, CountsAnIntervalFromTheGivenTime) {
  const CronSchedule::Time time{1700000000123ms};
  EXPECT_EQ(CronSchedule::every(250ms).next_after(time), time + 250ms);
}

TEST(CronSchedule, RoundsUpToTheNextSecond) {
  const CronSchedule::Time minute{1699999980s};
  const auto schedule = CronSchedule::parse("* * * * *");
  ASSERT_TRUE(schedule);
  EXPECT_EQ(schedule->next_after(minute - 1ms), minute);
  EXPECT_EQ(schedule->next_after(minute), minute + 60s);
  EXPECT_EQ(schedule->next_after(minute + 1ms), minute + 60s);
}

}  // namespace
}  // namespace nuclio::spec
