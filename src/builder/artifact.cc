// SPDX-License-Identifier: Apache-2.0
#include "builder/artifact.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>

namespace nuclio::builder {
namespace {

namespace fs = std::filesystem;

Result<void> make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return fail(errno_error("making the folder " + path, error.value()));
  return {};
}

// build.commands as a file, a command a line: what they mean is the runtime's to say, since run as they are they would
// change this machine rather than an image.
Result<std::string> write_commands(const Source& source, const std::string& out) {
  const auto& commands = source.config.spec.build.commands;
  if (commands.empty()) return std::string{};
  const auto& prepare = source.runtime->prepare;
  if (std::ranges::find(prepare, "{commands}") == prepare.end())
    return fail(Why::invalid,
                "spec.build.commands cannot be run on this platform, since they would change this machine; "
                "leave them out and list what the function needs in its package file");
  std::string text;
  for (const std::string& command : commands) text += command + "\n";
  TRY_DO(write_new_file(out, "commands", text));
  return out + "/commands";
}

Task<Result<void>> run_prepare(Loop& loop, std::vector<std::string> command, const ArtifactOptions& options,
                               std::vector<std::string> environment, Deadline deadline) {
  ChildOptions program;
  program.argv = std::move(command);
  program.env = std::move(environment);
  program.directory = options.code;
  auto done = co_await run_program(loop, std::move(program), options.log, deadline);
  if (!done && done.error().why == Why::timeout)
    co_return fail(Why::timeout, "the build took longer than spec.build.buildTimeoutSeconds allows");
  co_return done;
}

}  // namespace

Task<Result<void>> make_artifact(Loop& loop, const Source& source, ArtifactOptions options, Deadline deadline) {
  std::error_code error;
  if (fs::exists(options.code, error)) co_return fail(Why::conflict, options.code + " exists already");
  CO_TRY_DO(make_folder(options.code));
  if (const auto* folder = std::get_if<SourceFolder>(&source.code)) {
    CO_TRY_DO(co_await copy_folder(loop, folder->path, options.code, options.limits));
  } else {
    for (const SourceFile& file : std::get<SourceFiles>(source.code))
      CO_TRY_DO(write_new_file(options.code, file.name, file.text));
  }

  const wire::Runtime& runtime = *source.runtime;
  auto values = wire::placeholders(runtime, options.code);
  CO_TRY_DO(make_folder(values["out"]));
  const bool for_image = options.target == ArtifactTarget::image;
  std::string commands;  // an image's run in the image
  if (!for_image) {
    CO_TRY(commands, write_commands(source, values["out"]));
  }
  if (runtime.prepare.empty()) co_return Result<void>{};
  values["handler"] = source.config.spec.handler;
  values["version"] = for_image ? options.version : source.version;
  values["target"] = for_image ? "image" : "";
  values["name"] = source.config.metadata.name;
  values["cache"] = options.cache + "/" + runtime.name;
  values["commands"] = commands;
  CO_TRY_DO(make_folder(values["cache"]));
  CO_TRY(auto command, wire::expand(runtime.prepare, values));
  std::vector<std::string> environment = options.environment;
  for (const auto& [name, value] : runtime.env) environment.push_back(name + "=" + value);
  co_return co_await run_prepare(loop, std::move(command), options, std::move(environment), deadline);
}

Deadline build_deadline(const spec::Build& build) {
  constexpr int kDefaultSeconds = 3600;
  int seconds = build.build_timeout_seconds.value_or(kDefaultSeconds);
  return seconds <= 0 ? Deadline::never() : Deadline::in(std::chrono::seconds{seconds});
}

std::vector<std::string> build_environment(const std::vector<std::string>& environment) {
  static constexpr std::array kExact{"PATH",         "HOME",
                                     "LANG",         "TZ",
                                     "TMPDIR",       "USER",
                                     "http_proxy",   "https_proxy",
                                     "no_proxy",     "HTTP_PROXY",
                                     "HTTPS_PROXY",  "NO_PROXY",
                                     "CC",           "CXX",
                                     "CCACHE_DIR",   "SSL_CERT_FILE",
                                     "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"};
  static constexpr std::array kPrefixes{"LC_", "PIP_", "UV_", "PYENV_"};
  std::vector<std::string> out;
  for (const std::string& variable : environment) {
    std::string_view name = std::string_view(variable).substr(0, variable.find('='));
    if (std::ranges::any_of(kExact, [&](std::string_view each) { return name == each; }) ||
        std::ranges::any_of(kPrefixes, [&](std::string_view each) { return name.starts_with(each); }))
      out.push_back(variable);
  }
  return out;
}

}  // namespace nuclio::builder
