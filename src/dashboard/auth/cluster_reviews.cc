// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/cluster_reviews.h"

#include <boost/json.hpp>

#include "dashboard/auth/secret_text.h"

namespace nuclio::dashboard {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto kPatience = 5s;  // for one call's questions together

std::string text_at(const json::object& object, std::string_view dotted) {
  const json::value* value = k8s::at(object, dotted);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string_view plural(Kind kind) {
  switch (kind) {
    case Kind::function: return "nucliofunctions";
    case Kind::function_event: return "nucliofunctionevents";
    case Kind::project: return "nuclioprojects";
    case Kind::api_gateway: return "nuclioapigateways";
  }
  return "";
}

std::string_view verb(Action action, bool several) {
  switch (action) {
    case Action::read: return several ? "list" : "get";
    case Action::create: return "create";
    case Action::update:
    case Action::redeploy: return "update";
    case Action::remove: return "delete";
    case Action::invoke: return "create";
  }
  return "";
}

json::string as_string(std::string_view text) { return json::string(text.data(), text.size()); }

json::object attributes_of(Action action, const Resource& resource, bool several) {
  json::object out{{"group", "nuclio.io"},
                   {"resource", as_string(plural(resource.kind))},
                   {"verb", as_string(verb(action, several))},
                   {"namespace", resource.name_space.value()}};
  if (action == Action::invoke) out["subresource"] = "invocations";
  if (!several) out["name"] = resource.kind == Kind::project ? resource.project : resource.name;
  return out;
}

json::array list_of(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& each : texts) out.emplace_back(each);
  return out;
}

}  // namespace

Task<Result<std::optional<Caller>>> TokenReviews::review(std::string token) {
  std::string question = sha256_hex(token);
  if (const auto* known = known_.find(question)) co_return *known;
  json::object spec{{"token", token}};
  if (!audiences_.empty()) spec["audiences"] = list_of(audiences_);
  json::object body{{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "TokenReview"}, {"spec", std::move(spec)}};
  CO_TRY(const json::value answer, co_await api_.call("POST", "/apis/authentication.k8s.io/v1/tokenreviews",
                                                      json::value(std::move(body)), Deadline::in(kPatience)));
  if (!answer.is_object()) co_return fail(Why::unavailable, "the API server's review of a token is no object");
  std::optional<Caller> out;
  const json::value* authenticated = k8s::at(answer.get_object(), "status.authenticated");
  if (authenticated && authenticated->is_bool() && authenticated->get_bool()) {
    Caller caller{.name = text_at(answer.get_object(), "status.user.username"),
                  .credential = Credential::cluster,
                  .known_by = Credential::cluster};
    if (const json::value* groups = k8s::at(answer.get_object(), "status.user.groups"); groups && groups->is_array())
      for (const json::value& each : groups->get_array())
        if (each.is_string()) caller.groups.emplace_back(each.get_string());
    if (const json::value* extra = k8s::at(answer.get_object(), "status.user.extra"); extra && extra->is_object())
      caller.extra = extra->get_object();
    if (!caller.name.empty()) out = std::move(caller);
  }
  known_.add(std::move(question), out);
  co_return out;
}

Task<Result<bool>> ClusterAuthorizer::ask(const Caller& caller, json::object attributes, Deadline deadline) {
  json::object spec{{"user", caller.name},
                    {"groups", list_of(caller.groups)},
                    {"extra", caller.extra},
                    {"resourceAttributes", std::move(attributes)}};
  std::string question = json::serialize(spec);
  if (const bool* known = known_.find(question)) co_return *known;
  json::object body{
      {"apiVersion", "authorization.k8s.io/v1"}, {"kind", "SubjectAccessReview"}, {"spec", std::move(spec)}};
  CO_TRY(const json::value answer, co_await api_.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews",
                                                      json::value(std::move(body)), deadline));
  const json::value* allowed = answer.is_object() ? k8s::at(answer.get_object(), "status.allowed") : nullptr;
  const bool out = allowed && allowed->is_bool() && allowed->get_bool();
  known_.add(std::move(question), out);
  co_return out;
}

Task<Result<std::vector<bool>>> ClusterAuthorizer::allows(const Caller& caller, Action action,
                                                          std::vector<Resource> resources) {
  const Deadline deadline = Deadline::in(kPatience);
  std::vector<bool> out;
  out.reserve(resources.size());
  for (const Resource& each : resources) {
    json::object attributes = attributes_of(action, each, resources.size() > 1);
    CO_TRY(const bool allowed, co_await ask(caller, std::move(attributes), deadline));
    out.push_back(allowed);
  }
  co_return out;
}

}  // namespace nuclio::dashboard
