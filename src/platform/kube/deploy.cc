// SPDX-License-Identifier: Apache-2.0
// The life of a deploy on Kubernetes, as far as it is ours: the function's object in state building, then its image,
// then the word to the controller that it is its turn.
#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <filesystem>

#include "base/image_reference.h"
#include "base/log.h"
#include "builder/artifact.h"
#include "platform/demands.h"
#include "platform/kube/conditions.h"
#include "platform/kube/deploying.h"
#include "platform/kube/names.h"
#include "platform/kube/objects.h"
#include "platform/status_log.h"
#include "spec/enrich.h"
#include "spec/rules.h"

namespace nuclio::platform::kube {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using namespace std::chrono_literals;
using spec::FunctionState;

constexpr auto kCallTime = 30s;

// Whether an image is to be made; else it is there already.
bool needs_build(const spec::FunctionSpec& spec) {
  const bool may =
      spec.build.mode != spec::BuildMode::never && spec.build.code_entry_type != spec::CodeEntryType::image;
  return has_code(spec) || (may && spec.image.empty());
}

// What nodes are to pull: the very image that was built, whatever its tag is later.
std::string image_to_run(const builder::BuiltImage& built, const std::string& run_registry) {
  std::string name = built.name;
  if (!run_registry.empty()) {
    std::size_t slash = name.find('/');
    if (slash != std::string::npos) name = run_registry + name.substr(slash);
  }
  return name.find('@') == std::string::npos ? name + "@" + built.digest.text() : name;
}

builder::ImageDefaults image_defaults(const KubePlatformOptions& options) {
  builder::ImageDefaults defaults{.registry = options.registry, .base_registry = options.base_registry};
  const json::value* bases = options.config.image_registry_overrides.if_contains("baseImageRegistries");
  if (bases && bases->is_object())
    for (const auto& [runtime, registry] : bases->get_object())
      if (registry.is_string()) defaults.base_registries[runtime] = std::string(registry.get_string());
  return defaults;
}

json::array array_of(const std::vector<json::object>& lines) {
  json::array out;
  for (const json::object& line : lines) out.push_back(line);
  return out;
}

std::string now_in_milliseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

Error not_ours_any_more() {
  return {Why::precondition, "the function was deleted, or somebody else makes its image now"};
}

// What may not be so at another time.
bool may_pass(Why why) {
  return why == Why::busy || why == Why::unavailable || why == Why::timeout || why == Why::internal;
}

}  // namespace

KubePlatform::Deploying::~Deploying() {
  work.cancel();
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

void KubePlatform::Deploying::add_log(std::string_view level, std::string_view message) {
  add_log_line(logs, level, message);
  if (logged && !logs.empty()) logged(logs.back());
}

Task<Result<void>> KubePlatform::deploy(json::value given, Deploy mode) {
  CO_TRY(auto asked, spec::read_function(given, spec::Unknown::warning));
  const spec::Metadata metadata = asked.config.metadata;
  CO_TRY(FunctionId id, checked_id(metadata));
  log_warnings(quoted("function", metadata.name), asked.warnings);
  CO_TRY(Watched * in, watched(id.namespace_name));
  k8s::Object existing = in->functions.find({id.namespace_name.value(), id.name.value()});
  if (existing && mode == Deploy::only_new) co_return fail(existing_function(id));
  if (existing) {
    CO_TRY(const auto present, function_of(*existing));
    CO_TRY_DO(may_change(present.config, metadata.resource_version));
    if (k8s::being_deleted(*existing))
      co_return fail(Why::precondition,
                     quoted("function", id.name.value()) + " is being deleted; try again in a moment");
    // Who changes what they were shown gives references back.
    CO_TRY(given, co_await restored(std::move(given), existing));
    CO_TRY(asked, spec::read_function(given, spec::Unknown::warning));
  }
  if (is_import(metadata)) {
    spec::FunctionConfig config = spec::enrich(std::move(asked.config), options_.config);
    co_return co_await import(std::move(config), std::move(existing));
  }
  if (!existing && asked.config.spec.build.mode == spec::BuildMode::never && asked.config.spec.image.empty())
    co_return fail(never_built(id));
  co_return co_await begin(std::move(given), std::move(asked), std::move(existing));
}

// Kept as it is until somebody asks for it to run.
Task<Result<void>> KubePlatform::import(spec::FunctionConfig config, k8s::Object existing) {
  CO_TRY_DO(check_project(config));
  if (config.spec.disable)
    co_return fail(Why::invalid, "an imported function cannot be disabled as well; leave out spec.disable");
  if (existing) {
    CO_TRY(const auto present, function_of(*existing));
    if (present.config.status.state != FunctionState::imported)
      co_return fail(Why::conflict, quoted("function", config.metadata.name) +
                                        " exists already; delete it before it is imported again");
  }
  config.status = {};
  config.status.state = FunctionState::imported;
  co_return co_await write(std::move(config), std::move(existing));
}

// Takes what was asked for, if it can be as far as is known now, and goes on by itself.
Task<Result<void>> KubePlatform::begin(json::value given, spec::Loaded<spec::FunctionConfig> asked,
                                       k8s::Object existing) {
  spec::FunctionConfig config = asked.config;
  const Deadline deadline = builder::build_deadline(config.spec.build);
  const bool build = needs_build(config.spec);
  std::optional<builder::Origin> origin;
  std::optional<builder::Source> source;
  std::vector<schema::Problem> warnings;
  if (build) {
    CO_TRY(origin, builder::origin_of(config.spec.build, options_.asker));
    if (!origin) {
      if (options_.asker == builder::Asker::anyone && config.spec.build.function_source_code.empty() &&
          !config.spec.build.path.empty())
        co_return fail(Why::forbidden,
                       "spec.build.path names a file of the dashboard's machine; give the code as "
                       "spec.build.functionSourceCode, or by a URL");
      CO_TRY(source, builder::find_source(given, runtimes_));
      warnings = source->warnings;
      config = source->config;
    }
  }
  {
    auto more = complete(config);
    if (!more) co_return std::unexpected(std::move(more).error());
    warnings.insert(warnings.end(), more->begin(), more->end());
  }
  if (source) source->config = config;
  if (build) {
    const builder::ImageDefaults defaults = image_defaults(options_);
    CO_TRY(const auto target, builder::plan_target(config, defaults));
    if (!target)
      co_return fail(Why::invalid,
                     "there is no registry for the function's image\nset spec.build.registry (nuctl "
                     "--registry), or the platform's: the dashboard's --registry");
    CO_TRY_DO(co_await images_.check_target(config, defaults, Deadline::in(kCallTime)));
  }
  config.status = {};
  if (existing) {
    CO_TRY(auto present, function_of(*existing));
    config.status = std::move(present.config.status);
    // The version before goes on with the image it has, whatever becomes of this.
    if (build) config.spec.image = present.config.spec.image;
  }
  config.status.state = build ? FunctionState::building : FunctionState::waiting_for_resource_configuration;
  config.status.message.clear();
  config.status.logs.clear();
  const FunctionId id = id_of(config);
  const std::string builder = build ? new_builder() : "";
  CO_TRY_DO(co_await write(config, existing, builder));
  if (!build) co_return Result<void>{};
  CO_TRY(const k8s::Object written, object(id));
  Deploying& deploying = begin_build(id, builder, *written, deadline);
  deploying.given = std::move(given);
  deploying.origin = std::move(origin);
  deploying.source = std::move(source);
  for (const auto& warning : warnings) deploying.add_log("warn", schema::text(warning));
  deploying.work.spawn(bring_up(deploying));
  co_return Result<void>{};
}

std::string KubePlatform::new_builder() { return builder_ + "_" + std::to_string(++builds_begun_); }

// In the place of an older one, whose object names its builder no more.
KubePlatform::Deploying& KubePlatform::begin_build(const FunctionId& id, std::string builder,
                                                   const json::object& object, Deadline deadline) {
  std::string folder = options_.work + "/" + builder;
  auto& deploying = deploying_[id];
  deploying.reset();
  deploying =
      std::make_unique<Deploying>(loop_, id, builder, std::string(k8s::uid_of(object)), std::move(folder), deadline);
  deploying->inputs = build_inputs(object);
  deploying->logged = [this, id](const json::object& line) {
    if (observer_) observer_->build_logged(id, line);
  };
  work_.spawn(keep_claim(id, std::move(builder)));
  return *deploying;
}

// Says again and again that the build goes on, as long as it is ours.
Task<void> KubePlatform::keep_claim(FunctionId id, std::string builder) {
  for (;;) {
    co_await loop_.sleep(kBuilderRenews);
    const auto found = deploying_.find(id);
    if (found == deploying_.end() || found->second->builder != builder || found->second->work.size() == 0) co_return;
    auto present = object(id);
    if (!present || builder_of(**present) != builder) {
      log::warn("A build was ended: " + not_ours_any_more().what,
                {{"function", id.name.value()}, {"builder", builder}});
      deploying_.erase(found);
      co_return;
    }
    // Of the version that was seen: it must not be renewed for somebody else.
    json::object metadata{{"resourceVersion", std::string(k8s::resource_version_of(**present))}};
    json::object status{{kBuilder, builder_status(builder, std::chrono::system_clock::now())}};
    json::object renewal{{"metadata", std::move(metadata)}, {"status", std::move(status)}};
    const Deadline deadline = Deadline::in(kBuilderRenews);
    auto now = co_await api_.merge(kWholeFunctions, name_of(id), std::move(renewal), "", deadline);
    if (!now && now.error().why == Why::conflict) now = co_await api_.get(kWholeFunctions, name_of(id), deadline);
    if (now) {
      (*watched(id.namespace_name))->functions.put(std::move(*now));
    } else if (now.error().why != Why::not_found) {
      log::warn("A build could not be kept: after a while somebody else may begin it anew",
                {{"function", id.name.value()}, {"reason", now.error().what}});
    }
  }
}

// One that the controller says waits for its image: whoever is first to say that they make it makes it.
void KubePlatform::function_changed(const k8s::Object& before, const k8s::Object& now) {
  const k8s::ObjectName name = k8s::name_of(now ? *now : *before);
  tell({Namespace{name.namespace_name}, FunctionName{name.name}});
  if (!now || !options_.builds_for_others || k8s::being_deleted(*now)) return;
  const json::value* state = k8s::at(*now, "status.state");
  if (state && *state == json::value("waitingForBuild")) work_.spawn(build_applied(now));
}

// Of the very version that was seen, so that trying again is safe: once it has changed, that is a conflict, and the
// change is looked at by itself. Unless it was we who changed it, and did not hear of it.
Task<Result<json::object>> KubePlatform::claim(k8s::ObjectName name, std::string version, std::string builder) {
  json::object metadata{{"resourceVersion", std::move(version)}};
  json::object status{{"state", "building"},
                      {"message", ""},
                      {"logs", json::array{}},
                      {kBuilder, builder_status(builder, std::chrono::system_clock::now())}};
  const json::object claim{{"metadata", std::move(metadata)}, {"status", std::move(status)}};
  for (auto pause = 1s;; pause = std::min(pause * 2, 60s)) {
    auto claimed = co_await api_.merge(kWholeFunctions, name, claim, "", Deadline::in(kCallTime));
    if (claimed || claimed.error().why == Why::not_found) co_return claimed;
    if (claimed.error().why == Why::conflict) {
      auto present = co_await api_.get(kWholeFunctions, name, Deadline::in(kCallTime));
      if (present && builder_of(*present) != builder) co_return claimed;
      if (present) co_return present;
    }
    log::warn("A function's build could not be begun", {{"function", name.text()}, {"reason", claimed.error().what}});
    co_await loop_.sleep(pause);
  }
}

Task<void> KubePlatform::build_applied(k8s::Object object) {
  const k8s::ObjectName name = k8s::name_of(*object);
  const FunctionId id{Namespace{name.namespace_name}, FunctionName{name.name}};
  const std::string builder = new_builder();
  auto claimed = co_await claim(name, std::string(k8s::resource_version_of(*object)), builder);
  if (!claimed) co_return;
  auto in = watched(id.namespace_name);
  if (in) (*in)->functions.put(*claimed);
  const auto function = std::make_shared<const json::object>(std::move(*claimed));
  const auto loaded = function_of(*function);
  const Deadline deadline = loaded ? builder::build_deadline(loaded->config.spec.build) : Deadline::in(kCallTime);
  Deploying& deploying = begin_build(id, builder, *function, deadline);
  deploying.applied = true;
  deploying.work.spawn(bring_up_applied(deploying, function));
}

Task<void> KubePlatform::bring_up_applied(Deploying& deploying, k8s::Object function) {
  auto found = co_await find_applied(deploying, function);
  if (found) co_return co_await bring_up(deploying);
  deploying.add_log("error", found.error().what);
  co_await failed(deploying, found.error().what);
}

Task<Result<void>> KubePlatform::find_applied(Deploying& deploying, k8s::Object function) {
  CO_TRY(auto loaded, function_of(*function));
  // Its metadata has more than a function's file may have.
  spec::FunctionConfig asked = std::move(loaded.config);
  asked.status = {};
  CO_TRY(deploying.given, co_await restored(spec::to_json(asked, spec::Secrets::shown), function));
  CO_TRY(loaded, spec::read_function(deploying.given, spec::Unknown::warning));
  const spec::Build& build = loaded.config.spec.build;
  CO_TRY(deploying.origin, builder::origin_of(build, builder::Asker::anyone));
  if (deploying.origin) co_return Result<void>{};
  if (build.function_source_code.empty())
    co_return fail(Why::forbidden,
                   "spec.build.path names a file, which nobody in the cluster has; deploy the function from where the "
                   "file is, or give the code as spec.build.functionSourceCode, or by a URL");
  CO_TRY(deploying.source, builder::find_source(deploying.given, runtimes_));
  CO_TRY_DO(complete(deploying.source->config));
  co_return Result<void>{};
}

// The config as it will run; the result are warnings.
Result<std::vector<schema::Problem>> KubePlatform::complete(spec::FunctionConfig& config) {
  config = spec::enrich(std::move(config), options_.config);
  config.spec.build.mode = spec::BuildMode::when_needed;
  if (config.spec.image_pull_secrets.empty()) config.spec.image_pull_secrets = options_.pull_secret;
  TRY(auto warnings, spec::validate(config));
  TRY_DO(may_have_priority(config, options_.config));
  TRY_DO(check_project(config));
  return warnings;
}

// Spec and status in one step, so that nobody sees the one without the other.
Task<Result<void>> KubePlatform::write(spec::FunctionConfig config, k8s::Object existing, std::string builder) {
  const FunctionId id = id_of(config);
  CO_TRY(Watched * in, watched(id.namespace_name));
  config.metadata.resource_version = existing ? std::string(k8s::resource_version_of(*existing)) : "";
  json::value whole = spec::to_json(config, spec::Secrets::shown);
  json::object function = std::move(whole.get_object());
  std::string secret;
  if (options_.config.sensitive_fields.mask_sensitive_fields.value_or(true)) {
    CO_TRY(auto masked, spec::mask(config, options_.config.sensitive_fields.custom_sensitive_fields));
    function = std::move(masked.function);
    CO_TRY(secret, co_await keep(config, std::move(masked.values), existing));
    json::value& annotations = function["metadata"].get_object()["annotations"];
    if (!annotations.is_object()) annotations.emplace_object();
    annotations.get_object().erase(kSecretAnnotation);
    if (!secret.empty()) annotations.get_object()[kSecretAnnotation] = secret;
  }
  if (!builder.empty())
    function["status"].get_object()[kBuilder] = builder_status(builder, std::chrono::system_clock::now());
  json::object object = object_of(std::move(function), existing.get());
  const Deadline deadline = Deadline::in(kCallTime);
  auto written = existing ? co_await api_.replace(kWholeFunctions, std::move(object), deadline)
                          : co_await api_.create(kWholeFunctions, std::move(object), deadline);
  if (!written) {
    const bool in_use = existing && k8s::annotation_of(*existing, kSecretAnnotation) == secret;
    const k8s::ObjectName unused{id.namespace_name.value(), secret};
    if (!secret.empty() && !in_use) (void)co_await api_.remove(k8s::kSecrets, unused, {}, deadline);
    if (written.error().why != Why::conflict) co_return std::unexpected(std::move(written).error());
    if (!existing) co_return fail(existing_function(id));
    co_return fail(Why::conflict, quoted("function", id.name.value()) +
                                      " was changed by somebody else just now; get it again and repeat the change");
  }
  in->functions.put(std::move(*written));
  co_return Result<void>{};
}

Task<void> KubePlatform::bring_up(Deploying& deploying) {
  // The work is the deploying's own: it must not end itself from within.
  const FunctionId id = deploying.id;
  Result<void> done;
  if (deploying.origin) done = co_await fetch(deploying);
  if (done) done = co_await build(deploying);
  if (done) done = co_await hand_over(deploying);
  if (done) log::info("A function's image was built", {{"function", id.name.value()}, {"image", deploying.image}});
  if (!done) {
    log::warn("A build failed", {{"function", id.name.value()}, {"reason", done.error().what}});
    deploying.add_log("error", done.error().what);
    co_await failed(deploying, done.error().what);
  }
  deploying.given = {};
  deploying.source.reset();
  // What was fetched and staged is of no use any more, and would stay until the function is deployed again.
  std::error_code ignored;
  fs::remove_all(deploying.folder, ignored);
  changed_.notify_all();
}

// Gets the code, and only then knows all that the function is: what came with its code is merged in.
Task<Result<void>> KubePlatform::fetch(Deploying& deploying) {
  std::error_code error;
  fs::create_directories(deploying.folder, error);
  if (error) co_return fail(Why::unavailable, "making " + deploying.folder + ": " + error.message());
  builder::FetchOptions options;
  options.folder = deploying.folder + "/fetched";
  options.asker = options_.asker;
  options.environment = builder::fetch_environment(options_.environment, options.asker);
  options.log = [&deploying](std::string_view line) { deploying.add_log("info", line); };
  CO_TRY(const std::string path,
         co_await builder::fetch_code(loop_, client_, *deploying.origin, std::move(options), deploying.deadline));
  auto source = builder::find_source(deploying.given, runtimes_, path);
  if (!source) co_return fail(builder::named_for_people(std::move(source).error(), path, *deploying.origin));
  CO_TRY(auto warnings, complete(source->config));
  warnings.insert(warnings.end(), source->warnings.begin(), source->warnings.end());
  for (const auto& warning : warnings) deploying.add_log("warn", schema::text(warning));
  deploying.source = std::move(*source);
  if (deploying.applied) co_return Result<void>{};
  CO_TRY(const k8s::Object existing, object(deploying.id));
  CO_TRY(const auto present, function_of(*existing));
  spec::FunctionConfig config = deploying.source->config;
  config.status = present.config.status;
  config.spec.image = present.config.spec.image;
  if (builder_of(*existing) != deploying.builder) co_return fail(not_ours_any_more());
  CO_TRY_DO(co_await write(std::move(config), existing, deploying.builder));
  CO_TRY(const k8s::Object written, object(deploying.id));
  deploying.inputs = build_inputs(*written);
  co_return Result<void>{};
}

Task<Result<void>> KubePlatform::build(Deploying& deploying) {
  std::error_code error;
  fs::create_directories(deploying.folder, error);
  if (error) co_return fail(Why::unavailable, "making " + deploying.folder + ": " + error.message());
  builder::ImageRequest request;
  request.folder = deploying.folder + "/image";
  request.defaults = image_defaults(options_);
  request.log = [&deploying](std::string_view line) { deploying.add_log("info", line); };
  std::optional<CommandJob> commands;
  if (options_.command_jobs) {
    CommandJobOwner owner{deploying.id, deploying.uid, platform::project_of(deploying.source->config)};
    CommandJobOptions options = *options_.command_jobs;
    // Other namespaces need not have it.
    if (deploying.id.namespace_name != options_.namespaces.front()) options.service_account.clear();
    commands.emplace(loop_, api_, client_, clearing_, std::move(options), std::move(owner));
    request.commands = &*commands;
  }
  CO_TRY(const auto built, co_await images_.build(*deploying.source, std::move(request), deploying.deadline));
  const std::string& own = deploying.source->config.spec.run_registry;
  deploying.image = image_to_run(built, own.empty() ? options_.run_registry : own);
  deploying.add_log("info", "built and pushed " + deploying.image);
  co_return Result<void>{};
}

// From here on it is the controller's.
Task<Result<void>> KubePlatform::hand_over(Deploying& deploying) {
  Changes changes = [&deploying](const json::object&) {
    json::object metadata;
    // Whoever applied it is not who deployed it here before.
    if (deploying.applied) metadata["annotations"] = json::object{{kDeployedBy, nullptr}};
    json::object spec{{"image", deploying.image}, {"imageHash", now_in_milliseconds()}};
    json::object status{{"state", "waitingForResourceConfiguration"},
                        {"message", ""},
                        {"containerImage", deploying.image},
                        {kBuiltFrom, deploying.inputs},
                        {"logs", array_of(deploying.logs)}};
    return json::object{{"metadata", std::move(metadata)}, {"spec", std::move(spec)}, {"status", std::move(status)}};
  };
  co_return co_await end_claim(deploying, std::move(changes));
}

// The version before goes on serving, if there is one: the controller leaves alone what is in error.
Task<void> KubePlatform::failed(Deploying& deploying, std::string message) {
  Changes changes = [&deploying, message](const json::object& function) {
    std::string text = message;
    const json::value* image = k8s::at(function, "spec.image");
    if (image && image->is_string() && !image->get_string().empty())
      text += "\nThe version that was deployed before goes on serving.";
    json::object status;
    if (const json::value* before = function.if_contains("status"); before && before->is_object())
      status = before->get_object();
    status["state"] = "error";
    status["message"] = text;
    status["logs"] = array_of(deploying.logs);
    status[kBuiltFrom] = deploying.inputs;
    // By this the controller knows that the spec is not what the image is of.
    set_condition(status, {kBuilt, false, "BuildFailed", text}, k8s::generation_of(function),
                  rfc3339(std::chrono::system_clock::now()));
    return json::object{{"status", std::move(status)}};
  };
  auto written = co_await end_claim(deploying, std::move(changes));
  if (!written) log::warn("A function's state could not be written", {{"reason", written.error().what}});
}

// Says what became of a build, if it is still ours: of the version that was seen to name us. Tries again what the API
// server may have been too busy or too broken for: what was built must not be lost.
Task<Result<void>> KubePlatform::end_claim(Deploying& deploying, Changes changes) {
  const Deadline deadline = Deadline::in(kCallTime);
  const k8s::ObjectName name = name_of(deploying.id);
  bool asked = false;
  for (auto pause = 200ms;; pause *= 2) {
    auto done = co_await api_.get(kWholeFunctions, name, deadline);
    if (done) {
      const std::string_view builder = builder_of(*done);
      // It was done, and we were not told.
      if (asked && builder.empty()) co_return Result<void>{};
      if (k8s::uid_of(*done) != deploying.uid || builder != deploying.builder) co_return fail(not_ours_any_more());
      json::object patch = changes(*done);
      json::value& metadata = patch["metadata"];
      if (!metadata.is_object()) metadata.emplace_object();
      metadata.get_object()["resourceVersion"] = std::string(k8s::resource_version_of(*done));
      patch["status"].get_object()[kBuilder] = nullptr;
      done = co_await api_.merge(kWholeFunctions, name, std::move(patch), "", deadline);
      asked = asked || (!done && may_pass(done.error().why));
    }
    if (done) {
      CO_TRY(Watched * in, watched(deploying.id.namespace_name));
      in->functions.put(std::move(*done));
      co_return Result<void>{};
    }
    const Why why = done.error().why;
    if ((!may_pass(why) && why != Why::conflict) || deadline.passed())
      co_return std::unexpected(std::move(done).error());
    co_await loop_.sleep(pause);
  }
}

// Tries again what the API server may have been too busy or too broken for: what was built must not be lost.
Task<Result<void>> KubePlatform::patch(FunctionId id, std::string uid, json::object patch, Deadline deadline) {
  const k8s::ObjectName name = name_of(id);
  json::object metadata{{"uid", uid}};  // refused when it is another object by that name
  patch["metadata"] = std::move(metadata);
  for (auto pause = 200ms;; pause *= 2) {
    auto written = co_await api_.merge(kWholeFunctions, name, patch, "", deadline);
    if (written) {
      CO_TRY(Watched * in, watched(id.namespace_name));
      in->functions.put(std::move(*written));
      co_return Result<void>{};
    }
    if (!may_pass(written.error().why) || deadline.passed()) co_return std::unexpected(std::move(written).error());
    co_await loop_.sleep(pause);
  }
}

}  // namespace nuclio::platform::kube
