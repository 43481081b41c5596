// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/token.h"

#include <fmt/chrono.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/duration.h"
#include "base/log.h"
#include "dashboard/auth/secret_text.h"
#include "platform/process/home.h"
#include "schema/json.h"

namespace nuclio::dashboard {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using namespace std::chrono_literals;

constexpr std::string_view kPrefix = "nuc_";
constexpr std::size_t kIdLength = 10;
constexpr std::size_t kSecretLength = 43;  // 256 bits
constexpr std::array<std::string_view, 6> kCredentials{"none", "password", "session", "token", "cluster", "oidc"};

bool is_id(std::string_view text) {
  return text.size() == kIdLength &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) || (c >= 'a' && c <= 'z'); });
}

json::array grants_to_json(const std::vector<Grant>& grants) {
  json::array out;
  for (const Grant& each : grants)
    out.push_back(json::object{{"role", json::string(std::string(schema::name_of(each.role)))},
                               {"project", each.project},
                               {"namespace", each.name_space}});
  return out;
}

std::string text_in(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(json::string_view(name.data(), name.size()));
  return member && member->is_string() ? std::string(member->get_string()) : std::string();
}

Result<WallTime> time_in(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(json::string_view(name.data(), name.size()));
  if (!member || !member->is_int64()) return fail(Why::invalid, std::string(name) + " must be a number of seconds");
  return WallTime{std::chrono::seconds{member->get_int64()}};
}

Result<std::vector<Grant>> grants_in(const json::object& object) {
  std::vector<Grant> out;
  const json::value* list = object.if_contains("grants");
  if (!list || !list->is_array()) return fail(Why::invalid, "grants must be a list");
  for (const json::value& each : list->get_array()) {
    if (!each.is_object()) return fail(Why::invalid, "grants must be a list of objects");
    Grant grant{.project = text_in(each.get_object(), "project"),
                .name_space = text_in(each.get_object(), "namespace")};
    const std::string role = text_in(each.get_object(), "role");
    constexpr auto kRoles = choices(Role{});
    const auto* known = std::ranges::find(kRoles, role, &schema::Choice<Role>::name);
    if (known == kRoles.end()) return fail(Why::invalid, "there is no role \"" + role + "\"");
    grant.role = known->value;
    out.push_back(std::move(grant));
  }
  return out;
}

}  // namespace

json::object Token::to_json() const {
  json::array group_list;
  for (const std::string& each : groups) group_list.emplace_back(each);
  return {{"id", id},
          {"hash", hash},
          {"kind", kind == TokenKind::session ? "session" : "token"},
          {"name", name},
          {"owner", owner},
          {"groups", std::move(group_list)},
          {"knownBy", json::string(std::string(kCredentials[static_cast<std::size_t>(known_by)]))},
          {"extra", extra},
          {"madeBy", made_by},
          {"grants", grants_to_json(grants)},
          {"created", created.time_since_epoch().count()},
          {"expires", expires.time_since_epoch().count()}};
}

Result<Token> Token::from_json(const json::value& in) {
  if (!in.is_object()) return fail(Why::invalid, "a token must be an object");
  const json::object& object = in.get_object();
  Token out{.id = text_in(object, "id"),
            .hash = text_in(object, "hash"),
            .kind = text_in(object, "kind") == "session" ? TokenKind::session : TokenKind::token,
            .name = text_in(object, "name"),
            .owner = text_in(object, "owner")};
  if (!is_id(out.id) || out.hash.size() != 64) return fail(Why::invalid, "a token must have an id and a hash");
  if (const json::value* list = object.if_contains("groups"); list && list->is_array())
    for (const json::value& each : list->get_array())
      if (each.is_string()) out.groups.emplace_back(each.get_string());
  out.made_by = text_in(object, "madeBy");
  const auto known = std::ranges::find(kCredentials, text_in(object, "knownBy"));
  if (known == kCredentials.end()) return fail(Why::invalid, "a token must say by what its owner is known");
  out.known_by = static_cast<Credential>(known - kCredentials.begin());
  if (const json::value* extra = object.if_contains("extra"); extra && extra->is_object())
    out.extra = extra->get_object();
  TRY(out.grants, grants_in(object));
  TRY(out.created, time_in(object, "created"));
  TRY(out.expires, time_in(object, "expires"));
  return out;
}

NewToken made(Token token) {
  std::string id = secret_text(kIdLength);
  std::ranges::transform(id, id.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string text = std::string(kPrefix) + id + "_" + secret_text(kSecretLength);
  token.id = std::move(id);
  token.hash = sha256_hex(text);
  return {std::move(token), std::move(text)};
}

std::string_view token_id(std::string_view text) {
  constexpr std::size_t kLength = kPrefix.size() + kIdLength + 1 + kSecretLength;
  if (text.size() != kLength || !text.starts_with(kPrefix) || text[kPrefix.size() + kIdLength] != '_') return {};
  const std::string_view id = text.substr(kPrefix.size(), kIdLength);
  return is_id(id) ? id : std::string_view{};
}

bool proves(std::string_view text, const Token& token) {
  return token_id(text) == token.id && same_secret(sha256_hex(text), token.hash);
}

Result<std::vector<std::string>> to_forget(const std::vector<Token>& all, TokenKind kind, WallTime now) {
  std::vector<std::string> out;
  std::vector<const Token*> alive;  // of that kind
  for (const Token& each : all) {
    if (each.expires <= now) {
      out.push_back(each.id);
    } else if (each.kind == kind) {
      alive.push_back(&each);
    }
  }
  if (alive.size() < kMostTokens) return out;
  if (kind == TokenKind::token)
    return fail(Why::too_large, "there are " + std::to_string(alive.size()) +
                                    " tokens, and no more may be; revoke those that nobody uses");
  const auto oldest = std::ranges::min_element(alive, {}, [](const Token* each) { return each->created; });
  out.push_back((*oldest)->id);
  return out;
}

Task<Result<std::optional<Token>>> TokenFolder::find(std::string id) {
  if (!is_id(id)) co_return std::optional<Token>{};
  std::ifstream file(path(id), std::ios::binary);
  if (!file) co_return std::optional<Token>{};
  std::ostringstream text;
  text << file.rdbuf();
  auto value = schema::parse_json(std::move(text).str());
  if (!value) co_return std::unexpected(std::move(value).error().in(path(id)));
  auto token = Token::from_json(*value);
  if (!token) co_return std::unexpected(std::move(token).error().in(path(id)));
  co_return std::optional{std::move(*token)};
}

Task<Result<std::vector<Token>>> TokenFolder::all() {
  std::vector<Token> out;
  std::error_code error;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() != ".json") continue;
    auto token = co_await find(entry->path().stem().string());
    if (!token) {
      log::warn("A token cannot be read and counts for nothing", {{"reason", token.error().what}});
    } else if (*token) {
      out.push_back(std::move(**token));
    }
  }
  if (error && error != std::errc::no_such_file_or_directory)
    co_return fail(Why::internal, "reading " + folder_ + ": " + error.message());
  std::ranges::sort(out, {}, &Token::created);
  co_return out;
}

Task<Result<void>> TokenFolder::add(Token token) {
  CO_TRY_DO(platform::process::make_private_folder(folder_));
  CO_TRY(const std::vector<Token> there, co_await all());
  CO_TRY(const std::vector<std::string> old, to_forget(there, token.kind, wall_now()));
  for (const std::string& each : old) CO_TRY_DO(co_await remove(each));
  co_return platform::process::replace_file(path(token.id), json::serialize(token.to_json()) + "\n");
}

Task<Result<void>> TokenFolder::remove(std::string id) {
  if (!is_id(id) || ::unlink(path(id).c_str()) == 0 || errno == ENOENT) co_return Result<void>{};
  co_return fail_errno("removing " + path(id));
}

WallTime wall_now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

std::string text(WallTime time) { return fmt::format("{:%FT%TZ}", time); }

Result<std::chrono::seconds> parse_lifetime(std::string_view text) {
  std::chrono::seconds out{};
  int days = 0;
  const char* end = text.data() + text.size();
  if (auto [at, error] = std::from_chars(text.data(), end, days);
      error == std::errc{} && at + 1 == end && *at == 'd' && days >= 0 && days <= 3660) {
    out = days * 24h;
  } else {
    auto duration = parse_duration(text);
    if (!duration) return fail(Why::invalid, "must be like 90d or 12h, is \"" + std::string(text) + "\"");
    out = std::chrono::duration_cast<std::chrono::seconds>(*duration);
  }
  if (out < 1min || out > 3660 * 24h)
    return fail(Why::invalid, "must be from 1m to 3660d, is \"" + std::string(text) + "\"");
  return out;
}

}  // namespace nuclio::dashboard
