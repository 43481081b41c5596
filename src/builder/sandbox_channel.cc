// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox_channel.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace nuclio::builder {
namespace {

constexpr Bytes kMaxJob{8u << 20};

Result<std::string> read_job() {
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("reading the sandbox's job");
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kMaxJob.count) return fail(Why::too_large, "commands and environment must have less than 8 MiB");
  }
}

}  // namespace

int speak_as_sandbox(const std::function<Result<int>(const SandboxJob&)>& run) {
  // The end at the deadline: whoever watches the commands looks for it and tidies up.
  sigset_t terminate;
  sigemptyset(&terminate);
  sigaddset(&terminate, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &terminate, nullptr);
  for (const int descriptor : {kSandboxTar, kSandboxOutcome}) ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  // When memory runs out it is the build that goes first.
  if (const Descriptor score{::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)})
    (void)!::write(score.get(), "500", 3);

  const auto all = [&] -> Result<int> {
    TRY(const std::string text, read_job());
    TRY(const SandboxJob job, parse_sandbox_job(text));
    return run(job);
  };
  auto code = all();
  if (code) return *code;
  report({.error = std::move(code).error()});
  return 1;
}

Result<void> write_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(to, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno("writing");
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

// The line before may be a command's, without its end; empty ones are not shown.
void say(std::string_view line) { (void)write_all(STDOUT_FILENO, "\n" + std::string(line) + "\n"); }

void report(const SandboxOutcome& outcome) { (void)write_all(kSandboxOutcome, sandbox_outcome_text(outcome)); }

Result<void> TarOut::flush() {
  auto done = write_all(kSandboxTar, buffer_);
  buffer_.clear();
  return done;
}

oci::ChangesOptions layer_options(const SandboxJob& job) {
  oci::ChangesOptions options;
  options.layer = {.modified = job.modified, .limits = {.entries = job.limits.files, .total = job.limits.disk}};
  options.left_out = [](std::string_view name) {
    say("left out of the layer: /" + std::string(name) + ", which is a socket, a pipe or a device");
  };
  return options;
}

Result<std::vector<OpenLayer>> open_layers(const std::vector<std::string>& paths) {
  std::vector<OpenLayer> layers;
  for (const std::string& path : paths) {
    layers.push_back({path, Descriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC)}});
    if (!layers.back().file) return fail_errno("reading " + path);
  }
  return layers;
}

}  // namespace nuclio::builder
