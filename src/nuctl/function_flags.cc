// SPDX-License-Identifier: Apache-2.0
#include "nuctl/function_flags.h"

#include <boost/json.hpp>
#include <filesystem>

#include "base/base64.h"
#include "schema/document.h"
#include "schema/json.h"
#include "schema/set_path.h"
#include "spec/function.h"
#include "spec/load.h"
#include "wire/runtime.h"

namespace nuclio::nuctl {
namespace {

namespace json = boost::json;

struct TextFlag {
  Flags::Name name;
  std::string_view field;
  std::string_view doc;
};

constexpr TextFlag kTexts[] = {
    {{"runtime"}, "spec.runtime", "Language and version: python:3.11, cpp"},
    {{"handler"}, "spec.handler", "Entry point, module:function"},
    {{"desc"}, "spec.description", "What the function is for"},
    {{"image", 'i'}, "spec.build.image", "Name of the image to build"},
    {{"registry", 'r', "NUCTL_REGISTRY"}, "spec.build.registry", "Registry to push the image to"},
    {{"run-registry", 0, "NUCTL_RUN_REGISTRY"}, "spec.runRegistry", "Registry from which the image is pulled"},
    {{"base-image"}, "spec.build.baseImage", "Base image of the function's image"},
    {{"onbuild-image"}, "spec.build.onbuildImage", "Image that has the runtime's parts"},
    {{"code-entry-type"}, "spec.build.codeEntryType", "Where the code is: sourceCode, archive, git, github, s3, image"},
    {{"nodeName"}, "spec.nodeName", "Node to run on"},
    {{"priorityClassName"}, "spec.priorityClassName", "Pod priority class"},
    {{"preemptionPolicy"}, "spec.preemptionPolicy", "Pod preemption policy"},
    {{"http-trigger-service-type", 0, "NUCTL_DEFAULT_SERVICE_TYPE"}, "spec.serviceType", "ClusterIP or NodePort"},
};

constexpr TextFlag kDocuments[] = {
    {{"triggers"}, "spec.triggers", "Triggers by name, as JSON"},
    {{"data-bindings"}, "spec.dataBindings", "Data bindings by name, as JSON"},
    {{"platform-config"}, "spec.platform", "Platform-specific settings, as JSON"},
    {{"runtime-attrs"}, "spec.runtimeAttributes", "Settings of the runtime, as JSON"},
    {{"build-runtime-attrs"}, "spec.build.runtimeAttributes", "Settings of the runtime's build, as JSON"},
    {{"build-code-entry-attrs"}, "spec.build.codeEntryAttributes", "How to get the code, as JSON"},
};

constexpr TextFlag kNumbers[] = {
    {{"replicas"}, "spec.replicas", "Fixed number of replicas"},
    {{"min-replicas"}, "spec.minReplicas", "Replicas kept when idle; 0 lets the function scale to zero"},
    {{"max-replicas"}, "spec.maxReplicas", "Most replicas under load"},
    {{"target-cpu"}, "spec.targetCPU", "CPU percentage at which replicas are added"},
    {{"readiness-timeout"}, "spec.readinessTimeoutSeconds", "Seconds that a new version has to become ready"},
    {{"run-as-user"}, "spec.securityContext.runAsUser", "User id of the function's processes"},
    {{"run-as-group"}, "spec.securityContext.runAsGroup", "Group id of the function's processes"},
    {{"fsgroup"}, "spec.securityContext.fsGroup", "Group id of the function's volumes"},
};

// One "name=value".
Result<std::pair<std::string, std::string>> pair_of(std::string_view text, std::string_view flag) {
  std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0)
    return fail(Why::invalid, "--" + std::string(flag) + " takes name=value, is \"" + std::string(text) + "\"");
  return std::pair{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

// A URL, or a repository by ssh: git@host:path.
bool is_elsewhere(std::string_view path) {
  if (path.find("://") != std::string_view::npos) return true;
  const std::size_t at = path.find('@');
  const std::size_t colon = path.find(':');
  return at < colon && colon < path.find('/') && colon != std::string_view::npos;
}

Result<void> apply_env(json::object& config, const std::vector<std::string>& pairs) {
  if (pairs.empty()) return {};
  json::value& env = object_at(config, "spec")["env"];
  if (!env.is_array()) env = json::array{};
  for (const std::string& text : pairs) {
    TRY(auto pair, pair_of(text, "env"));
    json::object entry{{"name", pair.first}, {"value", pair.second}};
    bool replaced = false;
    for (json::value& existing : env.get_array()) {
      if (!existing.is_object() || existing.get_object()["name"] != json::value(pair.first)) continue;
      existing = entry;
      replaced = true;
    }
    if (!replaced) env.get_array().push_back(std::move(entry));
  }
  return {};
}

Result<void> apply_volumes(json::object& config, const std::vector<std::string>& volumes) {
  for (const std::string& text : volumes) {
    std::size_t colon = text.find(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == text.size())
      return fail(Why::invalid, "--volume takes source:target, is \"" + text + "\"");
    json::value& list = object_at(config, "spec")["volumes"];
    if (!list.is_array()) list = json::array{};
    std::string name = "volume-" + std::to_string(list.get_array().size());
    list.get_array().push_back(
        json::object{{"volume", {{"name", name}, {"hostPath", {{"path", text.substr(0, colon)}}}}},
                     {"volumeMount", {{"name", name}, {"mountPath", text.substr(colon + 1)}}}});
  }
  return {};
}

}  // namespace

json::object& object_at(json::object& config, std::string_view path) {
  json::object* at = &config;
  while (!path.empty()) {
    std::size_t dot = std::min(path.find('.'), path.size());
    json::value& next = (*at)[path.substr(0, dot)];
    if (!next.is_object()) next = json::object{};
    at = &next.get_object();
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return *at;
}

void set_field(json::object& config, std::string_view path, json::value value) {
  std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) {
    config[path] = std::move(value);
  } else {
    object_at(config, path.substr(0, dot))[path.substr(dot + 1)] = std::move(value);
  }
}

Result<void> add_pairs(json::object& into, std::string_view text, std::string_view flag) {
  while (!text.empty()) {
    std::size_t comma = std::min(text.find(','), text.size());
    TRY(auto pair, pair_of(text.substr(0, comma), flag));
    into[pair.first] = pair.second;
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return {};
}

void FunctionFlags::declare(Flags& flags) {
  flags.text({"path", 'p'}, path_, "File, folder, archive or URL with the function's code");
  flags.text({"source"}, source_, "The code itself, in base64");
  flags.text({"file", 'f'}, file_, "File with the function's configuration (function.yaml)");
  for (const TextFlag& flag : kTexts) flags.text(flag.name, texts_.emplace_back("", flag.field).value, flag.doc);
  flags.text({"project-name"}, project_, "Project to put the function in");
  flags.list({"env", 'e'}, env_, "Environment variable, name=value; may be repeated");
  flags.text({"labels", 'l'}, labels_, "Labels, name=value,…");
  flags.text({"annotations"}, annotations_, "Annotations, name=value,…");
  for (const TextFlag& flag : kNumbers)
    flags.number(flag.name, numbers_.emplace_back(std::nullopt, flag.field).value, flag.doc);
  for (const TextFlag& flag : kDocuments)
    flags.text(flag.name, documents_.emplace_back("", flag.field).value, flag.doc);
  flags.yes({"disable", 'd'}, disable_, "Deploy it stopped");
  flags.text({"logger-level"}, logger_level_, "Lowest level that the function logs: debug, info, warn, error");
  flags.list({"build-command"}, commands_, "Command to run while building; may be repeated");
  flags.list({"volume"}, volumes_, "Volume, source:target; may be repeated");
  flags.list({"resource-limit"}, limits_, "Resource limit, name=quantity; may be repeated");
  flags.list({"resource-request"}, requests_, "Resource request, name=quantity; may be repeated");
  flags.text({"nodeSelector"}, node_selector_, "Node labels to run on, name=value,…");
  flags.text({"run-image"}, run_image_, "An image that has been built already");
  flags.yes({"publish"}, publish_, "Publish the function");
  flags.yes({"no-pull"}, no_pull_, "Do not pull base images");
  flags.yes({"no-cleanup"}, no_cleanup_, "Keep what the build leaves behind");
  flags.yes({"offline"}, offline_, "Build without a network");
  flags.list({"set"}, set_, "Set a field, path=value: --set spec.minReplicas=2; may be repeated");
}

namespace {

// The code itself, for a dashboard that cannot read this machine's files, with what the file's name tells it here.
Result<void> send_code(json::object& config, const std::string& path, const Session& session) {
  std::error_code error;
  if (std::filesystem::is_directory(session.absolute(path), error))
    return fail(Why::invalid, path +
                                  " is a folder, which cannot be sent to a dashboard elsewhere; name a single file, "
                                  "or a URL of an archive or a git repository");
  TRY(const std::string code, session.read_file(path));
  const std::filesystem::path name = std::filesystem::path(path).filename();
  const std::string share = session.settings().programs + "/../share/nuclio/runtimes";
  TRY(const auto runtimes, wire::load_runtimes(std::filesystem::path(share).lexically_normal().string()));
  set_field(config, "spec.build.functionSourceCode", json::string(encode_base64(code)));
  json::object& spec = object_at(config, "spec");
  const wire::Runtime* runtime = wire::runtime_of_file(runtimes, name.string());
  if (runtime && !spec.contains("runtime")) spec["runtime"] = runtime->name;
  if (runtime && !spec.contains("handler") && runtime->handler.starts_with("{module}"))
    spec["handler"] = name.stem().string() + runtime->handler.substr(std::string_view("{module}").size());
  return {};
}

}  // namespace

Result<json::object> FunctionFlags::file(const Session& session) const {
  if (file_.empty()) return json::object{};
  TRY(std::string text, session.read_file(file_));
  auto document = schema::parse_document(text);
  if (!document) return std::unexpected(std::move(document.error()).in(file_));
  if (!document->value.is_object()) return fail(Why::invalid, file_ + " must hold an object with metadata and spec");
  return std::move(document->value.get_object());
}

Result<void> FunctionFlags::apply(json::object& config, const Session& session) const {
  if (!path_.empty() && session.is_elsewhere() && !is_elsewhere(path_)) {
    TRY_DO(send_code(config, path_, session));
  } else if (!path_.empty()) {
    set_field(config, "spec.build.path", json::string(is_elsewhere(path_) ? path_ : session.absolute(path_)));
  }
  if (!source_.empty()) set_field(config, "spec.build.functionSourceCode", json::string(source_));
  if (!run_image_.empty()) set_field(config, "spec.image", json::string(run_image_));
  for (const Text& text : texts_)
    if (!text.value.empty()) set_field(config, text.field, json::string(text.value));
  for (const Number& number : numbers_)
    if (number.value && *number.value >= 0) set_field(config, number.field, *number.value);
  for (const Text& text : documents_) {
    if (text.value.empty()) continue;
    auto value = schema::parse_json(text.value);
    if (!value) return std::unexpected(std::move(value.error()).in("the value for " + std::string(text.field)));
    set_field(config, text.field, std::move(*value));
  }
  if (!labels_.empty()) TRY_DO(add_pairs(object_at(config, "metadata.labels"), labels_, "labels"));
  if (!annotations_.empty()) TRY_DO(add_pairs(object_at(config, "metadata.annotations"), annotations_, "annotations"));
  if (!node_selector_.empty())
    TRY_DO(add_pairs(object_at(config, "spec.nodeSelector"), node_selector_, "nodeSelector"));
  if (!project_.empty()) object_at(config, "metadata.labels")["nuclio.io/project-name"] = project_;
  for (const std::string& limit : limits_)
    TRY_DO(add_pairs(object_at(config, "spec.resources.limits"), limit, "resource-limit"));
  for (const std::string& request : requests_)
    TRY_DO(add_pairs(object_at(config, "spec.resources.requests"), request, "resource-request"));
  TRY_DO(apply_env(config, env_));
  TRY_DO(apply_volumes(config, volumes_));
  if (!commands_.empty()) set_field(config, "spec.build.commands", json::value_from(commands_));
  if (!logger_level_.empty())
    set_field(config, "spec.loggerSinks", json::array{json::object{{"level", logger_level_}}});
  if (disable_) set_field(config, "spec.disable", true);
  if (publish_) set_field(config, "spec.publish", true);
  if (no_pull_) set_field(config, "spec.build.noBaseImagesPull", true);
  if (no_cleanup_) set_field(config, "spec.build.noCleanup", true);
  if (offline_) set_field(config, "spec.build.offline", true);
  for (const std::string& text : set_) {
    TRY(auto pair, pair_of(text, "set"));
    json::value root = std::move(config);
    auto done = schema::set_path(root, spec::function_type(), pair.first, pair.second);
    config = std::move(root.get_object());
    if (!done) return std::unexpected(std::move(done.error()).in("--set " + pair.first));
  }
  return {};
}

Result<json::object> checked(const json::object& config, const Session& session) {
  TRY(auto loaded, spec::read_function(config, spec::Unknown::problem, spec::Scalars::as_in_yaml));
  for (const schema::Problem& warning : loaded.warnings) session.note("warning: " + schema::text(warning) + "\n");
  json::value value = spec::to_json(loaded.config, spec::Secrets::shown);
  return std::move(value.get_object());
}

}  // namespace nuclio::nuctl
