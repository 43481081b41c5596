// SPDX-License-Identifier: Apache-2.0
#include "spec/masking.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <regex>
#include <utility>

#include "base/base64.h"
#include "schema/json.h"
#include "schema/write.h"
#include "spec/api_gateway.h"
#include "spec/function.h"
#include "spec/load.h"

namespace nuclio::spec {
namespace {

namespace json = boost::json;

constexpr std::string_view kReference = "$ref:";
constexpr std::string_view kKey = "NUCLIO_B64_";
using Patterns = std::vector<std::regex>;

// Nuclio's own list, as far as descriptions of fields and sensitive.cc do not say the same, and what events that a
// trigger makes log in with. A trigger of a kind that has no such attribute may have it all the same.
constexpr std::string_view kAlways[] = {
    "^/spec/build/codeentryattributes/"
    "(password|s3secretaccesskey|s3sessiontoken|headers/authorization|headers/x-v3io-session-key)$",
    "^/spec/triggers/.+/(password|secret)$",
    "^/spec/triggers/.+/attributes/"
    "(password|accesskeyid|secretaccesskey|cacert|accesskey|accesscertificate|sasl/password|sasl/oauth/clientsecret)$",
    "^/spec/triggers/.+/attributes/event/headers/(authorization|proxy-authorization|cookie|x-v3io-session-key)$",
};

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

Result<Patterns> compile(const std::vector<std::string>& custom) {
  Patterns out;
  for (const std::string_view each : kAlways) out.emplace_back(std::string(each), std::regex::icase);
  for (std::size_t i = 0; i < custom.size(); ++i) {
    try {
      out.emplace_back(custom[i], std::regex::icase);
    } catch (const std::regex_error&) {
      return fail(Why::invalid, "sensitiveFields.customSensitiveFields[" + std::to_string(i) +
                                    "] must be a regular expression, is \"" + custom[i] + "\"");
    }
  }
  return out;
}

class Masking {
 public:
  Masking(const Patterns& patterns, MaskedValues& values) : patterns_(patterns), values_(values) {}

  // `shown` is the same as it is shown to people, where a mask stands for each secret.
  void go(json::value& value, const json::value* shown, const std::string& path, bool secret) {
    secret = secret || (shown != nullptr && *shown == json::value(schema::kMask));
    if (auto* object = value.if_object()) {
      const auto* others = shown == nullptr ? nullptr : shown->if_object();
      for (auto& member : *object)
        go(member.value(), others == nullptr ? nullptr : others->if_contains(member.key()),
           path + "/" + std::string(member.key()), secret);
    } else if (auto* list = value.if_array()) {
      const auto* others = shown == nullptr ? nullptr : shown->if_array();
      for (std::size_t i = 0; i < list->size(); ++i)
        go((*list)[i], others == nullptr || i >= others->size() ? nullptr : &(*others)[i],
           path + "[" + std::to_string(i) + "]", secret);
    } else if (const auto* text = value.if_string(); text && (secret || matches(path))) {
      const std::string_view found{text->data(), text->size()};
      if (found.empty() || found.starts_with(kReference)) return;
      const std::string reference = std::string(kReference) + lower(path);
      values_[reference] = found;
      value = reference;
    }
  }

 private:
  bool matches(const std::string& path) const {
    return std::ranges::any_of(patterns_, [&](const std::regex& each) { return std::regex_search(path, each); });
  }

  const Patterns& patterns_;
  MaskedValues& values_;
};

Result<void> restore_within(json::value& value, const std::string& path, const MaskedValues& values) {
  if (auto* object = value.if_object()) {
    for (auto& member : *object)
      TRY_DO(restore_within(member.value(), schema::join(path, std::string_view(member.key())), values));
  } else if (auto* list = value.if_array()) {
    for (std::size_t i = 0; i < list->size(); ++i)
      TRY_DO(restore_within((*list)[i], path + "[" + std::to_string(i) + "]", values));
  } else if (const auto* text = value.if_string(); text && std::string_view(*text).starts_with(kReference)) {
    const auto found = values.find(std::string(*text));
    if (found == values.end())
      return fail(Why::not_found, path + " is " + std::string(*text) +
                                      ", and the function's Secret has no value for it; deploy the function again");
    value = found->second;
  }
  return {};
}

// In the key of a Secret: letters, digits, '-', '_' and '.', of which Nuclio uses '_'.
std::string key_of(const std::string& reference) {
  std::string out = encode_base64(reference);
  std::ranges::replace(out, '=', '_');
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '.');
  return std::string(kKey) + out;
}

Result<std::string> reference_of(std::string_view key) {
  if (!key.starts_with(kKey)) return fail(Why::invalid, "a key must begin with NUCLIO_B64_");
  std::string text{key.substr(kKey.size())};
  std::ranges::replace(text, '_', '=');
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '.', '/');
  return decode_base64(text);
}

BasicAuth* login_of(ApiGateway& gateway) {
  auto& authentication = gateway.spec.authentication;
  return authentication && authentication->basic_auth ? &*authentication->basic_auth : nullptr;
}

}  // namespace

Result<Masked> mask(const FunctionConfig& config, const std::vector<std::string>& custom_patterns) {
  Masked out;
  json::value whole = to_json(config, Secrets::shown);
  if (!config.spec.disable_sensitive_fields_masking) {
    TRY(const Patterns patterns, compile(custom_patterns));
    const json::value shown = to_json(config, Secrets::masked);
    Masking(patterns, out.values).go(whole, &shown, "", false);
  }
  out.function = std::move(whole.get_object());
  return out;
}

Result<json::object> restore(json::object function, const MaskedValues& values) {
  json::value whole = std::move(function);
  TRY_DO(restore_within(whole, "", values));
  return std::move(whole.get_object());
}

std::map<std::string, std::string> secret_texts(const MaskedValues& values) {
  std::map<std::string, std::string> out;
  json::object all;
  for (const auto& [reference, value] : values) {
    out[key_of(reference)] = value;
    all[key_of(reference)] = value;
  }
  out[std::string(kSecretContent)] = all.empty() ? "" : encode_base64(json::serialize(all));
  return out;
}

Result<MaskedValues> masked_values(std::string_view content) {
  while (!content.empty() && (content.back() == '\n' || content.back() == '\r')) content.remove_suffix(1);
  MaskedValues out;
  if (content.empty()) return out;
  const auto unreadable = [] {
    return fail(Why::invalid, "the function's Secret is not what the platform writes; deploy the function again");
  };
  const auto text = decode_base64(content);
  if (!text) return unreadable();
  const auto all = schema::parse_json(*text);
  if (!all || !all->is_object()) return unreadable();
  for (const auto& [key, value] : all->get_object()) {
    const auto reference = reference_of(key);
    if (!reference || !value.is_string()) return unreadable();
    out[*reference] = value.get_string();
  }
  return out;
}

bool refers_to_password(const ApiGateway& gateway) {
  const auto& authentication = gateway.spec.authentication;
  return authentication && authentication->basic_auth && authentication->basic_auth->password == kGatewayPassword;
}

std::string take_password(ApiGateway& gateway) {
  BasicAuth* login = login_of(gateway);
  if (login == nullptr || login->password.empty() || login->password == kGatewayPassword) return "";
  return std::exchange(login->password, std::string(kGatewayPassword));
}

Result<void> put_password(ApiGateway& gateway, const std::string& password) {
  if (!refers_to_password(gateway)) return {};
  if (password.empty())
    return fail(Why::invalid, "spec.authentication.basicAuth.password is " + std::string(kGatewayPassword) +
                                  ", and no password is kept for it; set it anew");
  login_of(gateway)->password = password;
  return {};
}

}  // namespace nuclio::spec
