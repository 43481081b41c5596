// SPDX-License-Identifier: Apache-2.0
#include "controller/reconcile_function.h"

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>

#include "base/check.h"
#include "base/log.h"
#include "controller/covers.h"
#include "controller/replicas_owner.h"
#include "platform/demands.h"
#include "platform/kube/conditions.h"
#include "platform/kube/names.h"
#include "platform/kube/objects.h"
#include "platform/kube/revision_objects.h"
#include "spec/enrich.h"
#include "spec/load.h"
#include "spec/masking.h"
#include "spec/rules.h"

namespace nuclio::controller {
namespace {

namespace json = boost::json;
namespace kube = platform::kube;
using namespace std::chrono_literals;
using spec::FunctionState;

constexpr std::size_t kLastWordsLines = 10;
constexpr std::size_t kMaxLastWords = 2048;

// Whose turn it is.
enum class Turn {
  ours,
  builders,     // an image is being made, or could not be: what serves goes on
  wants_image,  // there is code, and no image of it
  nobodys,      // it was imported, and is not to run yet
};

Turn turn_of(const spec::FunctionConfig& config, const json::object& object) {
  switch (config.status.state) {
    case FunctionState::building:
    case FunctionState::waiting_for_build: return Turn::builders;
    case FunctionState::imported: return Turn::nobodys;
    default: break;
  }
  if (platform::is_import(config.metadata)) return Turn::nobodys;
  const json::value* status = object.if_contains("status");
  const json::object nothing;
  const json::object& known = status && status->is_object() ? status->get_object() : nothing;
  const json::value* built_from = known.if_contains(kube::kBuiltFrom);
  const bool has_code = kube::has_code(config.spec);
  const bool changed = has_code && built_from && *built_from != json::value(kube::build_inputs(object));
  if (config.status.state == FunctionState::error && kube::is_false(known, kube::kBuilt))
    return changed ? Turn::wants_image : Turn::builders;
  return has_code && (changed || config.spec.image.empty()) ? Turn::wants_image : Turn::ours;
}

bool scaled_to_zero(FunctionState state) {
  return state == FunctionState::scaled_to_zero || state == FunctionState::waiting_for_scale_resource_to_zero;
}

std::optional<int> number_at(const k8s::Object& object, std::string_view dotted) {
  const json::value* value = object ? k8s::at(*object, dotted) : nullptr;
  if (!value || !value->is_int64()) return std::nullopt;
  return static_cast<int>(value->get_int64());
}

std::optional<int> node_port(const k8s::Object& service) {
  const json::value* ports = service ? k8s::at(*service, "spec.ports") : nullptr;
  if (!ports || !ports->is_array()) return std::nullopt;
  for (const json::value& each : ports->get_array()) {
    if (!each.is_object()) continue;
    const json::value* name = each.get_object().if_contains("name");
    const json::value* port = each.get_object().if_contains("nodePort");
    if (name && *name == json::value("http") && port && port->is_int64()) return static_cast<int>(port->get_int64());
  }
  return std::nullopt;
}

bool is_ours(const json::object& object, std::string_view uid) {
  const json::value* owners = k8s::at(object, "metadata.ownerReferences");
  if (!owners || !owners->is_array()) return false;
  return std::ranges::any_of(owners->get_array(), [&](const json::value& each) {
    const json::value* owner = each.is_object() ? each.get_object().if_contains("uid") : nullptr;
    return owner && owner->is_string() &&
           std::string_view(owner->get_string().data(), owner->get_string().size()) == uid;
  });
}

// The address of a node that runs one of the pods, where nobody said at which nodes are reached: the first in order, so
// that it stays the same as long as it can.
std::vector<std::string> node_of(const std::vector<k8s::Object>& pods) {
  std::string first;
  for (const k8s::Object& pod : pods) {
    const json::value* address = k8s::at(*pod, "status.hostIP");
    if (!address || !address->is_string()) continue;
    std::string text{address->get_string()};
    if (first.empty() || text < first) first = std::move(text);
  }
  if (first.empty()) return {};
  return {std::move(first)};
}

bool holds_values(const json::object& secret) {
  const json::value* type = secret.if_contains("type");
  return type && type->is_string() &&
         std::string_view(type->get_string().data(), type->get_string().size()) == spec::kSecretType;
}

// "host/path" of each rule of an Ingress.
std::vector<std::string> urls_of(const json::object& ingress) {
  std::vector<std::string> out;
  const json::value* rules = k8s::at(ingress, "spec.rules");
  if (!rules || !rules->is_array()) return out;
  for (const json::value& rule : rules->get_array()) {
    const json::value* host = rule.is_object() ? rule.get_object().if_contains("host") : nullptr;
    const json::value* paths = rule.is_object() ? k8s::at(rule.get_object(), "http.paths") : nullptr;
    if (!host || !host->is_string() || !paths || !paths->is_array()) continue;
    for (const json::value& path : paths->get_array()) {
      const json::value* text = path.is_object() ? path.get_object().if_contains("path") : nullptr;
      std::string url{host->get_string()};
      if (text && text->is_string() && text->get_string() != "/") url += std::string(text->get_string());
      out.push_back(std::move(url));
    }
  }
  return out;
}

// What the status says of cron triggers that fire otherwise than they say.
std::string cron_message(const json::object& status) {
  const json::object* condition = kube::find_condition(status, kube::kCronLimited);
  const json::value* message = condition ? condition->if_contains("message") : nullptr;
  return message && message->is_string() ? std::string(message->get_string()) : "";
}

}  // namespace

const k8s::Informer& Caches::of(const k8s::Resource& kind) const {
  const auto* found = std::ranges::find(kOwnedKinds, kind);
  CHECK(found != std::end(kOwnedKinds));
  return *owned[static_cast<std::size_t>(found - std::begin(kOwnedKinds))];
}
k8s::Informer& Caches::of(const k8s::Resource& kind) {
  return const_cast<k8s::Informer&>(std::as_const(*this).of(kind));
}

// The whole story of a function on Kubernetes.
Task<Result<FunctionReconciler::Next>> FunctionReconciler::reconcile(k8s::ObjectName name, Deadline deadline) {
  const k8s::Object function = caches_.functions.find(name);
  // What was made for one that has gone goes by itself: the function owned it.
  if (!function || k8s::being_deleted(*function)) {
    heard_.erase(name);
    co_return Next{};
  }
  auto loaded = kube::function_of(*function);
  if (!loaded) {
    CO_TRY_DO(co_await complain(function, "Invalid", loaded.error().what, deadline));
    co_return Next{};
  }
  if (loaded->config.status.state == FunctionState::building) co_return co_await listen_to_builder(function, deadline);
  heard_.erase(name);
  const Turn turn = turn_of(loaded->config, *function);
  if (turn == Turn::wants_image)
    CO_TRY_DO(co_await write_status(function, image_wanted(*function, "", std::chrono::system_clock::now()), deadline));
  if (turn != Turn::ours) co_return Next{};
  spec::FunctionConfig config = spec::enrich(std::move(loaded->config), options_.platform);
  auto valid = spec::validate(config);
  if (auto may = platform::may_have_priority(config, options_.platform); valid && !may)
    valid = std::unexpected(std::move(may).error());
  if (!valid || config.spec.image.empty()) {
    const std::string why =
        valid ? "there is neither code nor an image: set spec.image, or spec.build.functionSourceCode or path"
              : valid.error().what;
    CO_TRY_DO(co_await complain(function, valid ? "NoImage" : "Invalid", why, deadline));
    co_return Next{};
  }

  const k8s::ObjectName own{name.namespace_name, kube::object_name(name.name)};
  const k8s::Object deployment_before = caches_.of(k8s::kDeployments).find(own);
  FunctionInput input{.config = config, .platform = options_.platform, .owner = *function};
  input.secret = secret_of(*function);
  input.project_node_selector = project_selector(config);
  input.scaled_to_zero = scaled_to_zero(config.status.state);
  input.replicas = number_at(deployment_before, "spec.replicas");
  input.autoscaled = deployment_before && others_own_replicas(*deployment_before);
  input.node_port = node_port(caches_.of(k8s::kServices).find(own));
  input.controller_version = options_.version;
  const std::vector<DesiredObject> desired = desired_objects(input);
  for (const DesiredObject& each : desired) {
    auto applied = co_await apply(each, deadline);
    if (applied) continue;
    if (applied.error().why != Why::invalid && applied.error().why != Why::too_large)
      co_return std::unexpected(std::move(applied).error());
    // The API server refuses what the function asks for: no use in asking again.
    CO_TRY_DO(co_await complain(function, kRefused, applied.error().what, deadline));
    co_return Next{};
  }
  CO_TRY_DO(co_await remove_others(input, desired, deadline));
  CO_TRY_DO(co_await adopt_secrets(input, deadline));

  const k8s::Object deployment = caches_.of(k8s::kDeployments).find(own);
  const k8s::Object service = caches_.of(k8s::kServices).find(own);
  const auto now = std::chrono::system_clock::now();
  RolloutInput looked_at{.deployment = deployment.get(), .pods = pods_of(name)};
  looked_at.patient = config.spec.wait_readiness_timeout_before_failure;
  looked_at.now = now;
  Rollout rollout = rollout_of(looked_at);
  if (!rollout.crashed_pod.empty()) {
    const std::string words = co_await last_words({name.namespace_name, rollout.crashed_pod}, deadline);
    if (!words.empty()) rollout.message += "\n" + words;
  }
  StatusInput status{.function = *function, .config = config, .rollout = rollout};
  status.deployment = deployment.get();
  status.service = service.get();
  status.scaled_to_zero = input.scaled_to_zero;
  const std::vector<std::string> nodes = node_of(looked_at.pods);
  status.external_addresses = options_.external_addresses.empty() ? nodes : options_.external_addresses;
  for (const DesiredObject& each : desired)
    if (each.resource == k8s::kIngresses) status.ingress_urls = urls_of(each.object);
  if (deployment)
    if (const json::value* selector = k8s::at(*deployment, "spec.template.spec.nodeSelector");
        selector && selector->is_object())
      for (const auto& [key, value] : selector->get_object())
        if (value.is_string()) status.node_selector[key] = std::string(value.get_string());
  status.cron_complaint = cron_complaint(config, options_.platform);
  status.now = now;
  CO_TRY_DO(co_await write_status(function, status_of(status), deadline));
  if (rollout.stage == Rollout::Stage::complete) CO_TRY_DO(co_await remove_old_secrets(input, deadline));
  // Not before it is known how it went: what was replaced on its way has never been what serves.
  if (rollout.stage != Rollout::Stage::going_on) CO_TRY_DO(co_await record_revision(function, deadline));
  co_return Next{.look_again = rollout.look_again};
}

Task<Result<void>> FunctionReconciler::apply(const DesiredObject& desired, Deadline deadline) {
  k8s::Informer& cache = caches_.of(desired.resource);
  const k8s::Object present = cache.find(k8s::name_of(desired.object));
  if (present && covers(*present, desired.object)) co_return Result<void>{};
  auto applied = co_await api_.apply(desired.resource, desired.object, std::string(kube::kFieldManager),
                                     k8s::TakeOver::yes, deadline);
  if (!applied) co_return std::unexpected(std::move(applied).error());
  cache.put(std::move(*applied));
  co_return Result<void>{};
}

// What was made for the function as it was before, and is not wanted any more.
Task<Result<void>> FunctionReconciler::remove_others(const FunctionInput& input,
                                                     const std::vector<DesiredObject>& desired, Deadline deadline) {
  const spec::Metadata& metadata = input.config.metadata;
  const std::string uid{k8s::uid_of(input.owner)};
  for (const k8s::Resource& kind : kOwnedKinds) {
    k8s::Informer& cache = caches_.of(kind);
    for (const k8s::Object& object : cache.all()) {
      const k8s::ObjectName name = k8s::name_of(*object);
      if (name.namespace_name != metadata.namespace_name ||
          k8s::label_of(*object, kube::kFunctionLabel) != metadata.name || !is_ours(*object, uid) ||
          k8s::being_deleted(*object))
        continue;
      const bool wanted = std::ranges::any_of(desired, [&](const DesiredObject& each) {
        return each.resource == kind && k8s::name_of(each.object) == name;
      });
      if (wanted) continue;
      k8s::DeleteOptions options;
      options.uid = std::string(k8s::uid_of(*object));
      CO_TRY_DO(co_await api_.remove(kind, name, options, deadline));
      cache.put_gone(name, options.uid);
    }
  }
  co_return Result<void>{};
}

// Secrets are there before the function whose values they hold, so that they cannot be owned from the beginning.
Task<Result<void>> FunctionReconciler::adopt_secrets(const FunctionInput& input, Deadline deadline) {
  if (input.secret.empty()) co_return Result<void>{};
  const k8s::ObjectName name{input.config.metadata.namespace_name, input.secret};
  const k8s::Object secret = caches_.secrets.find(name);
  if (!secret || is_ours(*secret, k8s::uid_of(input.owner))) co_return Result<void>{};
  json::object owned{{"metadata", metadata(input, input.secret)}};
  owned["metadata"].get_object().erase("labels");
  auto applied = co_await api_.apply(k8s::kSecrets, std::move(owned), std::string(kube::kFieldManager),
                                     k8s::TakeOver::yes, deadline);
  if (!applied) co_return std::unexpected(std::move(applied).error());
  applied->erase("data");
  caches_.secrets.put(std::move(*applied));
  co_return Result<void>{};
}

// Of functions that Nuclio made, which say no name, the newest with their label.
std::string FunctionReconciler::secret_of(const json::object& function) const {
  if (const std::string_view named = k8s::annotation_of(function, kube::kSecretAnnotation); !named.empty())
    return std::string(named);
  const k8s::ObjectName name = k8s::name_of(function);
  std::string newest;
  std::string_view made;
  for (const k8s::Object& secret : caches_.secrets.all()) {
    if (!holds_values(*secret) || k8s::name_of(*secret).namespace_name != name.namespace_name ||
        k8s::label_of(*secret, kube::kFunctionLabel) != name.name)
      continue;
    const std::string_view when = k8s::text_in(*secret, "creationTimestamp");
    if (!newest.empty() && when < made) continue;
    newest = k8s::name_of(*secret).name;
    made = when;
  }
  return newest;
}

// Those of versions that do not run any more.
Task<Result<void>> FunctionReconciler::remove_old_secrets(const FunctionInput& input, Deadline deadline) {
  for (const k8s::Object& secret : caches_.secrets.all()) {
    const k8s::ObjectName name = k8s::name_of(*secret);
    if (name.name == input.secret || !holds_values(*secret) || !is_ours(*secret, k8s::uid_of(input.owner))) continue;
    k8s::DeleteOptions options;
    options.uid = std::string(k8s::uid_of(*secret));
    CO_TRY_DO(co_await api_.remove(k8s::kSecrets, name, options, deadline));
    caches_.secrets.put_gone(name, options.uid);
  }
  co_return Result<void>{};
}

// What the function was asked to be, to be looked at and gone back to once it is something else.
Task<Result<void>> FunctionReconciler::record_revision(k8s::Object function, Deadline deadline) {
  // Oldest first.
  std::vector<k8s::Object> known = caches_.revisions.with_prefix(kube::revision_prefix(k8s::name_of(*function)));
  std::erase_if(known, [&](const k8s::Object& each) { return !kube::is_of(*each, k8s::uid_of(*function)); });
  std::ranges::sort(known, std::less{}, [](const k8s::Object& each) { return kube::number_of(*each); });
  if (!known.empty() && k8s::annotation_of(*known.back(), kube::kSpecHash) == kube::spec_hash(*function))
    co_return Result<void>{};
  const platform::Revision number{known.empty() ? 1 : kube::number_of(*known.back()).value() + 1};
  json::object revision = kube::revision_object(*function, number);
  auto made = co_await api_.create(k8s::kControllerRevisions, std::move(revision), deadline);
  if (!made) co_return std::unexpected(std::move(made).error());
  caches_.revisions.put(std::move(*made));
  for (std::size_t i = 0; i + platform::kRevisionsKept < known.size() + 1; ++i) {
    const k8s::ObjectName name = k8s::name_of(*known[i]);
    k8s::DeleteOptions options;
    options.uid = std::string(k8s::uid_of(*known[i]));
    CO_TRY_DO(co_await api_.remove(k8s::kControllerRevisions, name, options, deadline));
    caches_.revisions.put_gone(name, options.uid);
  }
  co_return Result<void>{};
}

// One that was killed, or cannot reach the API server, says nothing any more.
Task<Result<FunctionReconciler::Next>> FunctionReconciler::listen_to_builder(k8s::Object function, Deadline deadline) {
  const json::value* says = k8s::at(*function, std::string("status.") + std::string(kube::kBuilder));
  if (!says || kube::builder_of(*function).empty()) co_return Next{};
  const auto now = std::chrono::steady_clock::now();
  Heard& heard = heard_.try_emplace(k8s::name_of(*function), Heard{*says, now}).first->second;
  if (heard.said != *says) heard = {*says, now};
  const auto silent = now - heard.since;
  if (silent < kube::kBuilderPatience) co_return Next{.look_again = kube::kBuilderPatience - silent};
  const std::string lost{kube::builder_of(*function)};
  json::object status = image_wanted(*function, lost, std::chrono::system_clock::now());
  CO_TRY_DO(co_await write_status(std::move(function), std::move(status), deadline));
  co_return Next{};
}

Task<Result<void>> FunctionReconciler::complain(k8s::Object function, std::string_view reason, std::string message,
                                                Deadline deadline) {
  // The API server names the wrong fields of an object in another order each time: to write that would never end.
  if (reason == kRefused && was_refused(*function)) co_return Result<void>{};
  json::object status = invalid_status(*function, reason, std::move(message), std::chrono::system_clock::now());
  co_return co_await write_status(std::move(function), std::move(status), deadline);
}

Task<Result<void>> FunctionReconciler::write_status(k8s::Object function, json::object status, Deadline deadline) {
  const json::value* before = function->if_contains("status");
  if (before && before->is_object() && before->get_object() == status) co_return Result<void>{};
  const std::string ticks = before && before->is_object() ? cron_message(before->get_object()) : "";
  const std::string ticks_now = cron_message(status);
  json::object next = *function;
  const json::value* was = k8s::at(*function, "status.state");
  const bool turned = !was || *was != status["state"];
  const std::string state{status["state"].get_string()};
  const json::value* said = k8s::at(*function, "status.message");
  const bool news = turned || (said && *said != status["message"]);
  const std::string message{status["message"].get_string()};
  next["status"] = std::move(status);
  // With the version that this was seen in: what somebody wrote since must be looked at first.
  auto written = co_await api_.replace_status(kube::kFunctions, std::move(next), deadline);
  if (!written) co_return std::unexpected(std::move(written).error());
  caches_.functions.put(std::move(*written));
  const k8s::ObjectName name = k8s::name_of(*function);
  log::info("Function state", {{"function", name.text()}, {"state", state}, {"message", message}});
  if (state == "ready" && turned)
    events_.record(*function, k8s::EventType::normal, "Ready", "Deploy", "the function is ready");
  if ((state == "error" || state == "unhealthy") && news)
    events_.record(*function, k8s::EventType::warning, state == "error" ? "Failed" : "Unhealthy", "Deploy", message);
  if (!ticks_now.empty() && ticks_now != ticks)
    events_.record(*function, k8s::EventType::warning, std::string(kube::kCronLimited), "Deploy", ticks_now);
  co_return Result<void>{};
}

Task<std::string> FunctionReconciler::last_words(k8s::ObjectName pod, Deadline deadline) {
  const std::string path =
      k8s::path_of(k8s::kPods, pod.namespace_name, pod.name, "log") + "?container=" + std::string(kube::kContainer) +
      "&previous=true&tailLines=" + std::to_string(kLastWordsLines) + "&limitBytes=" + std::to_string(kMaxLastWords);
  const Deadline soon = earlier(deadline, Deadline::in(5s));
  auto stream = co_await api_.open(path, soon, soon);
  std::string out;
  while (stream && out.size() < kMaxLastWords) {
    auto piece = co_await stream->body->next();
    if (!piece || !*piece) break;
    out += **piece;
  }
  out.resize(std::min(out.size(), kMaxLastWords));
  while (out.ends_with('\n')) out.pop_back();
  co_return out;
}

std::map<std::string, std::string> FunctionReconciler::project_selector(const spec::FunctionConfig& config) const {
  const k8s::ObjectName name{config.metadata.namespace_name, platform::project_of(config).value()};
  const k8s::Object project = caches_.projects.find(name);
  if (!project) return {};
  auto loaded = kube::project_of(*project);
  if (!loaded) return {};
  return loaded->config.spec.default_function_node_selector;
}

std::vector<k8s::Object> FunctionReconciler::pods_of(const k8s::ObjectName& function) const {
  std::vector<k8s::Object> out;
  for (const k8s::Object& pod : caches_.pods.all())
    if (k8s::label_of(*pod, kube::kFunctionLabel) == function.name &&
        k8s::name_of(*pod).namespace_name == function.namespace_name)
      out.push_back(pod);
  return out;
}

}  // namespace nuclio::controller
