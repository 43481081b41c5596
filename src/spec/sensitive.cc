// SPDX-License-Identifier: Apache-2.0
#include "spec/sensitive.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "schema/write.h"

namespace nuclio::spec {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 6> kAnnotations = {"nuclio.io/kafka-ca-cert",
                                                          "nuclio.io/kafka-access-key",
                                                          "nuclio.io/kafka-access-cert",
                                                          "nuclio.io/kafka-sasl-password",
                                                          "nuclio.io/kafka-sasl-oauth-client-secret",
                                                          "nuclio.io/kafka-sasl-oauth-token-url"};

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

json::object* object_in(json::object& object, std::string_view key) {
  auto* member = object.if_contains(key);
  return member == nullptr ? nullptr : member->if_object();
}

void mask_flex_volume(json::value& entry) {
  auto* pair = entry.if_object();
  auto* volume = pair == nullptr ? nullptr : object_in(*pair, "volume");
  auto* flex = volume == nullptr ? nullptr : object_in(*volume, "flexVolume");
  auto* options = flex == nullptr ? nullptr : object_in(*flex, "options");
  if (options == nullptr) return;
  for (auto& option : *options)
    if (lower(option.key()) == "accesskey") option.value() = schema::kMask;
}

}  // namespace

void mask_sensitive_annotations(json::object& annotated) {
  auto* annotations = object_in(annotated, "annotations");
  if (annotations == nullptr) return;
  for (auto& annotation : *annotations)
    if (std::ranges::find(kAnnotations, lower(annotation.key())) != kAnnotations.end())
      annotation.value() = schema::kMask;
}

void mask_sensitive_keys(json::object& function) {
  if (auto* metadata = object_in(function, "metadata")) mask_sensitive_annotations(*metadata);
  auto* spec = object_in(function, "spec");
  if (spec == nullptr) return;
  if (auto* triggers = object_in(*spec, "triggers"))
    for (auto& trigger : *triggers)
      if (auto* object = trigger.value().if_object()) mask_sensitive_annotations(*object);
  auto* volumes = spec->if_contains("volumes");
  if (volumes == nullptr || !volumes->is_array()) return;
  for (json::value& entry : volumes->get_array()) mask_flex_volume(entry);
}

}  // namespace nuclio::spec
