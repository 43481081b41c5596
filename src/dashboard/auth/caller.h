// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <boost/json/object.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "schema/schema.h"

namespace nuclio::dashboard {

// What somebody may do, each role what the one before may, and more: a viewer reads, a developer deploys and invokes
// functions, an admin makes and deletes projects.
enum class Role { viewer, developer, admin };
constexpr auto choices(Role) {
  using C = schema::Choice<Role>;
  return std::array{C{Role::viewer, "viewer"}, C{Role::developer, "developer"}, C{Role::admin, "admin"}};
}

// A role, and where it counts: "*" is everywhere.
struct Grant {
  Role role = Role::viewer;
  std::string project = "*";
  std::string name_space = "*";

  template <class G = Grant>
  static constexpr auto fields() {
    return std::tuple{
        schema::field("role", &G::role,
                      {.doc = "viewer reads; developer deploys and invokes functions, too; admin makes and deletes "
                              "projects, too.",
                       .required = true}),
        schema::field("project", &G::project, {.doc = "The project in which it counts; * for all."}),
        schema::field("namespace", &G::name_space, {.doc = "The namespace in which it counts; * for all."}),
    };
  }
};

using WallTime = std::chrono::sys_seconds;

// By what a caller has shown who they are, or is known: a password, a session or token that they got for it, a token of
// the cluster's, or an OpenID provider.
enum class Credential { none, password, session, token, cluster, oidc };

// Who calls.
struct Caller {
  std::string name;  // for logs, and for authorizers that know users by name
  std::vector<std::string> groups = {};
  Credential credential = Credential::none;  // of this call
  Credential known_by = Credential::none;    // behind a session or token
  std::vector<Grant> grants = {};
  // Decided by the grants alone, whatever other authorizer there is: of a token that stands for nobody, and where
  // nobody is asked who they are.
  bool by_grants_alone = false;
  // Of a token that may less than whose it is: no more than these, and no more than the owner.
  std::optional<std::vector<Grant>> scope = {};
  std::optional<WallTime> expires = {};  // when the credential counts no more
  std::string token_id = {};             // of a session or token
  boost::json::object extra = {};        // what a cluster says of its user beside, for its own authorizer
};

// Whoever comes where nobody is asked who they are.
inline Caller anybody() { return {.name = "anybody", .grants = {Grant{.role = Role::admin}}, .by_grants_alone = true}; }

}  // namespace nuclio::dashboard
