// SPDX-License-Identifier: Apache-2.0
// The cluster's own answers: whose a bearer token is (TokenReview), and what a user may do (SubjectAccessReview).
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dashboard/auth/authorizer.h"
#include "k8s/api.h"
#include "loop/deadline.h"

namespace nuclio::dashboard {

// What was answered a moment ago, so that each call does not ask twice. Bounded: when it is full, all of it goes.
template <class T>
class Remembered {
 public:
  explicit Remembered(std::chrono::seconds span) : span_(span) {}
  const T* find(const std::string& question) const {
    const auto found = answers_.find(question);
    return found != answers_.end() && found->second.until > std::chrono::steady_clock::now() ? &found->second.answer
                                                                                             : nullptr;
  }
  void add(std::string question, T answer) {
    if (answers_.size() >= kMost) answers_.clear();
    answers_.insert_or_assign(std::move(question), Entry{std::move(answer), std::chrono::steady_clock::now() + span_});
  }

 private:
  static constexpr std::size_t kMost = 4096;
  struct Entry {
    T answer;
    SteadyTime until;
  };
  std::chrono::seconds span_;
  std::map<std::string, Entry> answers_;
};

// Lives on its loop's thread; `api` outlives it.
class TokenReviews {
 public:
  TokenReviews(k8s::Api& api, std::vector<std::string> audiences) : api_(api), audiences_(std::move(audiences)) {}
  // The user whose token it is, nothing when it is nobody's. Remembered for 10 seconds.
  Task<Result<std::optional<Caller>>> review(std::string token);

 private:
  k8s::Api& api_;
  std::vector<std::string> audiences_;
  Remembered<std::optional<Caller>> known_{std::chrono::seconds{10}};
};

// The cluster's RBAC, or whatever authorizers it has. What the API here calls an action is a verb on nucliofunctions
// and so on of the group nuclio.io in the object's namespace: get (list, for several), create, update, delete; to
// invoke a function is to create its nucliofunctions/invocations. Projects do not count. Answers are remembered for 10
// seconds.
class ClusterAuthorizer final : public Authorizer {
 public:
  explicit ClusterAuthorizer(k8s::Api& api) : api_(api) {}
  Task<Result<std::vector<bool>>> allows(const Caller& caller, Action action, std::vector<Resource> resources) override;

 private:
  Task<Result<bool>> ask(const Caller& caller, boost::json::object attributes, Deadline deadline);
  k8s::Api& api_;
  Remembered<bool> known_{std::chrono::seconds{10}};
};

}  // namespace nuclio::dashboard
