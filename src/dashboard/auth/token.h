// SPDX-License-Identifier: Apache-2.0
// What proves who somebody is without a password: API tokens, and the sessions of browsers, which are tokens that live
// for hours.
#pragma once
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dashboard/auth/caller.h"
#include "loop/task.h"

namespace nuclio::dashboard {

enum class TokenKind { token, session };

// What is kept of a token: all but what its bearer must know.
struct Token {
  std::string id;    // 10 letters and digits
  std::string hash;  // SHA-256 of its text, in hexadecimal digits
  TokenKind kind = TokenKind::token;
  std::string name;                 // what people call it: "ci"
  std::string owner;                // the user for whom it stands; "" for one that stands for itself
  std::vector<std::string> groups;  // of the owner, where users are known elsewhere, as they were when it was made
  Credential known_by = Credential::none;  // the owner: by a password, so in our list of users, cluster or oidc
  boost::json::object extra;               // of the owner, when a cluster knows it
  std::string made_by;                     // the id of the token with which it was made, without which it counts not
  // What it may: of one that stands for a user no more than the user may. Empty: all that the user may.
  std::vector<Grant> grants;
  WallTime created{};
  WallTime expires{};

  boost::json::object to_json() const;  // as it is kept
  static Result<Token> from_json(const boost::json::value& in);
};

// A token and its text, "nuc_ID_SECRET", which is told once and kept nowhere.
struct NewToken {
  Token token;
  std::string text;
};
// Gives `token` an id, a hash and a text.
NewToken made(Token token);

// The id in a text that looks like one of ours; "" for others.
std::string_view token_id(std::string_view text);
bool proves(std::string_view text, const Token& token);

constexpr std::size_t kMostTokens = 500;  // and as many sessions

// Where tokens are kept. What was added or removed is so when the call returns, also after a crash.
class TokenStore {
 public:
  virtual ~TokenStore() = default;
  // Nothing when there is none. One that has expired may be given; the caller looks.
  virtual Task<Result<std::optional<Token>>> find(std::string id) = 0;
  // By their creation.
  virtual Task<Result<std::vector<Token>>> all() = 0;
  // Forgets the ones that have expired. Why::too_large when there are kMostTokens already; of sessions, the oldest
  // goes.
  virtual Task<Result<void>> add(Token token) = 0;
  // Fine when there is none.
  virtual Task<Result<void>> remove(std::string id) = 0;
};

// Which of these must go, and whether there is room, when one more of that kind comes: for the stores.
Result<std::vector<std::string>> to_forget(const std::vector<Token>& all, TokenKind kind, WallTime now);

// A file for each in a folder that is its user's alone: several programs may use it at the same time.
class TokenFolder final : public TokenStore {
 public:
  explicit TokenFolder(std::string folder) : folder_(std::move(folder)) {}
  Task<Result<std::optional<Token>>> find(std::string id) override;
  Task<Result<std::vector<Token>>> all() override;
  Task<Result<void>> add(Token token) override;
  Task<Result<void>> remove(std::string id) override;

 private:
  std::string path(std::string_view id) const { return folder_ + "/" + std::string(id) + ".json"; }
  std::string folder_;
};

// Where a dashboard without a cluster keeps them.
inline std::string token_folder(const std::string& home) { return home + "/tokens"; }

WallTime wall_now();
// "2026-01-31T10:00:00Z"
std::string text(WallTime time);
// "90d", or as Go writes durations; from a minute to 10 years.
Result<std::chrono::seconds> parse_lifetime(std::string_view text);

}  // namespace nuclio::dashboard
