// SPDX-License-Identifier: Apache-2.0
// `nuctl login` and `nuctl logout`.
#include <unistd.h>

#include <boost/json.hpp>
#include <string>

#include "base/base64.h"
#include "base/secret_input.h"
#include "nuctl/commands.h"
#include "nuctl/logins.h"
#include "nuctl/session.h"

namespace nuclio::nuctl {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto kPatience = 30s;

std::string text_in(const json::value& value, std::string_view name) {
  if (!value.is_object()) return {};
  const json::value* member = value.get_object().if_contains(json::string_view(name.data(), name.size()));
  return member && member->is_string() ? std::string(member->get_string()) : std::string();
}

class Login final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.text({"username", 'u'}, user_, "Who logs in with a password, for which an API token is made");
    flags.text({"expires"}, lifetime_, "How long that token counts, as in 12h or 90d (30d)");
  }

  Task<Result<int>> run(Session& session) override {
    CO_TRY(std::string base, co_await session.dashboard());
    if (user_.empty()) {
      token_ = read_secret("token");
    } else {
      CO_TRY_DO(co_await make_token(session));
    }
    if (token_.empty()) co_return fail(Why::invalid, "no token was given: it is read from standard input");
    Session::Api api{.method = "GET", .path = "/api/v2/session"};
    api.headers.emplace_back("Authorization", "Bearer " + token_);
    CO_TRY(const json::value known, co_await session.call(std::move(api), Deadline::in(kPatience)));
    const json::value* logged_in = known.is_object() ? known.get_object().if_contains("loggedIn") : nullptr;
    if (!logged_in || *logged_in != true) co_return fail(Why::forbidden, base + " does not know this token");
    CO_TRY_DO(session.save_token(token_));
    session.note("logged in at " + base + " as " + text_in(known, "name") + "\n");
    co_return 0;
  }

 private:
  Task<Result<void>> make_token(Session& session) {
    const std::string password = read_secret("password of " + user_);
    char host[256] = "";
    (void)::gethostname(host, sizeof host - 1);
    json::object body{{"name", ("nuctl on " + std::string(host)).substr(0, 63)}, {"expiresIn", lifetime_}};
    Session::Api api{.method = "POST", .path = "/api/v2/tokens", .body = json::serialize(body)};
    api.headers.emplace_back("Authorization", "Basic " + encode_base64(user_ + ":" + password));
    CO_TRY(const json::value made, co_await session.call(std::move(api), Deadline::in(kPatience)));
    token_ = text_in(made, "token");
    co_return Result<void>{};
  }

  std::string user_;
  std::string lifetime_ = "30d";
  std::string token_;
};

class Logout final : public Command {
 public:
  void declare(Flags&) override {}

  Task<Result<int>> run(Session& session) override {
    CO_TRY(const std::string token, session.saved_token());
    if (token.empty()) co_return fail(Why::not_found, "you are not logged in there");
    // One that `nuctl login` made; others are not ours to revoke, and the dashboard says that it has none.
    if (token.starts_with("nuc_") && token.size() > 14) {
      Session::Api api{.method = "DELETE", .path = "/api/v2/tokens/" + token.substr(4, 10)};
      auto revoked = co_await session.call(std::move(api), Deadline::in(kPatience));
      if (!revoked && revoked.error().why != Why::not_found && revoked.error().why != Why::forbidden)
        session.note("the token could not be revoked: " + revoked.error().what + "\n");
    }
    CO_TRY_DO(session.save_token(""));
    co_return 0;
  }
};

}  // namespace

std::unique_ptr<Command> make_login() { return std::make_unique<Login>(); }
std::unique_ptr<Command> make_logout() { return std::make_unique<Logout>(); }

}  // namespace nuclio::nuctl
