// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/authorizer.h"

#include <gmock/gmock.h>

#include "loop/run.h"

namespace nuclio::dashboard {
namespace {

Resource function_in(const std::string& project, const std::string& name_space = "nuclio") {
  return {.kind = Kind::function, .name_space = Namespace{name_space}, .project = project, .name = "f", .function = ""};
}

TEST(Granted, IsWhatTheRoleMayWhereItCounts) {
  struct Case {
    Grant grant;
    Action action;
    Resource resource;
    bool may;
  };
  Resource project = function_in("shop");
  project.kind = Kind::project;
  for (const Case& each : {
           Case{{Role::viewer}, Action::read, function_in("shop"), true},
           Case{{Role::viewer}, Action::invoke, function_in("shop"), false},
           Case{{Role::viewer}, Action::create, function_in("shop"), false},
           Case{{Role::developer}, Action::remove, function_in("shop"), true},
           Case{{Role::developer, "shop"}, Action::invoke, function_in("shop"), true},
           Case{{Role::developer, "rest"}, Action::read, function_in("shop"), false},
           Case{{Role::developer, "shop", "other"}, Action::read, function_in("shop"), false},
           Case{{Role::developer, "shop", "other"}, Action::read, function_in("shop", "other"), true},
           Case{{Role::developer}, Action::update, project, false},
           Case{{Role::developer}, Action::read, project, true},
           Case{{Role::admin, "shop"}, Action::remove, project, true},
           Case{{Role::admin, "rest"}, Action::remove, project, false},
           Case{{Role::admin, "shop"}, Action::read, function_in(""), false},
           Case{{Role::admin}, Action::read, function_in(""), true},
       }) {
    EXPECT_EQ(granted(std::vector{each.grant}, each.action, each.resource), each.may)
        << schema::name_of(each.grant.role) << "@" << each.grant.project << " " << text(each.action);
  }
  EXPECT_FALSE(granted({}, Action::read, function_in("shop")));
}

// Says what it is told to, and counts.
class Oracle final : public Authorizer {
 public:
  Task<Result<std::vector<bool>>> allows(const Caller&, Action, std::vector<Resource> resources) override {
    ++asked;
    if (!answer) co_return std::unexpected(answer.error());
    co_return std::vector<bool>(resources.size(), *answer);
  }
  Result<bool> answer = true;
  int asked = 0;
};

class Allowed : public ::testing::Test {
 protected:
  Result<std::vector<bool>> ask(const Caller& caller, Action action = Action::update) {
    return run_until_done(loop_, allowed(oracle_, caller, action, {function_in("shop"), function_in("rest")}));
  }
  Loop loop_;
  Oracle oracle_;
};

TEST_F(Allowed, IsWhatTheAuthorizerSaysAndNoMoreThanTheScope) {
  EXPECT_EQ(*ask({.name = "ada"}), (std::vector{true, true}));
  EXPECT_EQ(*ask({.name = "ada", .scope = std::vector{Grant{Role::developer, "rest"}}}), (std::vector{false, true}));
  oracle_.answer = false;
  EXPECT_EQ(*ask({.name = "ada", .grants = {Grant{Role::admin}}}), (std::vector{false, false}));
  EXPECT_EQ(oracle_.asked, 3);
  EXPECT_EQ(*ask({.name = "ada", .scope = std::vector{Grant{Role::viewer}}}), (std::vector{false, false}));
  EXPECT_EQ(oracle_.asked, 3) << "the answer could not matter";
}

TEST_F(Allowed, AsksNobodyOfThoseWhoHaveGrantsAlone) {
  oracle_.answer = false;
  EXPECT_EQ(*ask({.name = "t", .grants = {Grant{Role::developer, "shop"}}, .by_grants_alone = true}),
            (std::vector{true, false}));
  EXPECT_EQ(*ask({.name = "nobody", .by_grants_alone = true}, Action::read), (std::vector{false, false}));
  EXPECT_EQ(oracle_.asked, 0);
}

TEST_F(Allowed, IsNothingWhenNobodyCanBeAsked) {
  oracle_.answer = fail(Why::unavailable, "gone");
  EXPECT_EQ(ask({.name = "ada", .grants = {Grant{Role::admin}}}).error().why, Why::unavailable);
}

}  // namespace
}  // namespace nuclio::dashboard
