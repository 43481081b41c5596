// SPDX-License-Identifier: Apache-2.0
#include "nuctl/examine_cluster.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>
#include <span>

#include "k8s/api.h"
#include "k8s/json.h"
#include "k8s/time.h"
#include "nuctl/examined.h"
#include "nuctl/pull_probe.h"
#include "platform/kube/names.h"

namespace nuclio::nuctl {
namespace {

namespace json = boost::json;
namespace kube = platform::kube;
using namespace std::chrono_literals;

constexpr auto kPatience = 5s;  // with one answer
// The controller renews its lease every 5 s.
constexpr auto kUntilRenewed = 7s;

constexpr std::string_view kInstall =
    "install Nuclio with helm, or with kubectl apply --server-side -f deploy/kubernetes";

constexpr std::string_view kUnexpected = "try again; when it stays so, the API server's log may say more";

Deadline soon() { return Deadline::in(kPatience); }

Task<Finding> look_at_server(Examined& at) {
  const k8s::Cluster& cluster = at.api.cluster();
  auto version = co_await at.api.call("GET", "/version", std::nullopt, soon());
  if (!version && version.error().why == Why::forbidden)
    co_return wrong(cluster.server + " does not take the login: " + version.error().what,
                    "the kubeconfig's credentials are wrong or out of date; renew them, or choose another --context");
  if (!version)
    co_return wrong(cluster.server + ": " + version.error().what,
                    "start it or mend the way to it, or choose another --kubeconfig or --context");
  const std::string_view release =
      version->is_object() ? k8s::text_of(version->get_object(), "gitVersion") : std::string_view{};
  const std::string where = cluster.context.empty() ? "in a pod" : "context " + cluster.context;
  co_return well(fmt::format("{} ({}, {})", cluster.server, where, release));
}

Task<Finding> look_at_namespace(Examined& at) {
  const k8s::ObjectName name{"", at.name_space};
  auto found = co_await at.api.get(k8s::kNamespaces, name, soon());
  if (found && k8s::being_deleted(*found))
    co_return wrong(at.name_space + " is being deleted", "wait until it is gone, and make it again");
  if (found) co_return well(at.name_space);
  if (found.error().why == Why::forbidden) co_return skipped(at.name_space + ": this user may not look it up");
  if (found.error().why == Why::not_found)
    co_return wrong("there is no namespace \"" + at.name_space + "\"",
                    "kubectl create namespace " + at.name_space + ", or choose another with --namespace");
  co_return wrong(found.error(), std::string(kUnexpected));
}

bool serves(const json::value& list, std::string_view plural) {
  const json::value* resources = list.is_object() ? k8s::at(list.get_object(), "resources") : nullptr;
  if (!resources || !resources->is_array()) return false;
  for (const json::value& each : resources->get_array())
    if (each.is_object() && k8s::text_of(each.get_object(), "name") == plural) return true;
  return false;
}

Task<Finding> look_at_kinds(Examined& at) {
  constexpr const k8s::Resource* kKinds[] = {&kube::kFunctions, &kube::kProjects, &kube::kFunctionEvents,
                                             &kube::kApiGateways};
  std::string missing;
  for (const std::string_view version : {kube::kFunctions.version, kube::kWholeFunctions.version}) {
    const std::string group = fmt::format("{}/{}", kube::kFunctions.group, version);
    auto list = co_await at.api.call("GET", "/apis/" + group, std::nullopt, soon());
    if (!list && list.error().why != Why::not_found) co_return wrong(list.error(), std::string(kUnexpected));
    for (const k8s::Resource* kind : kKinds)
      if (!list || !serves(*list, kind->plural))
        missing += fmt::format("{}{} of {}", missing.empty() ? "" : ", ", kind->plural, group);
  }
  if (missing.empty()) co_return well("nuclio.io/v1 and v1beta1 are served");
  co_return wrong("the cluster does not know " + missing, "kubectl apply --server-side -f deploy/kubernetes/crds.yaml");
}

struct Right {
  std::string_view group;
  std::string_view resource;
  std::string_view subresource;
  std::string_view verb;
};

// What nuctl does with its user's rights. The chart gives its dashboard the same.
constexpr Right kRights[] = {
    {"nuclio.io", "nucliofunctions", "", "get"},
    {"nuclio.io", "nucliofunctions", "", "list"},
    {"nuclio.io", "nucliofunctions", "", "watch"},
    {"nuclio.io", "nucliofunctions", "", "create"},
    {"nuclio.io", "nucliofunctions", "", "update"},
    {"nuclio.io", "nucliofunctions", "", "patch"},
    {"nuclio.io", "nucliofunctions", "", "delete"},
    {"nuclio.io", "nuclioprojects", "", "list"},
    {"nuclio.io", "nuclioprojects", "", "watch"},
    {"nuclio.io", "nuclioprojects", "", "create"},
    {"nuclio.io", "nuclioprojects", "", "update"},
    {"nuclio.io", "nuclioprojects", "", "delete"},
    {"nuclio.io", "nucliofunctionevents", "", "get"},
    {"nuclio.io", "nucliofunctionevents", "", "list"},
    {"nuclio.io", "nucliofunctionevents", "", "create"},
    {"nuclio.io", "nucliofunctionevents", "", "update"},
    {"nuclio.io", "nucliofunctionevents", "", "delete"},
    {"nuclio.io", "nuclioapigateways", "", "get"},
    {"nuclio.io", "nuclioapigateways", "", "list"},
    {"nuclio.io", "nuclioapigateways", "", "create"},
    {"nuclio.io", "nuclioapigateways", "", "update"},
    {"nuclio.io", "nuclioapigateways", "", "delete"},
    {"", "pods", "", "list"},
    {"", "pods", "", "watch"},
    {"", "pods", "log", "get"},
    {"", "secrets", "", "get"},
    {"", "secrets", "", "create"},
    {"", "secrets", "", "delete"},
};

Task<Result<bool>> may(Examined& at, Right right) {
  json::object attributes{{"namespace", at.name_space},
                          {"group", right.group},
                          {"resource", right.resource},
                          {"subresource", right.subresource},
                          {"verb", right.verb}};
  json::object spec{{"resourceAttributes", std::move(attributes)}};
  json::value review = json::object{
      {"apiVersion", "authorization.k8s.io/v1"}, {"kind", "SelfSubjectAccessReview"}, {"spec", std::move(spec)}};
  std::optional<json::value> body{std::move(review)};
  CO_TRY(
      const json::value answer,
      co_await at.api.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", std::move(body), soon()));
  const json::value* allowed = answer.is_object() ? k8s::at(answer.get_object(), "status.allowed") : nullptr;
  co_return allowed && allowed->is_bool() && allowed->get_bool();
}

Task<Finding> look_at_rights(Examined& at) {
  std::string missing;
  for (const Right& right : kRights) {
    auto allowed = co_await may(at, right);
    if (!allowed) co_return wrong(allowed.error(), std::string(kUnexpected));
    if (*allowed) continue;
    const std::string what =
        std::string(right.resource) + (right.subresource.empty() ? "" : "/") + std::string(right.subresource);
    missing += fmt::format("{}{} {}", missing.empty() ? "" : ", ", right.verb, what);
  }
  if (missing.empty()) co_return well("functions, projects, logs and secrets in " + at.name_space);
  co_return wrong("this user may not " + missing + " in " + at.name_space,
                  "have an administrator do: kubectl -n " + at.name_space +
                      " create rolebinding nuctl --role=nuclio-dashboard --user=YOU");
}

// The Lease of a controller for our namespace, else of one for all.
Task<Result<json::object>> lease_of_controller(Examined& at) {
  const k8s::ObjectName own{at.name_space, "nuclio-controller-" + at.name_space};
  auto lease = co_await at.api.get(k8s::kLeases, own, soon());
  if (lease || lease.error().why != Why::not_found) co_return lease;
  k8s::ListOptions options;
  options.field_selector = "metadata.name=nuclio-controller-all";
  auto list = co_await at.api.list(k8s::kLeases, "", options, soon());
  if (list && !list->items.empty()) co_return list->items.front();
  co_return lease;
}

std::string renewed_of(const json::object& lease) {
  const json::value* text = k8s::at(lease, "spec.renewTime");
  return text && text->is_string() ? std::string(text->get_string()) : "";
}

// Ours and the controller's clock may differ, so a lease that looks old is watched for a while before it counts as
// over.
Task<Finding> look_at_lease(Examined& at, json::object lease) {
  const k8s::ObjectName name = k8s::name_of(lease);
  const json::value* holder_at = k8s::at(lease, "spec.holderIdentity");
  const std::string holder = holder_at && holder_at->is_string() ? std::string(holder_at->get_string()) : "";
  const std::string look = "kubectl -n " + name.namespace_name + " get pods -l nuclio.io/app=controller";
  if (holder.empty()) co_return wrong("none runs: nobody holds the lease " + name.text(), look);
  const json::value* lasts = k8s::at(lease, "spec.leaseDurationSeconds");
  const std::chrono::seconds duration{lasts && lasts->is_int64() ? lasts->get_int64() : 15};
  const std::string renewed = renewed_of(lease);
  const auto time = k8s::parse_time(renewed);
  if (!time) co_return wrong("the lease " + name.text() + " was never renewed", look);
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now() - *time);
  if (age < duration && age > -duration) co_return well(fmt::format("{}, seen {} s ago", holder, age.count()));
  const Deadline until = Deadline::in(kUntilRenewed);
  while (!until.passed()) {
    co_await at.loop.sleep(500ms);
    auto again = co_await at.api.get(k8s::kLeases, name, soon());
    if (again && renewed_of(*again) != renewed)
      co_return well(holder + ", which renews its lease; its clock and this machine's differ");
  }
  co_return wrong(fmt::format("none runs: {} renewed the lease {} last at {}", holder, name.text(), renewed), look);
}

std::int64_t number_in(const json::object& object, std::string_view path) {
  const json::value* value = k8s::at(object, path);
  return value && value->is_int64() ? value->get_int64() : 0;
}

// For a controller without a Lease, and for users who may not see it.
Task<Finding> look_at_deployment(Examined& at, Error why_no_lease) {
  k8s::ListOptions options;
  options.label_selector = "nuclio.io/class=service,nuclio.io/app=controller";
  auto list = co_await at.api.list(k8s::kDeployments, at.name_space, options, soon());
  if (!list && list.error().why == Why::forbidden)
    co_return skipped("this user may see neither its lease nor its deployment");
  if (!list) co_return wrong(list.error(), std::string(kUnexpected));
  for (const json::object& deployment : list->items)
    if (const std::int64_t ready = number_in(deployment, "status.readyReplicas"); ready > 0)
      co_return well(fmt::format("{} of deployment {} ready", ready, k8s::name_of(deployment).text()));
  if (!list->items.empty())
    co_return wrong("no pod of deployment " + k8s::name_of(list->items.front()).text() + " is ready",
                    "kubectl -n " + at.name_space + " describe pods -l nuclio.io/app=controller");
  if (why_no_lease.why == Why::forbidden)
    co_return skipped("none in " + at.name_space + ", and this user may not see the leases of others");
  co_return wrong("none looks after " + at.name_space, std::string(kInstall));
}

Task<Finding> look_at_controller(Examined& at) {
  auto lease = co_await lease_of_controller(at);
  if (lease) co_return co_await look_at_lease(at, std::move(*lease));
  co_return co_await look_at_deployment(at, std::move(lease).error());
}

struct Check {
  std::string_view subject;
  Task<Finding> (*look)(Examined& at);
};

// In this order; none is of use while the server does not answer.
constexpr Check kChecks[] = {{"namespace", look_at_namespace},
                             {"kinds", look_at_kinds},
                             {"rights", look_at_rights},
                             {"controller", look_at_controller}};

void skip_all(Findings& findings, bool pull, const std::string& reason) {
  for (const Check& check : kChecks) findings.add(check.subject, skipped(reason));
  if (pull) findings.add("pull", skipped(reason));
}

}  // namespace

Task<void> examine_cluster(Session& session, Findings& findings, std::optional<std::string> pulled) {
  auto cluster = session.cluster();
  if (!cluster) {
    // Where there is no file at all, the error says what to do.
    const char* remedy =
        cluster.error().why == Why::not_found ? "" : "mend it, or choose another by --kubeconfig or --context";
    findings.add("cluster", wrong(cluster.error(), remedy));
    skip_all(findings, pulled.has_value(), "no cluster is known");
    co_return;
  }
  k8s::Api api{session.loop(), session.client(), std::move(*cluster), "nuctl"};
  Examined at{session.loop(), api, session.name_space()};
  Finding server = co_await look_at_server(at);
  const bool answers = server.outcome == Outcome::ok;
  findings.add("cluster", std::move(server));
  if (!answers) {
    skip_all(findings, pulled.has_value(), "the API server does not answer us");
    co_return;
  }
  for (const Check& check : kChecks) findings.add(check.subject, co_await check.look(at));
  if (pulled) findings.add("pull", co_await probe_pull(at, std::move(*pulled)));
}

}  // namespace nuclio::nuctl
