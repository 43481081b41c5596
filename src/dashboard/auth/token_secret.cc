// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/token_secret.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/base64.h"
#include "base/log.h"
#include "schema/json.h"

namespace nuclio::dashboard {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr const char* kName = "nuclio-dashboard-tokens";
constexpr auto kKept = 5s;
constexpr auto kPatience = 10s;

Result<Token> token_in(const json::value& value) {
  if (!value.is_string()) return fail(Why::invalid, "is no text");
  TRY(const std::string text, decode_base64(value.get_string()));
  TRY(const json::value token, schema::parse_json(text));
  return Token::from_json(token);
}

}  // namespace

Task<Result<void>> TokenSecret::read() {
  auto secret = co_await api_.get(k8s::kSecrets, {name_space_.value(), kName}, Deadline::in(kPatience));
  if (!secret && secret.error().why != Why::not_found) co_return std::unexpected(std::move(secret).error());
  known_.clear();
  const json::value* data = secret ? secret->if_contains("data") : nullptr;
  if (data && data->is_object()) {
    for (const auto& [key, value] : data->get_object()) {
      auto token = token_in(value);
      if (token && token->id == key) {
        known_.push_back(std::move(*token));
      } else {
        log::warn("A token cannot be read and counts for nothing", {{"token", std::string_view(key)}});
      }
    }
  }
  std::ranges::sort(known_, {}, &Token::created);
  known_until_ = Deadline::in(kKept);
  co_return Result<void>{};
}

Task<Result<std::optional<Token>>> TokenSecret::find(std::string id) {
  if (known_until_.passed()) CO_TRY_DO(co_await read());
  const auto found = std::ranges::find(known_, id, &Token::id);
  if (found == known_.end()) co_return std::optional<Token>{};
  co_return std::optional{*found};
}

Task<Result<std::vector<Token>>> TokenSecret::all() {
  CO_TRY_DO(co_await read());
  co_return known_;
}

// Keys with null go; the others stay as they are, so that dashboards do not get into each other's way.
Task<Result<void>> TokenSecret::change(json::object data) {
  json::object patch{{"data", data}};
  auto done =
      co_await api_.merge(k8s::kSecrets, {name_space_.value(), kName}, std::move(patch), "", Deadline::in(kPatience));
  if (!done && done.error().why == Why::not_found) {
    json::object there;
    for (auto& [key, value] : data)
      if (!value.is_null()) there[key] = value;
    json::object labels{{"app.kubernetes.io/managed-by", "nuclio"}};
    json::object metadata{{"name", kName}, {"namespace", name_space_.value()}, {"labels", std::move(labels)}};
    json::object secret{{"metadata", std::move(metadata)}, {"type", "Opaque"}, {"data", std::move(there)}};
    auto created = co_await api_.create(k8s::kSecrets, std::move(secret), Deadline::in(kPatience));
    if (!created) co_return std::unexpected(std::move(created).error());
  } else if (!done) {
    co_return std::unexpected(std::move(done).error());
  }
  co_return co_await read();
}

Task<Result<void>> TokenSecret::add(Token token) {
  CO_TRY_DO(co_await read());
  CO_TRY(const std::vector<std::string> old, to_forget(known_, token.kind, wall_now()));
  json::object data;
  for (const std::string& each : old) data[each] = nullptr;
  data[token.id] = encode_base64(json::serialize(token.to_json()));
  co_return co_await change(std::move(data));
}

Task<Result<void>> TokenSecret::remove(std::string id) {
  CO_TRY_DO(co_await read());
  if (std::ranges::find(known_, id, &Token::id) == known_.end()) co_return Result<void>{};
  json::object data;
  data[id] = nullptr;
  co_return co_await change(std::move(data));
}

}  // namespace nuclio::dashboard
