// SPDX-License-Identifier: Apache-2.0
#include "builder/commands.h"

#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <csignal>
#include <optional>
#include <utility>

#include "builder/log_lines.h"
#include "builder/remembered_layers.h"
#include "builder/sandbox_job.h"
#include "builder/user_namespace.h"
#include "loop/child.h"
#include "loop/group.h"
#include "loop/stream.h"

namespace nuclio::builder {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

constexpr std::string_view kVersion = "1";  // of how commands are run: another one remembers nothing of this one
constexpr auto kTidyingUp = 5s;
constexpr std::size_t kMaxOutcome = 64 << 10;
constexpr std::uint64_t kTarOfAnEntry = 4096;  // its headers and padding, with room

json::array list_of(const std::vector<std::string>& texts) {
  json::array list;
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

// Everything that the layer is made of; where there is one user id only, all files become root's. The environment may
// have secrets in it: of them the key gives nothing away.
std::string key_of(const CommandsJob& job, oci::ImageTime modified) {
  const auto maps = find_id_maps();
  const json::array all{kVersion,
                        job.base,
                        job.over_digests,
                        list_of(job.commands),
                        list_of(job.environment),
                        job.working_directory,
                        job.user,
                        job.network,
                        maps && maps->kind == IdMaps::Kind::single,
                        modified.time_since_epoch().count()};
  return std::string(oci::Digest::of(json::serialize(all)).hex());
}

// What the sandbox prints: each line goes to the log, as long as that is not too much, and those of the current command
// are for its error.
class CommandsLog {
 public:
  CommandsLog(const std::vector<std::string>& commands, const CommandsOptions& options)
      : commands_(commands), log_(options.log), left_(options.limits.log.count) {}
  CommandsLog(const CommandsLog&) = delete;

  void add(std::string_view bytes) { lines_.add(bytes); }
  void end() { lines_.end_line(); }
  std::string last() const { return lines_.last(); }

 private:
  void line(std::string_view line) {
    if (line.size() < left_) {
      left_ -= line.size();
      if (log_) log_(line);
    } else if (left_ > 0) {
      left_ = 0;
      if (log_) log_("the commands print too much; the rest is left out");
    }
    if (next_ < commands_.size() && line == first_line("RUN " + commands_[next_])) {
      ++next_;
      lines_.forget();
    }
  }
  // As LogLines gives it.
  static std::string first_line(std::string text) {
    text.resize(std::min(text.find('\n'), text.size()));
    std::erase(text, '\r');
    text.resize(std::min(text.size(), kMaxLogLine));
    return text;
  }

  const std::vector<std::string>& commands_;
  const LogLine& log_;
  std::uint64_t left_;
  std::size_t next_ = 0;
  const LogLine each_ = [this](std::string_view text) { line(text); };
  LogLines lines_{each_};
};

Task<void> read_log(Stream& output, CommandsLog& log) {
  std::array<char, 16384> buffer;
  for (;;) {
    auto count = co_await output.read_some(buffer, Deadline::never());
    if (!count || *count == 0) break;
    log.add({buffer.data(), *count});
  }
  log.end();
}

// The sandbox's tar, to its end.
Task<Result<void>> receive_tar(Stream& tar, oci::LayerWriter& layer, const CommandsLimits& limits, Deadline deadline) {
  const std::uint64_t most = limits.disk.count + limits.files * kTarOfAnEntry;
  std::vector<char> buffer(64 << 10);
  for (std::uint64_t total = 0;;) {
    CO_TRY(const std::size_t count, co_await tar.read_some(buffer, deadline));
    if (count == 0) co_return Result<void>{};
    total += count;
    if (total > most) co_return fail(Why::too_large, "the layer of the commands has more bytes than they may write");
    CO_TRY_DO(layer.write({buffer.data(), count}));
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

struct Sandbox {
  Sandbox(Loop& loop, Started it)
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

Result<Started> start(Loop& loop, const std::string& program) {
  TRY(auto input, socket_pair());
  TRY(Pipe output, make_pipe());
  TRY(Pipe tar, make_pipe());
  TRY(Pipe outcome, make_pipe());
  ChildOptions options;
  options.argv = {program, "sandbox"};
  options.descriptors = {{input.second.get(), 0},
                         {output.write.get(), 1},
                         {output.write.get(), 2},
                         {tar.write.get(), kSandboxTar},
                         {outcome.write.get(), kSandboxOutcome}};
  // newuidmap has its set-user-id bit, and so have su and sudo within.
  options.no_new_privileges = false;
  TRY(Child child, Child::spawn(loop, options));
  return Started{std::move(child), std::move(input.first), std::move(output.read), std::move(tar.read),
                 std::move(outcome.read)};
}

Error failure(const CommandsJob& job, const SandboxOutcome& outcome, const CommandsLog& log) {
  if (outcome.error) return *outcome.error;
  const std::size_t index = outcome.failed->index;
  const std::string command = index < job.commands.size() ? job.commands[index] : "";
  std::string what = "the command \"" + command + "\" of spec.build.commands " + outcome.failed->status.text();
  if (const std::string last = log.last(); !last.empty()) what += ":\n" + last;
  return {Why::invalid, std::move(what)};
}

Task<Result<oci::Layer>> follow(Sandbox& sandbox, oci::LayerWriter layer, const CommandsJob& job,
                                const CommandsOptions& options, CommandsLog& log, Group& logging, Deadline deadline) {
  CO_TRY_DO(co_await receive_tar(*sandbox.tar, layer, options.limits, deadline));
  CO_TRY(const std::string text, co_await receive_outcome(sandbox.outcome, deadline));
  const auto status = co_await sandbox.child.exited(deadline);
  if (!status || !co_await logging.empty(deadline)) co_return fail(Why::timeout, "the commands took too long");
  if (text.empty()) co_return fail(Why::internal, "the sandbox of the commands " + status->text());
  CO_TRY(const SandboxOutcome outcome, parse_sandbox_outcome(text));
  if (outcome.error || outcome.failed) co_return fail(failure(job, outcome, log));
  if (!status->ok()) co_return fail(Why::internal, "the sandbox of the commands " + status->text());
  co_return layer.finish();
}

Task<Result<oci::Layer>> run_anew(Loop& loop, const oci::Layout& layout, const CommandsJob& job,
                                  const CommandsOptions& options, Deadline deadline) {
  CO_TRY(oci::LayerWriter layer, oci::LayerWriter::create(layout));
  auto started = start(loop, options.program);
  if (!started) co_return fail(std::move(started).error().in("running spec.build.commands"));
  Sandbox sandbox{loop, std::move(*started)};
  CommandsLog log{job.commands, options};
  Group logging{loop};
  logging.spawn(read_log(sandbox.output, log));

  const std::string text =
      sandbox_job_text({.job = job, .cache = options.cache, .modified = options.modified, .limits = options.limits});
  // When it cannot be written the sandbox is gone, and its outcome says why.
  (void)co_await sandbox.input.write_all(text, deadline);
  sandbox.input.shut_down_writing();
  auto done = co_await follow(sandbox, std::move(layer), job, options, log, logging, deadline);
  if (done) co_return done;
  sandbox.tar.reset();
  sandbox.child.signal_group(SIGTERM);
  (void)co_await sandbox.child.exited(Deadline::in(kTidyingUp));
  if (done.error().why == Why::timeout)
    co_return fail(Why::timeout, "the build took longer than spec.build.buildTimeoutSeconds allows");
  co_return done;
}

}  // namespace

Task<Result<oci::Layer>> run_commands(Loop& loop, const oci::Layout& layout, CommandsJob job, CommandsOptions options,
                                      Deadline deadline) {
  CO_TRY(const RememberedLayers remembered, RememberedLayers::open(options.cache + "/commands"));
  const std::string key = key_of(job, options.modified);
  if (!options.fresh) {
    if (auto layer = co_await remembered.find(loop, key, layout)) {
      for (const std::string& command : job.commands)
        if (options.log) options.log("CACHED " + command);
      co_return std::move(*layer);
    }
  }
  CO_TRY(oci::Layer layer, co_await run_anew(loop, layout, job, options, deadline));
  // The layer is there: what it costs is that the commands run again next time.
  if (auto added = remembered.add(key, layer, layout); !added && options.log)
    options.log("the layer of the commands is not remembered: " + added.error().what);
  remembered.forget_old(options.limits.remembered, options.limits.remembered_size);
  co_return std::move(layer);
}

}  // namespace nuclio::builder
