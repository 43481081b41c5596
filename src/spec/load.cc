// SPDX-License-Identifier: Apache-2.0
#include "spec/load.h"

#include <algorithm>

#include "schema/describe.h"
#include "schema/document.h"
#include "schema/without_effect.h"
#include "schema/yaml.h"
#include "spec/api_gateway.h"
#include "spec/function.h"
#include "spec/function_event.h"
#include "spec/platform_config.h"
#include "spec/project.h"
#include "spec/rules.h"
#include "spec/sensitive.h"

namespace nuclio::spec {
namespace {

namespace json = boost::json;

// A Kubernetes object says its kind, and a processor.yaml carries a member for the platform's settings that is always
// null; none of them is ours to read.
json::value without_envelope(const json::value& in) {
  json::value out = in;
  if (auto* object = out.if_object())
    for (const char* key : {"apiVersion", "kind", "PlatformConfig"}) object->erase(key);
  return out;
}

// Whether something was wrong with the field at the path, or with what it lies in.
bool mentions(const std::vector<schema::Problem>& problems, std::string_view path) {
  return std::ranges::any_of(problems, [&](const schema::Problem& problem) {
    const std::string_view rest = path.substr(std::min(problem.path.size(), path.size()));
    return path.starts_with(problem.path) && (rest.empty() || rest.front() == '.' || rest.front() == '[');
  });
}

// When a field is wrong, the rules are asked about the rest as well, so that one look shows everything. Fields that are
// wrong have their default by then; a trigger whose kind is not known would be taken for another one.
void add_rule_problems(FunctionConfig& config, schema::Report& report) {
  std::erase_if(config.spec.triggers, [&](const auto& named) {
    const std::string path = schema::join("spec.triggers", named.first);
    return std::ranges::any_of(report.problems, [&](const schema::Problem& problem) {
      return problem.path == path || problem.path.starts_with(path + ".kind") ||
             problem.path.starts_with(path + ".attributes");
    });
  });
  for (schema::Problem& problem : check_rules(config).problems)
    if (!mentions(report.problems, problem.path)) report.problems.push_back(std::move(problem));
}

// What is to be merged over functions is read as one, so that whoever merges it need not fear what it says.
void check_augmented_configs(const PlatformConfig& config, schema::ReadOptions options, schema::Report& report) {
  for (std::size_t i = 0; i < config.function_augmented_configs.size(); ++i) {
    options.path = "functionAugmentedConfigs[" + std::to_string(i) + "].functionConfig";
    FunctionConfig merged;
    schema::Report of_one =
        schema::read_into(config.function_augmented_configs[i].function_config, &merged, function_type(), options);
    std::ranges::move(of_one.problems, std::back_inserter(report.problems));
    std::ranges::move(of_one.warnings, std::back_inserter(report.warnings));
  }
}

template <class T>
Result<Loaded<T>> read(const json::value& in, Unknown unknown, Scalars scalars) {
  return schema::read<T>(without_envelope(in), {.unknown = unknown, .scalars = scalars});
}

}  // namespace

Result<Loaded<FunctionConfig>> read_function(const json::value& in, Unknown unknown, Scalars scalars) {
  Loaded<FunctionConfig> loaded;
  schema::Report report = schema::read_into(without_envelope(in), &loaded.config, function_type(),
                                            {.unknown = unknown, .scalars = scalars});
  if (!report.problems.empty()) {
    add_rule_problems(loaded.config, report);
    return fail(Why::invalid, schema::text(report.problems));
  }
  loaded.warnings = std::move(report.warnings);
  return loaded;
}

Result<Loaded<FunctionConfig>> parse_function(std::string_view text, Unknown unknown) {
  TRY(const schema::Document document, schema::parse_document(text));
  return read_function(document.value, unknown, document.scalars);
}

Result<Loaded<PlatformConfig>> parse_platform_config(std::string_view text, Unknown unknown) {
  TRY(const schema::Document document, schema::parse_document(text));
  if (document.value.is_null()) return Loaded<PlatformConfig>{};
  Loaded<PlatformConfig> loaded;
  schema::Report report = schema::read_into(document.value, &loaded.config, platform_config_type(),
                                            {.unknown = unknown, .scalars = document.scalars});
  check_augmented_configs(loaded.config, {.unknown = unknown, .scalars = document.scalars}, report);
  if (!report.problems.empty()) return fail(Why::invalid, schema::text(report.problems));
  loaded.warnings = std::move(report.warnings);
  return loaded;
}

Result<Loaded<Project>> read_project(const json::value& in, Unknown unknown, Scalars scalars) {
  return read<Project>(in, unknown, scalars);
}
Result<Loaded<FunctionEvent>> read_function_event(const json::value& in, Unknown unknown, Scalars scalars) {
  return read<FunctionEvent>(in, unknown, scalars);
}
Result<Loaded<ApiGateway>> read_api_gateway(const json::value& in, Unknown unknown, Scalars scalars) {
  return read<ApiGateway>(in, unknown, scalars);
}

json::value to_json(const FunctionConfig& config, Secrets secrets) {
  json::value out = schema::write(config, secrets);
  if (secrets == Secrets::masked) mask_sensitive_keys(out.get_object());
  return out;
}
json::value to_json(const Trigger& trigger, Secrets secrets) {
  json::value out = schema::write(trigger, secrets);
  if (secrets == Secrets::masked) mask_sensitive_annotations(out.get_object());
  return out;
}
json::value to_json(const Project& project) { return schema::write(project); }
json::value to_json(const FunctionEvent& event) { return schema::write(event); }
json::value to_json(const ApiGateway& gateway, Secrets secrets) { return schema::write(gateway, secrets); }
json::value to_json(const PlatformConfig& config, Secrets secrets) { return schema::write(config, secrets); }

std::string to_processor_yaml(const FunctionConfig& config) {
  json::object out = schema::write(config).get_object();
  out.erase("status");
  out["PlatformConfig"] = nullptr;
  return schema::to_yaml(out);
}

std::vector<schema::Problem> without_effect(const FunctionConfig& config, std::string_view platform) {
  return schema::without_effect(&config, function_type(), platform);
}
std::vector<schema::Problem> without_effect(const PlatformConfig& config, std::string_view platform) {
  return schema::without_effect(&config, platform_config_type(), platform);
}

const schema::Type& function_type() { return schema::type_of<FunctionConfig>(); }
const schema::Type& platform_config_type() { return schema::type_of<PlatformConfig>(); }
const schema::Type& project_type() { return schema::type_of<Project>(); }
const schema::Type& function_event_type() { return schema::type_of<FunctionEvent>(); }
const schema::Type& api_gateway_type() { return schema::type_of<ApiGateway>(); }

}  // namespace nuclio::spec
