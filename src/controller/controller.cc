// SPDX-License-Identifier: Apache-2.0
#include "controller/controller.h"

#include <boost/json.hpp>
#include <set>

#include "base/log.h"
#include "controller/deployer.h"
#include "controller/replicas_owner.h"
#include "platform/kube/names.h"
#include "spec/metadata.h"

namespace nuclio::controller {
namespace {

namespace json = boost::json;
namespace kube = platform::kube;
using namespace std::chrono_literals;

constexpr auto kReconcileTime = 60s;

k8s::InformerOptions all_of(const k8s::Resource& resource, const ControllerOptions& options) {
  k8s::InformerOptions out{.resource = resource};
  out.namespace_name = options.namespace_name;
  return out;
}

k8s::InformerOptions of_functions(const k8s::Resource& resource, const ControllerOptions& options) {
  k8s::InformerOptions out = all_of(resource, options);
  out.label_selector = std::string(kube::kClassLabel) + "=function";
  return out;
}

k8s::InformerOptions owned(const k8s::Resource& kind, const ControllerOptions& options) {
  k8s::InformerOptions out = of_functions(kind, options);
  if (kind == k8s::kDeployments) out.trim = note_owner_of_replicas;
  return out;
}

k8s::InformerOptions pods(const ControllerOptions& options) {
  k8s::InformerOptions out = of_functions(k8s::kPods, options);
  out.trim = trim_pod;
  return out;
}

// What is in them is no business of ours, and must not lie about in memory.
k8s::InformerOptions secrets(const ControllerOptions& options) {
  k8s::InformerOptions out = all_of(k8s::kSecrets, options);
  out.label_selector = std::string(kube::kFunctionLabel);
  out.trim = [](json::object& secret) {
    secret.erase("data");
    secret.erase("stringData");
  };
  return out;
}

k8s::InformerOptions functions(const ControllerOptions& options) {
  k8s::InformerOptions out = all_of(kube::kFunctions, options);
  out.trim = forget_former_deployer;
  return out;
}

// They hold functions as they were, with their code.
k8s::InformerOptions revisions(const ControllerOptions& options) {
  k8s::InformerOptions out = of_functions(k8s::kControllerRevisions, options);
  out.trim = [](json::object& revision) { revision.erase("data"); };
  return out;
}

bool is_evicted(const json::object& pod) {
  const json::value* phase = k8s::at(pod, "status.phase");
  const json::value* reason = k8s::at(pod, "status.reason");
  return phase && *phase == json::value("Failed") && reason && *reason == json::value("Evicted");
}

}  // namespace

Controller::Controller(Loop& loop, k8s::Api& api, ControllerOptions options)
    : loop_(loop),
      api_(api),
      options_(std::move(options)),
      queue_(loop, {}),
      events_(loop, api, "nuclio-controller", options_.instance),
      functions_(loop, api, functions(options_),
                 [this](const k8s::Object& before, const k8s::Object& now) {
                   queue_.add(k8s::name_of(now ? *now : *before));
                 }),
      projects_(loop, api, all_of(kube::kProjects, options_),
                [this](const k8s::Object&, const k8s::Object& now) {
                  if (now) enqueue_functions_of(now);
                }),
      pods_(loop, api, pods(options_), [this](const auto& before, const auto& now) { enqueue_owner(before, now); }),
      secrets_(loop, api, secrets(options_),
               [this](const auto& before, const auto& now) { enqueue_owner(before, now); }),
      revisions_(loop, api, revisions(options_), [](const k8s::Object&, const k8s::Object&) {}),
      owned_([&] {
        std::vector<std::unique_ptr<k8s::Informer>> out;
        for (const k8s::Resource& kind : kOwnedKinds)
          out.push_back(std::make_unique<k8s::Informer>(
              loop, api, owned(kind, options_),
              [this](const k8s::Object& before, const k8s::Object& now) { enqueue_owner(before, now); }));
        return out;
      }()),
      reconciler_(
          api,
          [this] {
            Caches caches{functions_, projects_, pods_, secrets_, revisions_, {}};
            for (const auto& each : owned_) caches.owned.push_back(each.get());
            return caches;
          }(),
          events_, options_.reconcile),
      workers_(loop) {}

std::vector<k8s::Informer*> Controller::informers() {
  std::vector<k8s::Informer*> out{&functions_, &projects_, &pods_, &secrets_, &revisions_};
  for (const auto& each : owned_) out.push_back(each.get());
  return out;
}

Task<Error> Controller::run(Deadline ready) {
  for (k8s::Informer* each : informers()) each->start();
  // Not before everything is known: what is not known yet looks as if it were not there.
  for (k8s::Informer* each : informers()) {
    auto synced = co_await each->wait_synced(ready);
    if (!synced) co_return std::move(synced).error();
  }
  ready_ = true;
  log::info("Watching", {{"functions", static_cast<std::int64_t>(functions_.size())},
                         {"namespace", options_.namespace_name.empty() ? "*" : options_.namespace_name}});
  for (std::size_t i = 0; i < options_.workers; ++i) workers_.spawn(work());
  if (options_.resync.count() > 0) workers_.spawn(resync());
  if (options_.evicted_cleanup.count() > 0) workers_.spawn(remove_evicted());
  (void)co_await workers_.empty();
  co_return Error{Why::internal, "the workers ended"};
}

Task<void> Controller::work() {
  for (;;) {
    auto next = co_await queue_.next(Deadline::never());
    if (!next) continue;
    auto done = co_await reconciler_.reconcile(next->name(), Deadline::in(kReconcileTime));
    if (done) {
      if (done->look_again) queue_.add_after(next->name(), *done->look_again);
      continue;
    }
    // Somebody else was quicker; what they wrote is on its way to us.
    if (done.error().why != Why::conflict)
      log::warn("A function could not be reconciled; it is tried again",
                {{"function", next->name().text()}, {"reason", done.error().what}, {"failures", next->failures() + 1}});
    next->failed();
  }
}

void Controller::enqueue_owner(const k8s::Object& before, const k8s::Object& now) {
  const json::object& object = now ? *now : *before;
  const std::string_view function = k8s::label_of(object, kube::kFunctionLabel);
  if (function.empty()) return;
  queue_.add({k8s::name_of(object).namespace_name, std::string(function)});
}

void Controller::enqueue_functions_of(const k8s::Object& project) {
  const k8s::ObjectName name = k8s::name_of(*project);
  for (const k8s::Object& function : functions_.all()) {
    std::string_view label = k8s::label_of(*function, kube::kProjectLabel);
    if (label.empty()) label = spec::kDefaultProject;
    if (label == name.name && k8s::name_of(*function).namespace_name == name.namespace_name)
      queue_.add(k8s::name_of(*function));
  }
}

Task<void> Controller::resync() {
  for (;;) {
    co_await loop_.sleep(options_.resync);
    for (const k8s::Object& function : functions_.all()) queue_.add(k8s::name_of(*function));
  }
}

// Evicted pods stay as they are until somebody removes them. Not at first sight: people may want to see why.
Task<void> Controller::remove_evicted() {
  std::set<std::string> seen;
  for (;;) {
    co_await loop_.sleep(options_.evicted_cleanup);
    std::set<std::string> still;
    for (const k8s::Object& pod : pods_.all()) {
      if (!is_evicted(*pod)) continue;
      k8s::DeleteOptions options;
      options.uid = std::string(k8s::uid_of(*pod));
      if (!seen.contains(options.uid)) {
        still.insert(options.uid);
        continue;
      }
      const k8s::ObjectName name = k8s::name_of(*pod);
      auto removed = co_await api_.remove(k8s::kPods, name, options, Deadline::in(kReconcileTime));
      if (!removed)
        log::warn("An evicted pod could not be removed", {{"pod", name.text()}, {"reason", removed.error().what}});
    }
    seen = std::move(still);
  }
}

}  // namespace nuclio::controller
