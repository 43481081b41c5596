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
#include "spec/enrich.h"
#include "spec/rules.h"

namespace nuclio::platform::kube {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using namespace std::chrono_literals;
using spec::FunctionState;

constexpr auto kCallTime = 30s;
constexpr std::size_t kMaxStatusLogs = 500;

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
  builder::ImageDefaults defaults{.registry = options.registry};
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

}  // namespace

KubePlatform::Deploying::~Deploying() {
  work.cancel();
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

void KubePlatform::Deploying::add_log(std::string_view level, std::string_view message) {
  if (logs.size() >= kMaxStatusLogs) logs.erase(logs.begin());
  logs.push_back(log_line(level, message));
}

Task<Result<void>> KubePlatform::deploy(json::value given, Deploy mode) {
  CO_TRY(auto asked, spec::read_function(given, spec::Unknown::problem));
  const spec::Metadata metadata = asked.config.metadata;
  CO_TRY(FunctionId id, checked_id(metadata));
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
    CO_TRY(asked, spec::read_function(given, spec::Unknown::problem));
  }
  if (is_import(metadata)) {
    spec::FunctionConfig config = spec::enrich(std::move(asked.config), options_.config);
    co_return co_await import(std::move(config), existing != nullptr);
  }
  if (!existing && asked.config.spec.build.mode == spec::BuildMode::never && asked.config.spec.image.empty())
    co_return fail(never_built(id));
  co_return co_await begin(std::move(given), std::move(asked), std::move(existing));
}

// Kept as it is until somebody asks for it to run.
Task<Result<void>> KubePlatform::import(spec::FunctionConfig config, bool exists) {
  CO_TRY_DO(check_project(config));
  if (config.spec.disable)
    co_return fail(Why::invalid, "an imported function cannot be disabled as well; leave out spec.disable");
  if (exists)
    co_return fail(Why::conflict,
                   quoted("function", config.metadata.name) + " exists already; delete it before it is imported again");
  config.status = {};
  config.status.state = FunctionState::imported;
  co_return co_await write(std::move(config), nullptr);
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
  CO_TRY_DO(co_await write(config, existing));
  if (!build) co_return Result<void>{};
  CO_TRY(const k8s::Object written, object(id));
  std::string folder = options_.work + "/build-" + std::to_string(++builds_begun_);
  auto& deploying = deploying_[id];
  deploying.reset();  // an older one, of an object that has gone since
  deploying = std::make_unique<Deploying>(loop_, id, std::string(k8s::uid_of(*written)), std::move(folder), deadline);
  deploying->given = std::move(given);
  deploying->inputs = build_inputs(*written);
  deploying->origin = std::move(origin);
  deploying->source = std::move(source);
  for (const auto& warning : warnings) deploying->add_log("warn", schema::text(warning));
  deploying->work.spawn(bring_up(*deploying));
  co_return Result<void>{};
}

// One that the controller says waits for its image: whoever is first to say that they make it makes it.
void KubePlatform::function_changed(const k8s::Object& now) {
  changed_.notify_all();
  if (!now || !options_.builds_for_others || k8s::being_deleted(*now)) return;
  const json::value* state = k8s::at(*now, "status.state");
  if (state && *state == json::value("waitingForBuild")) work_.spawn(build_applied(now));
}

Task<void> KubePlatform::build_applied(k8s::Object object) {
  const k8s::ObjectName name = k8s::name_of(*object);
  const FunctionId id{Namespace{name.namespace_name}, FunctionName{name.name}};
  json::object metadata{{"resourceVersion", std::string(k8s::resource_version_of(*object))}};
  json::object status{{"state", "building"}, {"message", ""}, {"logs", json::array{}}};
  const json::object claim{{"metadata", std::move(metadata)}, {"status", std::move(status)}};
  auto claimed = co_await api_.merge(kWholeFunctions, name, claim, "", Deadline::in(kCallTime));
  // Of the very version that was seen, so that trying again is safe: once it has changed, that is a conflict, and the
  // change is looked at by itself.
  for (auto pause = 1s; !claimed; pause = std::min(pause * 2, 60s)) {
    if (claimed.error().why == Why::conflict || claimed.error().why == Why::not_found) co_return;
    log::warn("A function's build could not be begun", {{"function", name.text()}, {"reason", claimed.error().what}});
    co_await loop_.sleep(pause);
    claimed = co_await api_.merge(kWholeFunctions, name, claim, "", Deadline::in(kCallTime));
  }
  auto loaded = function_of(*claimed);
  const Deadline deadline = loaded ? builder::build_deadline(loaded->config.spec.build) : Deadline::in(kCallTime);
  std::string folder = options_.work + "/build-" + std::to_string(++builds_begun_);
  auto& deploying = deploying_[id];
  deploying.reset();
  deploying = std::make_unique<Deploying>(loop_, id, std::string(k8s::uid_of(*claimed)), std::move(folder), deadline);
  deploying->applied = true;
  deploying->inputs = build_inputs(*claimed);
  auto found = find_applied(*deploying, loaded);
  if (found) {
    deploying->work.spawn(bring_up(*deploying));
    co_return;
  }
  deploying->add_log("error", found.error().what);
  co_await failed(id, deploying->inputs, deploying->logs, found.error().what);
}

Result<void> KubePlatform::find_applied(Deploying& deploying,
                                        const Result<spec::Loaded<spec::FunctionConfig>>& loaded) {
  if (!loaded) return std::unexpected(loaded.error());
  const spec::Build& build = loaded->config.spec.build;
  // Its metadata has more than a function's file may have.
  spec::FunctionConfig asked = loaded->config;
  asked.status = {};
  deploying.given = spec::to_json(asked, spec::Secrets::shown);
  TRY(deploying.origin, builder::origin_of(build, builder::Asker::anyone));
  if (deploying.origin) return {};
  if (build.function_source_code.empty())
    return fail(Why::forbidden,
                "spec.build.path names a file, which nobody in the cluster has; give the code as "
                "spec.build.functionSourceCode, or by a URL");
  TRY(deploying.source, builder::find_source(deploying.given, runtimes_));
  TRY_DO(complete(deploying.source->config));
  return {};
}

// The config as it will run; the result are warnings.
Result<std::vector<schema::Problem>> KubePlatform::complete(spec::FunctionConfig& config) {
  config = spec::enrich(std::move(config), options_.config);
  config.spec.build.mode = spec::BuildMode::when_needed;
  if (config.spec.image_pull_secrets.empty()) config.spec.image_pull_secrets = options_.pull_secret;
  TRY(auto warnings, spec::validate(config));
  TRY_DO(check_project(config));
  return warnings;
}

// Spec and status in one step, so that nobody sees the one without the other.
Task<Result<void>> KubePlatform::write(spec::FunctionConfig config, k8s::Object existing) {
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
    co_await failed(id, deploying.inputs, deploying.logs, done.error().what);
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
  CO_TRY_DO(co_await write(std::move(config), existing));
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
  CO_TRY(const auto built, co_await images_.build(*deploying.source, std::move(request), deploying.deadline));
  const std::string& own = deploying.source->config.spec.run_registry;
  deploying.image = image_to_run(built, own.empty() ? options_.run_registry : own);
  deploying.add_log("info", "built and pushed " + deploying.image);
  co_return Result<void>{};
}

// From here on it is the controller's.
Task<Result<void>> KubePlatform::hand_over(Deploying& deploying) {
  json::object spec{{"image", deploying.image}, {"imageHash", now_in_milliseconds()}};
  json::object status{{"state", "waitingForResourceConfiguration"},
                      {"message", ""},
                      {"containerImage", deploying.image},
                      {kBuiltFrom, deploying.inputs},
                      {"logs", array_of(deploying.logs)}};
  json::object changes{{"spec", std::move(spec)}, {"status", std::move(status)}};
  co_return co_await patch(deploying.id, deploying.uid, std::move(changes), Deadline::in(kCallTime));
}

// The version before goes on serving, if there is one: the controller leaves alone what is in error.
Task<void> KubePlatform::failed(FunctionId id, std::string inputs, std::vector<json::object> logs,
                                std::string message) {
  auto existing = object(id);
  if (!existing) co_return;
  const json::value* image = k8s::at(**existing, "spec.image");
  if (image && image->is_string() && !image->get_string().empty())
    message += "\nThe version that was deployed before goes on serving.";
  json::object status;
  if (const json::value* before = (*existing)->if_contains("status"); before && before->is_object())
    status = before->get_object();
  status["state"] = "error";
  status["message"] = message;
  status["logs"] = array_of(logs);
  status[kBuiltFrom] = inputs;
  // By this the controller knows that the spec is not what the image is of.
  set_condition(status, {kBuilt, false, "BuildFailed", message}, k8s::generation_of(**existing),
                rfc3339(std::chrono::system_clock::now()));
  json::object changes{{"status", std::move(status)}};
  const std::string uid{k8s::uid_of(**existing)};
  auto written = co_await patch(id, uid, std::move(changes), Deadline::in(kCallTime));
  if (!written) log::error("A function's state could not be written", {{"reason", written.error().what}});
}

// Tries again what the API server may have been too busy or too broken for: what was built must not be lost.
Task<Result<void>> KubePlatform::patch(FunctionId id, std::string uid, json::object patch, Deadline deadline) {
  const k8s::ObjectName name{id.namespace_name.value(), id.name.value()};
  json::object metadata{{"uid", uid}};  // refused when it is another object by that name
  patch["metadata"] = std::move(metadata);
  for (auto pause = 200ms;; pause *= 2) {
    auto written = co_await api_.merge(kWholeFunctions, name, patch, "", deadline);
    if (written) {
      CO_TRY(Watched * in, watched(id.namespace_name));
      in->functions.put(std::move(*written));
      co_return Result<void>{};
    }
    const Why why = written.error().why;
    const bool passing = why == Why::busy || why == Why::unavailable || why == Why::timeout || why == Why::internal;
    if (!passing || deadline.passed()) co_return std::unexpected(std::move(written).error());
    co_await loop_.sleep(pause);
  }
}

}  // namespace nuclio::platform::kube
