// SPDX-License-Identifier: Apache-2.0
#include "builder/commands.h"

#include <boost/json.hpp>
#include <optional>
#include <utility>

#include "builder/commands_sandbox.h"
#include "builder/local_sandbox.h"
#include "builder/log_lines.h"
#include "builder/remembered_layers.h"
#include "builder/sandbox_job.h"
#include "builder/user_namespace.h"

namespace nuclio::builder {
namespace {

namespace json = boost::json;

constexpr std::string_view kVersion = "1";     // of how commands are run: another one remembers nothing of this one
constexpr std::uint64_t kTarOfAnEntry = 4096;  // its headers and padding, with room

json::array list_of(const std::vector<std::string>& texts) {
  json::array list;
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

// Everything that the layer is made of; where there is one user id only, all files become root's. The environment may
// have secrets in it: of them the key gives nothing away.
std::string key_of(const CommandsJob& job, const CommandsSandbox& sandbox, oci::ImageTime modified) {
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
                        modified.time_since_epoch().count(),
                        sandbox.kind()};
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

Error failure(const CommandsJob& job, const SandboxOutcome& outcome, const CommandsLog& log) {
  if (outcome.error) return *outcome.error;
  const std::size_t index = outcome.failed->index;
  const std::string command = index < job.commands.size() ? job.commands[index] : "";
  std::string what = "the command \"" + command + "\" of spec.build.commands " + outcome.failed->status.text();
  if (const std::string last = log.last(); !last.empty()) what += ":\n" + last;
  return {Why::invalid, std::move(what)};
}

Task<Result<oci::Layer>> run_anew(CommandsSandbox& sandbox, const oci::Layout& layout, const CommandsJob& job,
                                  const CommandsOptions& options, Deadline deadline) {
  CO_TRY(oci::LayerWriter layer, oci::LayerWriter::create(layout));
  CommandsLog log{job.commands, options};
  const std::uint64_t most = options.limits.disk.count + options.limits.files * kTarOfAnEntry;
  std::uint64_t total = 0;
  CommandsSandbox::Output output;
  output.log = [&log](std::string_view bytes) { log.add(bytes); };
  output.tar = [&](std::string_view bytes) -> Result<void> {
    total += bytes.size();
    if (total > most) return fail(Why::too_large, "the layer of the commands has more bytes than they may write");
    return layer.write(bytes);
  };
  SandboxJob all;
  all.job = job;
  all.cache = options.cache;
  all.modified = options.modified;
  all.limits = options.limits;
  auto outcome = co_await sandbox.run(all, output, deadline);
  log.end();
  if (!outcome && outcome.error().why == Why::timeout)
    co_return fail(Why::timeout, "the build took longer than spec.build.buildTimeoutSeconds allows");
  if (!outcome) co_return fail(std::move(outcome).error());
  if (outcome->error || outcome->failed) co_return fail(failure(job, *outcome, log));
  co_return layer.finish();
}

}  // namespace

Task<Result<oci::Layer>> run_commands(Loop& loop, const oci::Layout& layout, CommandsJob job, CommandsOptions options,
                                      Deadline deadline) {
  CO_TRY(const RememberedLayers remembered, RememberedLayers::open(options.cache + "/commands"));
  LocalSandbox here{loop, options.program, LocalSandbox::Kind::user_namespace};
  CommandsSandbox& sandbox = options.sandbox ? *options.sandbox : here;
  const std::string key = key_of(job, sandbox, options.modified);
  if (!options.fresh) {
    if (auto layer = co_await remembered.find(loop, key, layout)) {
      for (const std::string& command : job.commands)
        if (options.log) options.log("CACHED " + command);
      co_return std::move(*layer);
    }
  }
  CO_TRY(oci::Layer layer, co_await run_anew(sandbox, layout, job, options, deadline));
  // The layer is there: what it costs is that the commands run again next time.
  if (auto added = remembered.add(key, layer, layout); !added && options.log)
    options.log("the layer of the commands is not remembered: " + added.error().what);
  remembered.forget_old(options.limits.remembered, options.limits.remembered_size);
  co_return std::move(layer);
}

}  // namespace nuclio::builder
