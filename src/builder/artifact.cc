// SPDX-License-Identifier: Apache-2.0
#include "builder/artifact.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <filesystem>

#include "loop/child.h"
#include "loop/stream.h"

namespace nuclio::builder {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLinesInMessage = 20;

// Cuts a program's output into lines: each goes to the log, the last ones are remembered for the message.
class Lines {
 public:
  explicit Lines(const std::function<void(std::string_view)>& log) : log_(log) {}

  void add(std::string_view bytes) {
    for (char c : bytes) {
      if (c == '\n') {
        end_line();
      } else if (c != '\r' && line_.size() < kMaxLogLine) {
        line_ += c;
      }
    }
  }
  void end_line() {
    if (line_.empty()) return;
    if (log_) log_(line_);
    if (last_.size() == kLinesInMessage) last_.pop_front();
    last_.push_back(std::exchange(line_, {}));
  }
  std::string last() const {
    std::string text;
    for (const std::string& line : last_) text += (text.empty() ? "" : "\n") + line;
    return text;
  }

 private:
  const std::function<void(std::string_view)>& log_;
  std::string line_;
  std::deque<std::string> last_;
};

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
  CO_TRY(Pipe pipe, make_pipe());
  ChildOptions child_options;
  child_options.argv = std::move(command);
  child_options.env = std::move(environment);
  child_options.directory = options.code;
  child_options.descriptors = {{pipe.write.get(), 1}, {pipe.write.get(), 2}};
  CO_TRY(Child child, Child::spawn(loop, child_options));
  pipe.write.reset();
  Stream output{loop, std::move(pipe.read)};
  Lines lines{options.log};
  std::string too_long = "the build took longer than spec.build.buildTimeoutSeconds allows";
  std::array<char, 16384> buffer;
  for (;;) {
    auto count = co_await output.read_some(buffer, deadline);
    if (!count && count.error().why == Why::timeout) co_return fail(Why::timeout, too_long);
    if (!count || *count == 0) break;
    lines.add({buffer.data(), *count});
  }
  lines.end_line();
  auto status = co_await child.exited(deadline);
  if (!status) co_return fail(Why::timeout, too_long);
  if (status->ok()) co_return Result<void>{};
  std::string last = lines.last();
  co_return fail(Why::invalid, last.empty() ? child_options.argv[0] + " " + status->text() : last);
}

}  // namespace

Task<Result<void>> make_artifact(Loop& loop, const Source& source, ArtifactOptions options, Deadline deadline) {
  std::error_code error;
  if (fs::exists(options.code, error)) co_return fail(Why::conflict, options.code + " exists already");
  CO_TRY_DO(make_folder(options.code));
  if (const auto* folder = std::get_if<SourceFolder>(&source.code)) {
    CO_TRY_DO(co_await copy_folder(loop, folder->path, options.code, options.limits));
  } else {
    const auto& file = std::get<SourceFile>(source.code);
    CO_TRY_DO(write_new_file(options.code, file.name, file.text));
  }

  const wire::Runtime& runtime = *source.runtime;
  auto values = wire::placeholders(runtime, options.code);
  CO_TRY_DO(make_folder(values["out"]));
  CO_TRY(std::string commands, write_commands(source, values["out"]));
  if (runtime.prepare.empty()) co_return Result<void>{};
  values["handler"] = source.config.spec.handler;
  values["version"] = source.version;
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
