// SPDX-License-Identifier: Apache-2.0
// Where the secret values of functions are: each function's in a Secret, to which its object refers.
#include <boost/json.hpp>

#include "base/base64.h"
#include "base/random_text.h"
#include "platform/demands.h"
#include "platform/kube/deploying.h"
#include "platform/kube/names.h"

namespace nuclio::platform::kube {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto kCallTime = 30s;

bool refers(const json::value& value) {
  if (const json::string* text = value.if_string())
    return std::string_view(text->data(), text->size()).starts_with("$ref:");
  if (const json::object* object = value.if_object()) {
    for (const auto& member : *object)
      if (refers(member.value())) return true;
  }
  if (const json::array* list = value.if_array()) {
    for (const json::value& each : *list)
      if (refers(each)) return true;
  }
  return false;
}

}  // namespace

// The values that the function has now; none when it has no Secret.
Task<Result<spec::MaskedValues>> KubePlatform::kept_values(k8s::Object existing) {
  if (!existing) co_return spec::MaskedValues{};
  const std::string name{k8s::annotation_of(*existing, kSecretAnnotation)};
  if (name.empty()) co_return spec::MaskedValues{};
  const k8s::ObjectName secret{k8s::name_of(*existing).namespace_name, name};
  auto found = co_await api_.get(k8s::kSecrets, secret, Deadline::in(kCallTime));
  if (!found && found.error().why == Why::not_found) co_return spec::MaskedValues{};
  if (!found) co_return std::unexpected(std::move(found).error());
  const json::value* content = k8s::at(*found, "data.content");
  if (!content || !content->is_string()) co_return spec::MaskedValues{};
  CO_TRY(const std::string text, decode_base64({content->get_string().data(), content->get_string().size()}));
  co_return spec::masked_values(text);
}

Task<Result<json::value>> KubePlatform::restored(json::value function, k8s::Object existing) {
  if (!refers(function)) co_return function;
  CO_TRY(const auto values, co_await kept_values(existing));
  auto out = spec::restore(std::move(function.get_object()), values);
  if (out) co_return json::value(std::move(*out));
  co_return fail(Why::invalid, out.error().what + "; set it anew");
}

// Gives the name of a Secret with these values: the one that the function has when they are the same, so that its pods
// stay, else a new one, since the version before may have to start again. The controller removes what is of no use.
Task<Result<std::string>> KubePlatform::keep(const spec::FunctionConfig& config, spec::MaskedValues values,
                                             k8s::Object existing) {
  if (values.empty()) co_return std::string{};
  CO_TRY(const auto before, co_await kept_values(existing));
  if (before == values) co_return std::string(k8s::annotation_of(*existing, kSecretAnnotation));
  const std::string name = object_name(config.metadata.name) + "-" + random_text(8);
  json::object labels{{kFunctionLabel, config.metadata.name}, {kProjectLabel, platform::project_of(config).value()}};
  json::object metadata{{"name", name}, {"namespace", config.metadata.namespace_name}, {"labels", std::move(labels)}};
  json::object texts;
  for (const auto& [key, text] : spec::secret_texts(values)) texts[key] = text;
  json::object secret{{"metadata", std::move(metadata)}, {"type", spec::kSecretType}, {"stringData", std::move(texts)}};
  auto made = co_await api_.create(k8s::kSecrets, std::move(secret), Deadline::in(kCallTime));
  if (made) co_return name;
  co_return std::unexpected(std::move(made).error().in("keeping the secret values of " +
                                                       quoted("function", config.metadata.name) + " in a Secret"));
}

}  // namespace nuclio::platform::kube
