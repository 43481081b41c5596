// SPDX-License-Identifier: Apache-2.0
#include "spec/rules.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/base64.h"
#include "base/duration.h"
#include "base/image_reference.h"
#include "base/names.h"
#include "spec/api_gateway.h"
#include "spec/cron_schedule.h"
#include "spec/function.h"

namespace nuclio::spec {
namespace {

using namespace std::chrono_literals;
using schema::join;
using schema::Report;

// Not `quoted`: beside std::quoted a call would mean either.
std::string in_quotes(std::string_view text) { return "\"" + std::string(text.substr(0, 100)) + "\""; }

void problem(Report& report, std::string path, std::string message) {
  report.problems.push_back({std::move(path), std::move(message)});
}
void warning(Report& report, std::string path, std::string message) {
  report.warnings.push_back({std::move(path), std::move(message)});
}

bool is_identifier_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// "python", "python:3.11"; whether there is such a runtime is for those to say who find its manifest.
bool is_runtime(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const auto small = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (name.empty() || !std::ranges::all_of(name, small)) return false;
  if (colon == std::string_view::npos) return true;
  const std::string_view version = text.substr(colon + 1);
  const auto fits = [](char c) { return is_identifier_char(c) || c == '.' || c == '-'; };
  return !version.empty() && std::ranges::all_of(version, fits);
}

bool is_runtime_of(std::string_view runtime, std::string_view language) {
  return runtime == language || (runtime.starts_with(language) && runtime.substr(language.size()).starts_with(':'));
}

// module(.sub)*:name, each of them a Python identifier.
bool is_python_handler(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) return false;
  const auto is_identifier = [](std::string_view word) {
    // Letters beyond ASCII are identifiers to Python too, and the module itself says so best.
    const auto fits = [](char c) { return is_identifier_char(c) || c == '-' || static_cast<unsigned char>(c) >= 0x80; };
    return !word.empty() && std::ranges::all_of(word, fits);
  };
  std::string_view module = text.substr(0, colon);
  while (true) {
    const std::size_t dot = module.find('.');
    if (!is_identifier(module.substr(0, dot))) return false;
    if (dot == std::string_view::npos) break;
    module.remove_prefix(dot + 1);
  }
  return is_identifier(text.substr(colon + 1));
}

void check_metadata(const Metadata& metadata, std::string_view name, Report& report) {
  const auto check = [&](std::string_view field, std::string_view what, std::string_view value) {
    if (value.empty()) return;
    const auto checked = check_label(what, value);
    if (!checked) problem(report, join("metadata", field), "is no valid name: " + checked.error().what);
  };
  check("name", name, metadata.name);
  check("namespace", "namespace", metadata.namespace_name);
  const auto project = metadata.labels.find(std::string(kProjectLabel));
  if (project == metadata.labels.end()) return;
  const auto checked = check_label("project name", project->second);
  if (!checked) problem(report, join("metadata.labels", kProjectLabel), "is no valid name: " + checked.error().what);
}

// A relative path to a file, as which it can be written.
bool is_path_within_folder(std::string_view path) {
  constexpr std::size_t kMaxPath = 1024;
  constexpr std::size_t kMaxName = 255;  // Linux's
  if (path.size() > kMaxPath) return false;
  if (std::ranges::any_of(path, [](unsigned char c) { return c < 0x20 || c == 0x7f; })) return false;
  for (;;) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    if (name.empty() || name == "." || name == ".." || name.size() > kMaxName) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

void check_files(const Build& build, Report& report) {
  constexpr std::size_t kMaxFiles = 1000;
  constexpr std::string_view kField = "spec.build.files";
  if (build.files.empty()) return;
  if (build.function_source_code.empty())
    problem(report, std::string(kField), "must be empty without functionSourceCode, to which these files belong");
  if (build.files.size() > kMaxFiles)
    problem(report, std::string(kField),
            "must have at most " + std::to_string(kMaxFiles) + " files, has " + std::to_string(build.files.size()));
  for (const auto& [path, text] : build.files) {
    if (!is_path_within_folder(path)) {
      problem(report, join(kField, path), "must be a path within the code's folder, such as lib/prices.py");
      continue;
    }
    const auto decoded = decode_base64(text);
    if (!decoded) problem(report, join(kField, path), "must be the file's content as base64: " + decoded.error().what);
    const auto below = build.files.lower_bound(path + "/");
    if (below != build.files.end() && below->first.starts_with(path + "/"))
      problem(report, join(kField, path), "must not be a file, since " + in_quotes(below->first) + " lies beneath it");
  }
}

void check_code(const FunctionSpec& spec, Report& report) {
  const bool has_runtime = !spec.runtime.empty();
  if (has_runtime && !is_runtime(spec.runtime))
    problem(report, "spec.runtime",
            "must be a language, or language:version such as python:3.11, is " + in_quotes(spec.runtime));
  if (is_runtime_of(spec.runtime, "python") && !spec.handler.empty() && !is_python_handler(spec.handler))
    problem(report, "spec.handler", "must be module:function such as main:handler, is " + in_quotes(spec.handler));
  const bool unprintable = std::ranges::any_of(spec.handler, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (unprintable) problem(report, "spec.handler", "must not contain control characters");
  if (!spec.build.function_source_code.empty()) {
    const auto decoded = decode_base64(spec.build.function_source_code);
    if (!decoded)
      problem(report, "spec.build.functionSourceCode", "must be the source code as base64: " + decoded.error().what);
  }
  check_files(spec.build, report);
  const std::pair<std::string_view, const std::string&> references[] = {
      {"spec.image", spec.image},
      {"spec.runRegistry", spec.run_registry},
      {"spec.build.image", spec.build.image},
      {"spec.build.baseImage", spec.build.base_image},
      {"spec.build.onbuildImage", spec.build.onbuild_image},
      {"spec.build.registry", spec.build.registry},
      {"spec.build.baseImageRegistry", spec.build.base_image_registry}};
  for (const auto& [path, reference] : references) {
    // Onbuild images may be templates, filled in by the builder.
    if (reference.empty() || reference.find("{{") != std::string::npos) continue;
    // Who builds may say that a registry speaks plain HTTP. Nodes that pull have a configuration for that.
    std::string_view name = reference;
    const bool of_build = path.starts_with("spec.build.");
    for (const std::string_view scheme : {"http://", "https://"})
      if (of_build && name.starts_with(scheme)) name.remove_prefix(scheme.size());
    if (parse_image_reference(name)) continue;
    problem(report, std::string(path),
            "must be an image or registry such as registry.local:5000/team/name:tag, is " + in_quotes(reference));
  }
}

void check_env(const FunctionSpec& spec, Report& report) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < spec.env.size(); ++i) {
    const std::string& name = spec.env[i].name;
    const std::string path = "spec.env[" + std::to_string(i) + "].name";
    if (name.find_first_of(std::string_view("=\0", 2)) != std::string::npos)
      problem(report, path, "must not contain \"=\", is " + in_quotes(name));
    if (!name.empty() && !seen.insert(name).second)
      warning(report, path, "is " + in_quotes(name) + " for the second time; the last value counts");
    if (spec.env[i].value.find('\0') != std::string::npos)
      problem(report, "spec.env[" + std::to_string(i) + "].value", "must not contain the character NUL");
  }
}

void check_replicas(const FunctionSpec& spec, Report& report) {
  if (spec.replicas && (spec.min_replicas || spec.max_replicas))
    problem(report, "spec.replicas", "excludes minReplicas and maxReplicas; give the one or the others");
  if (spec.min_replicas && spec.max_replicas && *spec.min_replicas > *spec.max_replicas)
    problem(report, "spec.minReplicas",
            "must be at most maxReplicas, which is " + std::to_string(*spec.max_replicas) + ", is " +
                std::to_string(*spec.min_replicas));
  if (spec.min_replicas == 0 && !spec.max_replicas)
    problem(report, "spec.maxReplicas", "is required when minReplicas is 0");
}

void check_containers(std::string_view field, const std::vector<boost::json::object>& containers, Report& report) {
  for (std::size_t i = 0; i < containers.size(); ++i) {
    for (const char* key : {"name", "image"}) {
      const auto* value = containers[i].if_contains(key);
      if (value == nullptr || !value->is_string() || value->get_string().empty())
        problem(report, join("spec", field) + "[" + std::to_string(i) + "]." + key, "is required");
    }
  }
}

// The Service has all ports of a pod under their names, so each name and number is there once.
void check_ports(const FunctionSpec& spec, Report& report) {
  std::set<std::string> names = {"http", "metrics"};
  std::set<std::int64_t> numbers = {8080, 8081, 8082, 8090};
  for (std::size_t i = 0; i < spec.sidecars.size(); ++i) {
    const auto* ports = spec.sidecars[i].if_contains("ports");
    if (ports == nullptr || !ports->is_array()) continue;
    for (std::size_t j = 0; j < ports->get_array().size(); ++j) {
      const std::string path = "spec.sidecars[" + std::to_string(i) + "].ports[" + std::to_string(j) + "]";
      const auto* port = ports->get_array()[j].if_object();
      const auto* name = port == nullptr ? nullptr : port->if_contains("name");
      const auto* number = port == nullptr ? nullptr : port->if_contains("containerPort");
      if (name == nullptr || !name->is_string() || name->get_string().empty())
        problem(report, path + ".name", "is required");
      else if (!names.emplace(name->get_string()).second)
        problem(report, path + ".name", "is " + in_quotes(name->get_string()) + ", which another port has");
      if (number == nullptr || !number->is_int64())
        problem(report, path + ".containerPort", "is required");
      else if (!numbers.insert(number->get_int64()).second)
        problem(report, path + ".containerPort",
                "is " + std::to_string(number->get_int64()) + ", which another port has, or the function itself");
    }
  }
}

// ":8080", "127.0.0.1:8080" or "[::1]:8080".
bool is_listen_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  unsigned port = 0;
  const std::string_view digits = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc{} && end == digits.data() + digits.size() && port <= 65535;
}

// What the kinds ask for beyond their fields, `path` being the trigger's. A kind without rules of its own needs none.
struct KindRules {
  const std::string& path;
  const Trigger& trigger;
  const FunctionSpec& spec;
  Report& report;

  void operator()(const HttpTrigger& http) const {
    if (!trigger.url.empty() && !is_listen_address(trigger.url))
      problem(report, path + ".url", "must be an address to listen on such as :8080, is " + in_quotes(trigger.url));
    if (http.tls) check_tls(*http.tls);
  }

  void operator()(const CronTrigger& cron) const {
    const std::string attributes = path + ".attributes";
    if (cron.interval < 0ns)
      problem(report, attributes + ".interval", "must be positive, is " + in_quotes(format_duration(cron.interval)));
    if (cron.interval == 0ns && cron.schedule.empty())
      problem(report, attributes, "must have a schedule such as \"*/5 * * * *\" or an interval such as 10s");
    if (cron.schedule.empty()) return;
    const auto schedule = CronSchedule::parse(cron.schedule);
    if (!schedule) problem(report, attributes + ".schedule", "is no cron expression: " + schedule.error().what);
  }

  void operator()(const KafkaClusterTrigger& kafka) const { check_ack(kafka.worker_allocation_mode); }

  void operator()(const V3ioStreamTrigger& v3io) const {
    check_ack(v3io.worker_allocation_mode);
    if (spec.min_replicas != spec.max_replicas)
      problem(report, path,
              "needs minReplicas and maxReplicas to be equal, since its shards do not move between replicas");
  }

  template <class Kind>
  void operator()(const Kind&) const {}

  // The processor's working folder is nobody's business, so no path is relative to it.
  void check_tls(const HttpTls& tls) const {
    const auto check = [&](std::string_view name, const std::string& file) {
      if (!file.empty() && !tls.path_of(file).starts_with('/'))
        problem(report, path + ".attributes.tls." + std::string(name),
                "must begin with /, or secretPath must name its folder, is " + in_quotes(file));
    };
    if (!tls.secret_path.empty() && tls.secret_path.front() != '/')
      return problem(report, path + ".attributes.tls.secretPath",
                     "must begin with /, is " + in_quotes(tls.secret_path));
    if (tls.certificate.empty()) problem(report, path + ".attributes.tls.certificate", "must not be empty");
    if (tls.key.empty()) problem(report, path + ".attributes.tls.key", "must not be empty");
    check("certificate", tls.certificate);
    check("key", tls.key);
    check("clientCA", tls.client_ca);
  }

  void check_ack(WorkerAllocationMode mode) const {
    const bool explicit_ack = trigger.explicit_ack_mode == ExplicitAckMode::enable ||
                              trigger.explicit_ack_mode == ExplicitAckMode::explicit_only;
    if (explicit_ack && mode != WorkerAllocationMode::fixed)
      problem(report, path + ".explicitAckMode",
              "is " + in_quotes(schema::name_of(trigger.explicit_ack_mode)) +
                  ", which needs attributes.workerAllocationMode static");
  }
};

void check_trigger(const std::string& key, const Trigger& trigger, const FunctionSpec& spec, Report& report) {
  const std::string path = join("spec.triggers", key);
  if (key.empty()) problem(report, path, "must have a name");
  if (!trigger.name.empty() && trigger.name != key)
    problem(report, path + ".name",
            "must be the key of the trigger, " + in_quotes(key) + ", is " + in_quotes(trigger.name));
  if (trigger.worker_termination_timeout < 0ns)
    problem(report, path + ".workerTerminationTimeout",
            "must not be negative, is " + in_quotes(format_duration(trigger.worker_termination_timeout)));
  if (trigger.batch.mode == BatchMode::enable) {
    if (trigger.batch.timeout <= 0ns)
      problem(report, path + ".batch.timeout",
              "must be positive, is " + in_quotes(format_duration(trigger.batch.timeout)));
    if (!is_http(trigger) || !(spec.runtime.empty() || is_runtime_of(spec.runtime, "python")))
      warning(report, path + ".batch", "has no effect; only http triggers of python functions make batches");
  }
  std::visit(KindRules{path, trigger, spec, report}, trigger.kind);
}

void check_triggers(const FunctionSpec& spec, Report& report) {
  std::string http_triggers;
  int count = 0;
  for (const auto& [key, trigger] : spec.triggers) {
    check_trigger(key, trigger, spec, report);
    if (!is_http(trigger)) continue;
    http_triggers += (count++ == 0 ? "" : ", ") + in_quotes(key);
  }
  if (count > 1)
    problem(report, "spec.triggers",
            "must have at most one trigger of kind http, has " + std::to_string(count) + ": " + http_triggers);
}

// Whether everything is there that a deploy needs.
void check_complete(const FunctionConfig& config, Report& report) {
  const FunctionSpec& spec = config.spec;
  if (config.metadata.name.empty()) problem(report, "metadata.name", "is required");
  const bool has_code = !spec.build.path.empty() || !spec.build.function_source_code.empty() ||
                        !spec.build.image.empty() || spec.build.code_entry_type == CodeEntryType::s3;
  if (!has_code && spec.image.empty())
    problem(report, "spec.build",
            "must have a path or functionSourceCode, or spec.image must name what was built before");
  const bool runtime_can_be_found = !spec.build.path.empty() || spec.build.code_entry_type == CodeEntryType::s3;
  if (spec.runtime.empty() && !runtime_can_be_found && (has_code || !spec.image.empty()))
    problem(report, "spec.runtime", "is required unless build.path names a file whose extension tells it");
  const bool has_http = std::ranges::any_of(spec.triggers, [](const auto& named) { return is_http(named.second); });
  if (spec.min_replicas == 0 && !has_http)
    problem(report, "spec.minReplicas",
            "must be at least 1 without an http trigger, is 0; nothing would wake the function");
}

// Host names and paths become parts of a proxy's configuration, where a blank or a quote would begin another setting.
bool is_host_name(std::string_view text) {
  if (text.size() > 253) return false;
  for (;;) {
    const std::size_t dot = text.find('.');
    if (!check_label("host", text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_gateway_path(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) {
    return c > 0x20 && c < 0x7f &&
           std::string_view("\"'`\\{};#<>").find(static_cast<char>(c)) == std::string_view::npos;
  });
}

void check_upstreams(const std::vector<Upstream>& upstreams, Report& report) {
  if (upstreams.empty() || upstreams.size() > 2)
    problem(report, "spec.upstreams",
            "must be one function, or a function and its canary; there are " + std::to_string(upstreams.size()));
  std::size_t canaries = 0;
  for (std::size_t i = 0; i < upstreams.size(); ++i) {
    const std::string path = "spec.upstreams[" + std::to_string(i) + "]";
    const Upstream& upstream = upstreams[i];
    if (upstream.kind != kFunctionUpstream)
      problem(report, path + ".kind", "must be nucliofunction, is " + in_quotes(upstream.kind));
    const auto name = check_label("function name", upstream.function.name);
    if (!name) problem(report, path + ".nucliofunction.name", "is no valid name: " + name.error().what);
    if (upstream.percentage > 0) ++canaries;
  }
  if (upstreams.size() == 2 && canaries != 1)
    problem(report, "spec.upstreams",
            "must have a percentage, 1 to 100, on exactly one of the two: the canary; it is on " +
                std::to_string(canaries));
}

void check_authentication(const ApiGatewaySpec& spec, Report& report) {
  if (spec.authentication_mode != AuthenticationMode::basic_auth) return;
  const bool has_both = spec.authentication && spec.authentication->basic_auth &&
                        !spec.authentication->basic_auth->username.empty() &&
                        !spec.authentication->basic_auth->password.empty();
  if (!has_both)
    problem(report, "spec.authentication.basicAuth",
            "must have username and password for authenticationMode basicAuth");
}

}  // namespace

Report check_rules(const FunctionConfig& config) {
  Report report;
  check_metadata(config.metadata, "function name", report);
  check_code(config.spec, report);
  check_env(config.spec, report);
  check_replicas(config.spec, report);
  check_triggers(config.spec, report);
  check_containers("sidecars", config.spec.sidecars, report);
  check_containers("initContainers", config.spec.init_containers, report);
  check_ports(config.spec, report);
  if (config.spec.event_timeout < 0ns)
    problem(report, "spec.eventTimeout",
            "must not be negative, is " + in_quotes(format_duration(config.spec.event_timeout)));
  return report;
}

Result<std::vector<schema::Problem>> validate(const FunctionConfig& config) {
  Report report = check_rules(config);
  check_complete(config, report);
  if (!report.problems.empty()) return fail(Why::invalid, schema::text(report.problems));
  return std::move(report.warnings);
}

Result<void> validate(const ApiGateway& gateway) {
  Report report;
  if (gateway.metadata.name.empty()) problem(report, "metadata.name", "must be set");
  check_metadata(gateway.metadata, "API gateway name", report);
  const ApiGatewaySpec& spec = gateway.spec;
  if (spec.name != gateway.metadata.name)
    problem(report, "spec.name",
            "must be that of the metadata, " + in_quotes(gateway.metadata.name) + ", is " + in_quotes(spec.name));
  if (!is_host_name(spec.host))
    problem(report, "spec.host", "must be a host name such as shop.example.com, is " + in_quotes(spec.host));
  if (!is_gateway_path(spec.path))
    problem(report, "spec.path", "must be a path without blanks and quotes, is " + in_quotes(spec.path));
  check_upstreams(spec.upstreams, report);
  check_authentication(spec, report);
  if (report.problems.empty()) return {};
  return fail(Why::invalid, schema::text(report.problems));
}

}  // namespace nuclio::spec
