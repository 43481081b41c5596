// SPDX-License-Identifier: Apache-2.0
#include "processor/configuration.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "schema/document.h"
#include "spec/enrich.h"
#include "spec/load.h"
#include "spec/masking.h"
#include "spec/rules.h"

namespace nuclio::processor {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMostBytes = 64 << 20;  // inline source code is part of the file

Result<std::string> read_file(const std::string& path) {
  std::error_code error;
  std::uintmax_t size = fs::file_size(path, error);
  if (error) return fail(errno_error("reading " + path, error.value()));
  if (size > kMostBytes) return fail(Why::too_large, path + " is larger than 64 MiB");
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return fail(Why::internal, "reading " + path + " failed");
  return std::move(text).str();
}

// What was masked in the function, when there is a folder with the values.
Result<spec::Loaded<spec::FunctionConfig>> restored(std::string_view text, const std::string& secret_folder) {
  if (secret_folder.empty()) return spec::parse_function(text, schema::Unknown::warning);
  const std::string file = secret_folder + "/" + std::string(spec::kSecretContent);
  TRY(const std::string content, read_file(file));
  auto values = spec::masked_values(content);
  if (!values) return fail(std::move(values).error().in(file));
  TRY(schema::Document document, schema::parse_document(text));
  if (document.value.is_object()) {
    TRY(document.value, spec::restore(std::move(document.value.get_object()), *values));
  }
  return spec::read_function(document.value, schema::Unknown::warning, document.scalars);
}

Result<spec::FunctionConfig> read_function(const std::string& path, const std::string& secret_folder,
                                           std::vector<std::string>& warnings) {
  auto text = read_file(path);
  if (!text && text.error().why == Why::not_found)
    return fail(Why::not_found, "there is no function: " + path + " does not exist; say where it is with --config");
  if (!text) return fail(std::move(text).error());
  // A file that a newer controller wrote must still start.
  auto loaded = restored(*text, secret_folder);
  if (!loaded) return fail(std::move(loaded).error().in(path));
  for (const auto& warning : loaded->warnings) warnings.push_back(path + ": " + schema::text(warning));
  return std::move(loaded->config);
}

Result<spec::PlatformConfig> read_platform(const std::string& path, std::vector<std::string>& warnings) {
  auto text = read_file(path);
  if (!text && text.error().why == Why::not_found) text = std::string{};
  if (!text) return fail(std::move(text).error());
  auto loaded = spec::parse_platform_config(*text, schema::Unknown::warning);
  if (!loaded) return fail(std::move(loaded).error().in(path));
  for (const auto& warning : loaded->warnings) warnings.push_back(path + ": " + schema::text(warning));
  return std::move(loaded->config);
}

// Where a container has its code when its configuration is mounted, else beside the function's file.
std::string code_folder(const Options& options) {
  fs::path folder = options.code;
  if (folder.empty())
    folder =
        options.config.starts_with("/etc/nuclio/") ? fs::path{"/opt/nuclio"} : fs::path{options.config}.parent_path();
  std::error_code error;
  std::string absolute = fs::absolute(folder.empty() ? "." : folder, error).lexically_normal().string();
  if (absolute.size() > 1 && absolute.ends_with('/')) absolute.pop_back();
  return absolute;
}

// "" when the function's configuration is whole.
std::string secret_folder(const Configuration& configuration) {
  if (configuration.variable("NUCLIO_RESTORE_FUNCTION_CONFIG_FROM_SECRET") != "true") return {};
  const std::string_view elsewhere = configuration.variable("NUCLIO_FUNCTION_SECRET_VOLUME_PATH");
  return elsewhere.empty() ? "/etc/nuclio/secrets" : std::string(elsewhere);
}

log::Level least(const std::vector<spec::LoggerSink>& sinks) {
  log::Level level = sinks.empty() ? log::Level::debug : log::Level::error;
  for (const spec::LoggerSink& sink : sinks) level = std::min(level, sink.level);
  return level;
}

}  // namespace

std::string_view Configuration::variable(std::string_view name) const {
  for (std::string_view entry : environment) {
    if (entry.size() <= name.size() || !entry.starts_with(name) || entry[name.size()] != '=') continue;
    std::string_view value = entry.substr(name.size() + 1);
    return value == "nil" || value == "none" ? "" : value;
  }
  return "";
}

Result<Configuration> read_configuration(const Options& options, std::vector<std::string> environment) {
  Configuration made;
  made.environment = std::move(environment);
  auto function = read_function(options.config, secret_folder(made), made.warnings);
  auto platform = read_platform(options.platform_config, made.warnings);
  if (!function && !platform) return fail(function.error().why, function.error().what + "\n" + platform.error().what);
  if (!function) return fail(std::move(function).error());
  if (!platform) return fail(std::move(platform).error());
  made.platform = std::move(*platform);
  if (made.platform.kind == spec::PlatformKind::automatic) {
    bool in_cluster =
        !made.variable("KUBERNETES_SERVICE_HOST").empty() && !made.variable("KUBERNETES_SERVICE_PORT").empty();
    made.platform.kind = in_cluster ? spec::PlatformKind::kube : spec::PlatformKind::process;
  }
  made.function = spec::enrich(std::move(*function), made.platform);
  schema::Report report = spec::check_rules(made.function);
  for (const auto& warning : report.warnings) made.warnings.push_back(options.config + ": " + schema::text(warning));
  if (made.function.spec.runtime.empty())
    report.problems.push_back({"spec.runtime", "must name the function's language, such as python:3.11, is empty"});
  if (made.function.spec.handler.empty())
    report.problems.push_back({"spec.handler", "must name the handler, such as main:handler, is empty"});
  if (!report.problems.empty()) return fail(Why::invalid, options.config + ": " + schema::text(report.problems));

  TRY(auto runtimes, wire::load_runtimes(options.runtimes.empty() ? runtimes_folder() : options.runtimes));
  auto runtime = wire::find_runtime(runtimes, made.function.spec.runtime);
  if (!runtime) return fail(std::move(runtime).error().in(options.config + ": spec.runtime"));
  made.runtime = **runtime;
  made.code = code_folder(options);
  return made;
}

std::string runtimes_folder() {
  std::error_code error;
  fs::path program = fs::read_symlink("/proc/self/exe", error);
  return (program.parent_path() / "../share/nuclio/runtimes").lexically_normal().string();
}

log::Level function_log_level(const Configuration& configuration) {
  const auto& own = configuration.function.spec.logger_sinks;
  return least(own.empty() ? configuration.platform.logger.functions : own);
}

log::Options log_options(const Configuration& configuration) {
  const spec::LoggerConfig& logger = configuration.platform.logger;
  log::Options options;
  // The log has one level; function lines are held back by theirs before they come to it.
  options.level = std::min(least(logger.system), function_log_level(configuration));
  options.logger = "processor";
  const auto& own = configuration.function.spec.logger_sinks;
  for (const auto* sinks : {&own, &logger.functions, &logger.system}) {
    if (sinks->empty()) continue;
    auto named = logger.sinks.find(sinks->front().sink);
    if (named == logger.sinks.end()) continue;
    if (named->second.attributes.encoding == spec::LogEncoding::json) options.encoding = log::Encoding::json;
    break;
  }
  return options;
}

}  // namespace nuclio::processor
