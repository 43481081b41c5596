// SPDX-License-Identifier: Apache-2.0
// Runs test/vectors/kube; its README says what a case holds.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>
#include <fstream>
#include <sstream>

#include "controller/resources/cron_jobs.h"
#include "controller/resources/desired.h"
#include "controller/resources/merge.h"
#include "controller/resources/pod_template.h"
#include "schema/yaml.h"
#include "spec/enrich.h"
#include "spec/load.h"
#include "spec/masking.h"
#include "spec/rules.h"

namespace nuclio::controller {
namespace {

namespace json = boost::json;

std::vector<json::object> cases(const std::string& file) {
  std::ifstream in(NUCLIO_VECTORS "/kube/" + file);
  std::stringstream text;
  text << in.rdbuf();
  const auto parsed = schema::parse_yaml(text.str());
  EXPECT_TRUE(parsed) << file << ": " << (parsed ? "" : parsed.error().what);
  std::vector<json::object> out;
  if (parsed && parsed->is_array())
    for (const json::value& one : parsed->get_array()) out.push_back(one.as_object());
  EXPECT_FALSE(out.empty()) << file;
  return out;
}

// A function and all that goes with it, as a case says it.
struct Given {
  spec::FunctionConfig config;
  spec::PlatformConfig platform;
  json::object owner;
  json::object rest;

  std::optional<int> number(std::string_view key) const {
    const json::value* value = rest.if_contains(key);
    return value ? std::optional{value->to_number<int>()} : std::nullopt;
  }
  bool yes(std::string_view key) const {
    const json::value* value = rest.if_contains(key);
    return value && value->as_bool();
  }
  std::map<std::string, std::string> texts(std::string_view key) const {
    const json::value* value = rest.if_contains(key);
    return value ? json::value_to<std::map<std::string, std::string>>(*value) : std::map<std::string, std::string>{};
  }
  FunctionInput input() const {
    return {.config = config,
            .platform = platform,
            .owner = owner,
            .secret = std::string(text_in(rest, "secret")),
            .project_node_selector = texts("projectNodeSelector"),
            .scaled_to_zero = yes("scaledToZero"),
            .replicas = number("replicas"),
            .autoscaled = yes("autoscaled"),
            .node_port = number("nodePort"),
            .controller_version = std::string(text_in(rest, "controllerVersion"))};
  }
};

Given given_of(const json::object& one) {
  Given out;
  json::object function = one.at("function").as_object();
  json::object metadata = object_in(function, "metadata") ? function["metadata"].get_object() : json::object{};
  metadata.emplace("name", "hello");
  metadata.emplace("namespace", "media");
  function["metadata"] = std::move(metadata);
  auto config = spec::read_function(function, spec::Unknown::problem, spec::Scalars::as_in_yaml);
  EXPECT_TRUE(config) << (config ? "" : config.error().what);
  const json::value* platform = one.if_contains("platform");
  auto settings = spec::parse_platform_config(platform ? schema::to_yaml(*platform) : "", spec::Unknown::problem);
  EXPECT_TRUE(settings) << (settings ? "" : settings.error().what);
  if (!config || !settings) return out;
  EXPECT_TRUE(spec::check_rules(config->config).problems.empty());
  out.platform = settings->config;
  out.config = spec::enrich(std::move(config->config), out.platform);
  out.owner = {{"metadata", {{"name", out.config.metadata.name}, {"uid", "11-22"}}}};
  if (const auto* rest = object_in(one, "given")) out.rest = *rest;
  return out;
}

std::string text_of(const json::value& value) { return json::serialize(value); }

// Everything in `wanted` must be so; null says that a member is not there. Lists have the length that is wanted. Text
// for which an object is wanted is YAML.
void expect_within(const json::value& wanted, const json::value* found, const std::string& path) {
  if (wanted.is_null()) {
    EXPECT_EQ(found, nullptr) << path << " is there: " << text_of(*found);
    return;
  }
  ASSERT_NE(found, nullptr) << path << " is missing";
  if (wanted.is_object() && found->is_string()) {
    const auto parsed = schema::parse_yaml(std::string_view(found->get_string()));
    ASSERT_TRUE(parsed) << path;
    return expect_within(wanted, &*parsed, path);
  }
  if (wanted.is_object() && found->is_object()) {
    for (const auto& [key, value] : wanted.get_object())
      expect_within(value, found->get_object().if_contains(key), path + "." + std::string(key));
    return;
  }
  if (wanted.is_array() && found->is_array()) {
    ASSERT_EQ(wanted.get_array().size(), found->get_array().size()) << path << ": " << text_of(*found);
    for (std::size_t i = 0; i < wanted.get_array().size(); ++i)
      expect_within(wanted.get_array()[i], &found->get_array()[i], path + "[" + std::to_string(i) + "]");
    return;
  }
  EXPECT_EQ(wanted, *found) << path;
}

// By kind; of CronJobs the name goes along, since there may be several.
json::object by_kind(const std::vector<DesiredObject>& objects) {
  json::object out;
  for (const DesiredObject& each : objects) {
    std::string key{text_in(each.object, "kind")};
    if (key == "CronJob") key += " " + std::string(text_in(each.object.at("metadata").as_object(), "name"));
    EXPECT_FALSE(out.contains(key)) << key;
    out[key] = each.object;
  }
  return out;
}

class KubeVectors : public testing::TestWithParam<const char*> {};

TEST_P(KubeVectors, GiveTheObjects) {
  for (const json::object& one : cases(GetParam())) {
    SCOPED_TRACE(text_in(one, "name"));
    const Given given = given_of(one);
    const json::object objects = by_kind(desired_objects(given.input()));
    if (const json::object* whole = object_in(one, "whole"))
      for (const auto& [kind, object] : *whole)
        EXPECT_EQ(objects.at(kind), object) << schema::to_yaml(objects.at(kind));
    if (const json::object* expected = object_in(one, "expect"))
      for (const auto& [kind, object] : *expected) expect_within(object, objects.if_contains(kind), std::string(kind));
    const auto complaint = cron_complaint(given.config, given.platform);
    const std::string expected_complaint{text_in(one, "complaint")};
    EXPECT_EQ(complaint ? complaint->reason + ": " + complaint->message : "", expected_complaint);
  }
}

// One replica and several are different things for cron triggers, which are CronJobs then.
TEST_P(KubeVectors, NeverChangeThePodsWhenOnlyReplicasDo) {
  for (const json::object& one : cases(GetParam())) {
    SCOPED_TRACE(text_in(one, "name"));
    for (const bool several : {false, true}) {
      Given given = given_of(one);
      given.config.spec.replicas.reset();
      given.config.spec.min_replicas = 1;
      given.config.spec.max_replicas = several ? 2 : 1;
      const json::object before = pod_template(given.input());
      given.config.spec.disable = !given.config.spec.disable;
      given.config.spec.min_replicas = several ? 7 : 0;
      given.config.spec.max_replicas = several ? 70 : 1;
      given.config.spec.target_cpu = 33;
      given.config.metadata.resource_version = "12345";
      given.config.status.state = spec::FunctionState::ready;
      FunctionInput other = given.input();
      other.replicas = 9;
      other.scaled_to_zero = !other.scaled_to_zero;
      other.controller_version = "another";
      EXPECT_EQ(text_of(pod_template(other)), text_of(before));
    }
  }
}

TEST_P(KubeVectors, HaveNameNamespaceLabelsAndOwner) {
  for (const json::object& one : cases(GetParam())) {
    SCOPED_TRACE(text_in(one, "name"));
    const Given given = given_of(one);
    for (const DesiredObject& each : desired_objects(given.input())) {
      const json::object& about = each.object.at("metadata").as_object();
      EXPECT_TRUE(text_in(about, "name").starts_with("nuclio-")) << text_of(about);
      EXPECT_LE(text_in(about, "name").size(), 63u);
      EXPECT_EQ(text_in(about, "namespace"), given.config.metadata.namespace_name);
      EXPECT_EQ(about.at("labels").at("nuclio.io/class"), "function");
      EXPECT_EQ(about.at("labels").at("nuclio.io/function-name"), json::value(given.config.metadata.name));
      EXPECT_EQ(about.at("ownerReferences").at(0).at("uid"), "11-22");
      EXPECT_EQ(text_in(each.object, "kind"), each.resource.kind);
    }
  }
}

// Without masking, the ConfigMap has to have them: the processor needs them.
TEST(Objects, HoldNoSecretBesideTheConfigMap) {
  const json::value one = schema::parse_yaml(R"(
platform: {cronTriggerCreationMode: kube}
function:
  metadata: {annotations: {nuclio.io/kafka-sasl-password: canary}}
  spec:
    image: a
    build: {codeEntryAttributes: {password: canary}}
    dataBindings: {db: {secret: canary}}
    triggers:
      tick: {kind: cron, password: canary, attributes: {interval: 5s}}
      queue: {kind: rabbit-mq, password: canary, secret: canary}
      stream: {kind: kafka-cluster, attributes: {topics: [t], consumerGroup: g, sasl: {password: canary}, accessKey: canary}}
)")
                              .value();
  const Given given = given_of(one.as_object());
  const auto masked = spec::mask(given.config, {});
  ASSERT_TRUE(masked);
  EXPECT_GE(masked->values.size(), 6u);
  const auto config = spec::read_function(masked->function, spec::Unknown::problem);
  ASSERT_TRUE(config) << config.error().what;
  FunctionInput input{.config = config->config, .platform = given.platform, .owner = given.owner};
  for (const DesiredObject& each : desired_objects(input))
    EXPECT_EQ(text_of(each.object).find("canary"), std::string::npos) << text_of(each.object);
  for (const DesiredObject& each : desired_objects(given.input()))
    EXPECT_EQ(text_of(each.object).find("canary") != std::string::npos, each.resource == k8s::kConfigMaps)
        << text_of(each.object);
}

INSTANTIATE_TEST_SUITE_P(Files, KubeVectors,
                         testing::Values("objects.yaml", "pods.yaml", "scaling.yaml", "ingresses.yaml", "platform.yaml",
                                         "cron.yaml"));

}  // namespace
}  // namespace nuclio::controller
