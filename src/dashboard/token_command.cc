// SPDX-License-Identifier: Apache-2.0
#include "dashboard/token_command.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include "base/environment.h"
#include "base/log.h"
#include "base/names.h"
#include "base/program_flags.h"
#include "base/secret_input.h"
#include "base/version.h"
#include "dashboard/auth/password.h"
#include "dashboard/auth/token.h"
#include "dashboard/auth/token_secret.h"
#include "dashboard/settings.h"
#include "http/client.h"
#include "k8s/api.h"
#include "k8s/cluster.h"
#include "loop/loop.h"
#include "loop/run.h"

namespace nuclio::dashboard {
namespace {

struct TokenSettings {
  bool kube = false;
  std::string name_space;
  std::string kubeconfig;
  std::string context;
  std::string home;
  std::string name;
  Grant grant{.role = Role::developer};
  std::chrono::seconds lifetime = std::chrono::hours{24 * 90};
  Asked asked = Asked::run;
};
using Flag = SettingFlag<TokenSettings>;

Result<void> set_platform(TokenSettings& settings, const std::string& value) {
  if (value != "process" && value != "local" && value != "kube")
    return fail(Why::invalid, "must be process or kube, is \"" + value + "\"");
  settings.kube = value == "kube";
  return {};
}

Result<void> set_namespace(TokenSettings& settings, const std::string& value) {
  TRY_DO(parse_namespace(value));
  settings.name_space = value;
  return {};
}

Result<void> set_role(TokenSettings& settings, const std::string& value) {
  constexpr auto kRoles = choices(Role{});
  const auto* known = std::ranges::find(kRoles, value, &schema::Choice<Role>::name);
  if (known == kRoles.end()) return fail(Why::invalid, "must be viewer, developer or admin, is \"" + value + "\"");
  settings.grant.role = known->value;
  return {};
}

Result<void> set_project(TokenSettings& settings, const std::string& value) {
  if (value != "*") TRY_DO(parse_project_name(value));
  settings.grant.project = value;
  return {};
}

Result<void> set_lifetime(TokenSettings& settings, const std::string& value) {
  TRY(settings.lifetime, parse_lifetime(value));
  return {};
}

constexpr std::array kWhere{
    Flag{{"platform", "NUCLIO_DASHBOARD_PLATFORM", "Where the dashboard's functions run: process or kube (process)"},
         set_platform},
    Flag{{"namespace", "NUCLIO_DASHBOARD_NAMESPACE", "Namespace of the dashboard (kube; else the context's)"},
         set_namespace},
    Flag{{"kubeconfig", "", "Kubeconfig of the cluster (kube; else KUBECONFIG, else a pod's own account)"},
         set_text<&TokenSettings::kubeconfig>},
    Flag{{"context", "", "Context of the kubeconfig (kube; else its current one)"}, set_text<&TokenSettings::context>},
};

constexpr std::array kCreate{
    Flag{{"name", "", "What the token is for: \"ci\""}, set_text<&TokenSettings::name>},
    Flag{{"role", "", "What it may: viewer, developer or admin (developer)"}, set_role},
    Flag{{"project", "", "The project in which it may that, or * (*)"}, set_project},
    Flag{{"expires", "", "After so long it counts no more, as in 12h or 365d (90d)"}, set_lifetime},
    kWhere[0],
    kWhere[1],
    kWhere[2],
    kWhere[3],
};

constexpr std::string_view kUsage =
    "dashboard token makes and revokes API tokens, for programs and for who has no other way to log in.\n\n"
    "  dashboard token create --name NAME [flags]   prints the token, this once\n"
    "  dashboard token list [flags]\n"
    "  dashboard token revoke ID [flags]\n\n";

Result<std::string> home_of(const std::vector<std::string>& environment) {
  std::string home = variable(environment, "NUCLIO_HOME");
  if (!home.empty()) return home;
  home = variable(environment, "HOME");
  if (home.empty()) return fail(Why::invalid, "set NUCLIO_HOME to the dashboard's folder: HOME is not set either");
  return home + "/.nuclio";
}

// What a command works on.
struct Place {
  Loop loop;
  std::unique_ptr<http::Client> client;
  std::unique_ptr<k8s::Api> api;
  std::unique_ptr<TokenStore> tokens;
};

Result<void> find_place(const TokenSettings& settings, const std::vector<std::string>& environment, Place& place) {
  if (!settings.kube) {
    TRY(const std::string home, home_of(environment));
    place.tokens = std::make_unique<TokenFolder>(token_folder(home));
    return {};
  }
  k8s::ClusterQuery query{.kubeconfig = settings.kubeconfig, .context = settings.context, .environment = environment};
  TRY(auto cluster, k8s::find_cluster(query));
  Namespace name_space{settings.name_space.empty() ? cluster.namespace_name : settings.name_space};
  place.client = std::make_unique<http::Client>(place.loop);
  place.api = std::make_unique<k8s::Api>(place.loop, *place.client, std::move(cluster),
                                         "nuclio-dashboard/" + std::string(kVersion));
  place.tokens = std::make_unique<TokenSecret>(*place.api, std::move(name_space));
  return {};
}

Result<void> create(const TokenSettings& settings, Place& place) {
  if (settings.name.empty()) return fail(Why::invalid, "--name must say what the token is for");
  NewToken token = made({.name = settings.name,
                         .grants = {settings.grant},
                         .created = wall_now(),
                         .expires = wall_now() + settings.lifetime});
  const std::string note = fmt::format(
      "token {} \"{}\": {} of {}, until {}\n", token.token.id, settings.name, schema::name_of(settings.grant.role),
      settings.grant.project == "*" ? "all projects" : "project " + settings.grant.project, text(token.token.expires));
  TRY_DO(run_until_done(place.loop, place.tokens->add(std::move(token.token))));
  // The token alone goes to standard output, for scripts.
  std::fputs(note.c_str(), stderr);
  std::puts(token.text.c_str());
  return {};
}

Result<void> list(Place& place) {
  TRY(const std::vector<Token> all, run_until_done(place.loop, place.tokens->all()));
  std::string out = fmt::format("{:12} {:20} {:24} {:32} {}\n", "ID", "NAME", "OF", "MAY", "EXPIRES");
  for (const Token& each : all) {
    if (each.kind != TokenKind::token) continue;
    std::string may;
    for (const Grant& grant : each.grants)
      may += (may.empty() ? "" : ", ") + std::string(schema::name_of(grant.role)) + "@" + grant.project;
    if (may.empty()) may = "what they may";
    out += fmt::format("{:12} {:20} {:24} {:32} {}{}\n", each.id, each.name, each.owner.empty() ? "-" : each.owner, may,
                       text(each.expires), each.expires <= wall_now() ? " (expired)" : "");
  }
  std::fputs(out.c_str(), stdout);
  return {};
}

Result<void> revoke(const std::string& id, Place& place) {
  TRY(const auto found, run_until_done(place.loop, place.tokens->find(id)));
  if (!found) return fail(Why::not_found, "there is no token \"" + id + "\"; `dashboard token list` has them");
  return run_until_done(place.loop, place.tokens->remove(id));
}

Result<void> run(std::string_view command, std::span<const std::string> rest,
                 const std::vector<std::string>& environment) {
  std::string id;
  if (command == "revoke" && !rest.empty() && !rest[0].starts_with('-')) {
    id = rest[0];
    rest = rest.subspan(1);
  }
  TokenSettings settings;
  if (command == "create") {
    TRY(settings.asked, read_program_flags(kCreate, settings, rest, environment, "dashboard token create"));
  } else if (command == "list" || command == "revoke") {
    TRY(settings.asked, read_program_flags(kWhere, settings, rest, environment, "dashboard token"));
  } else {
    return fail(Why::invalid, "must be create, list or revoke, is \"" + std::string(command) +
                                  "\"; dashboard token --help tells more");
  }
  if (settings.asked != Asked::run) {
    std::fputs((std::string(kUsage) + (command == "create" ? help_of(kCreate) : help_of(kWhere))).c_str(), stdout);
    return {};
  }
  if (command == "revoke" && id.empty()) return fail(Why::invalid, "revoke needs the token's ID");
  Place place;
  TRY_DO(find_place(settings, environment, place));
  if (command == "create") return create(settings, place);
  return command == "list" ? list(place) : revoke(id, place);
}

}  // namespace

int run_token_command(std::span<const std::string> arguments, const std::vector<std::string>& environment) {
  log::configure({.level = log::Level::warn, .logger = "dashboard", .descriptor = 2});
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    std::fputs((std::string(kUsage) + "Flags of create:\n\n" + help_of(kCreate)).c_str(),
               arguments.empty() ? stderr : stdout);
    return arguments.empty() ? 1 : 0;
  }
  auto done = run(arguments[0], arguments.subspan(1), environment);
  if (done) return 0;
  std::fprintf(stderr, "dashboard token: %s\n", done.error().what.c_str());
  return 1;
}

int run_hash_password() {
  auto hash = hash_password(read_secret("password"));
  if (!hash) {
    std::fprintf(stderr, "dashboard hash-password: %s (it is read from standard input)\n", hash.error().what.c_str());
    return 1;
  }
  std::puts(hash->c_str());
  return 0;
}

}  // namespace nuclio::dashboard
