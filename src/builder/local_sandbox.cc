// SPDX-License-Identifier: Apache-2.0
#include "builder/local_sandbox.h"

#include <array>
#include <chrono>
#include <csignal>
#include <optional>
#include <vector>

#include "loop/child.h"
#include "loop/group.h"
#include "loop/stream.h"

namespace nuclio::builder {
namespace {

using namespace std::chrono_literals;

constexpr auto kTidyingUp = 5s;
constexpr std::size_t kMaxOutcome = 64 << 10;

Task<void> read_log(Stream& output, const CommandsSandbox::Output& to) {
  std::array<char, 16384> buffer;
  for (;;) {
    auto count = co_await output.read_some(buffer, Deadline::never());
    if (!count || *count == 0) break;
    to.log({buffer.data(), *count});
  }
}

// The sandbox's tar, to its end.
Task<Result<void>> receive_tar(Stream& tar, const CommandsSandbox::Output& to, Deadline deadline) {
  std::vector<char> buffer(64 << 10);
  for (;;) {
    CO_TRY(const std::size_t count, co_await tar.read_some(buffer, deadline));
    if (count == 0) co_return Result<void>{};
    CO_TRY_DO(to.tar({buffer.data(), count}));
  }
}

Task<Result<std::string>> receive_outcome(Stream& outcome, Deadline deadline) {
  std::string text;
  std::array<char, 4096> buffer;
  while (text.size() <= kMaxOutcome) {
    CO_TRY(const std::size_t count, co_await outcome.read_some(buffer, deadline));
    if (count == 0) break;
    text.append(buffer.data(), count);
  }
  co_return text;
}

struct Started {
  Child child;
  Descriptor input;
  Descriptor output;
  Descriptor tar;
  Descriptor outcome;
};

struct Running {
  Running(Loop& loop, Started it)
      : input(loop, std::move(it.input)),
        output(loop, std::move(it.output)),
        outcome(loop, std::move(it.outcome)),
        child(std::move(it.child)) {
    tar.emplace(loop, std::move(it.tar));
  }
  Stream input;
  Stream output;
  std::optional<Stream> tar;
  Stream outcome;
  Child child;
};

Result<Started> start(Loop& loop, const std::string& program, LocalSandbox::Kind kind) {
  TRY(auto input, socket_pair());
  TRY(Pipe output, make_pipe());
  TRY(Pipe tar, make_pipe());
  TRY(Pipe outcome, make_pipe());
  const bool namespaces = kind == LocalSandbox::Kind::user_namespace;
  ChildOptions options;
  options.argv = {program, namespaces ? "sandbox" : "proot"};
  options.descriptors = {{input.second.get(), 0},
                         {output.write.get(), 1},
                         {output.write.get(), 2},
                         {tar.write.get(), kSandboxTar},
                         {outcome.write.get(), kSandboxOutcome}};
  // newuidmap has its set-user-id bit, and so have su and sudo within.
  options.no_new_privileges = !namespaces;
  TRY(Child child, Child::spawn(loop, options));
  return Started{std::move(child), std::move(input.first), std::move(output.read), std::move(tar.read),
                 std::move(outcome.read)};
}

Task<Result<SandboxOutcome>> follow(Running& sandbox, const CommandsSandbox::Output& output, Group& logging,
                                    Deadline deadline) {
  CO_TRY_DO(co_await receive_tar(*sandbox.tar, output, deadline));
  CO_TRY(const std::string text, co_await receive_outcome(sandbox.outcome, deadline));
  const auto status = co_await sandbox.child.exited(deadline);
  if (!status || !co_await logging.empty(deadline)) co_return fail(Why::timeout, "the commands took too long");
  if (text.empty()) co_return fail(Why::internal, "the sandbox of the commands " + status->text());
  CO_TRY(SandboxOutcome outcome, parse_sandbox_outcome(text));
  if (!outcome.error && !outcome.failed && !status->ok())
    co_return fail(Why::internal, "the sandbox of the commands " + status->text());
  co_return outcome;
}

}  // namespace

std::string_view LocalSandbox::kind() const { return kind_ == Kind::proot ? kProot : "user namespace"; }

Task<Result<SandboxOutcome>> LocalSandbox::run(const SandboxJob& job, const Output& output, Deadline deadline) {
  auto started = start(loop_, program_, kind_);
  if (!started) co_return fail(std::move(started).error().in("running spec.build.commands"));
  Running sandbox{loop_, std::move(*started)};
  Group logging{loop_};
  logging.spawn(read_log(sandbox.output, output));

  // When it cannot be written the sandbox is gone, and its outcome says why.
  const std::string text = sandbox_job_text(job);
  (void)co_await sandbox.input.write_all(text, deadline);
  sandbox.input.shut_down_writing();
  auto done = co_await follow(sandbox, output, logging, deadline);
  if (done) co_return done;
  sandbox.tar.reset();
  sandbox.child.signal_group(SIGTERM);
  (void)co_await sandbox.child.exited(Deadline::in(kTidyingUp));
  co_return done;
}

}  // namespace nuclio::builder
