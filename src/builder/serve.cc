// SPDX-License-Identifier: Apache-2.0
#include "builder/serve.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>

#include "base/duration.h"
#include "base/log.h"
#include "base/program_flags.h"
#include "builder/commands_server.h"
#include "builder/local_sandbox.h"
#include "http/server.h"
#include "loop/group.h"
#include "loop/listener.h"
#include "loop/run.h"
#include "loop/signals.h"
#include "loop/wait_list.h"
#include "oci/file.h"

namespace nuclio::builder {
namespace {

using namespace std::chrono_literals;

constexpr auto kToFetch = 15s;  // what there is at the deadline
constexpr auto kDrain = 5s;
constexpr Bytes kMaxToken{4u << 10};
constexpr std::size_t kMaxConnections = 16;
constexpr std::size_t kLeastToken = 16;

struct Settings {
  Address listen{.host = "", .port = 8070, .unix_path = ""};
  std::string token_file;
  std::string folder;
  std::chrono::nanoseconds timeout = 1h;
  std::chrono::nanoseconds idle = 2min;
  Asked asked = Asked::run;
};

using Flag = SettingFlag<Settings>;

template <std::chrono::nanoseconds Settings::* member>
Result<void> set_duration(Settings& settings, const std::string& value) {
  TRY(settings.*member, parse_duration(value));
  if ((settings.*member).count() <= 0) return fail(Why::invalid, "must be more than nothing, is \"" + value + "\"");
  return {};
}

Result<void> set_listen(Settings& settings, const std::string& value) {
  TRY(settings.listen, parse_address(value));
  return {};
}

constexpr std::array kFlags{
    Flag{{"listen-addr", "", "Address to listen on (:8070)"}, set_listen},
    Flag{{"token-file", "", "File with the token that callers must show, of 16 characters or more"},
         set_text<&Settings::token_file>},
    Flag{{"folder", "", "Empty folder to work in"}, set_text<&Settings::folder>},
    Flag{{"timeout", "", "After so long the commands are ended (1h)"}, set_duration<&Settings::timeout>},
    Flag{{"idle-timeout", "", "After so long without a caller it ends (2m)"}, set_duration<&Settings::idle>},
};

Result<Settings> read_settings(std::span<const std::string> arguments) {
  Settings settings;
  TRY(settings.asked, read_program_flags(kFlags, settings, arguments, {}, "builder serve"));
  if (settings.asked != Asked::run) return settings;
  if (settings.token_file.empty()) return fail(Why::invalid, "--token-file is missing");
  if (!settings.folder.starts_with('/'))
    return fail(Why::invalid, "--folder must be an absolute path, is \"" + settings.folder + "\"");
  return settings;
}

Result<std::string> read_token(const std::string& path) {
  TRY(std::string token, oci::read_whole_file(path, kMaxToken));
  while (token.ends_with('\n')) token.pop_back();
  if (token.size() < kLeastToken)
    return fail(Why::invalid, "--token-file: the token in " + path + " must have at least 16 characters");
  return token;
}

struct End {
  std::string why;  // "" while it goes on
  int code = 0;
};

Task<void> wait_for_signal(Signals& signals, End& end, WaitList& changed) {
  const int number = co_await signals.next();
  end = {"signal " + std::to_string(number), 1};
  changed.notify_all();
}

Task<void> wait_until_over(CommandsServer& commands, End& end, WaitList& changed) {
  const bool fetched = co_await commands.over() == CommandsServer::Over::fetched;
  end = {fetched ? "all was fetched" : "nobody came any more", fetched ? 0 : 1};
  changed.notify_all();
}

Task<Result<int>> run(Loop& loop, const Settings& settings, const std::string& program, Signals& signals) {
  CO_TRY(std::string token, read_token(settings.token_file));
  if (::mkdir(settings.folder.c_str(), 0700) != 0 && errno != EEXIST)
    co_return fail(errno_error("making the folder " + settings.folder, errno));
  CO_TRY(Listener listener, Listener::listen(loop, settings.listen));
  const Deadline deadline = Deadline::in(settings.timeout);

  LocalSandbox sandbox{loop, program, LocalSandbox::Kind::proot};
  CommandsServerOptions options;
  options.folder = settings.folder;
  options.token = std::move(token);
  options.idle = std::chrono::duration_cast<std::chrono::milliseconds>(settings.idle);
  options.deadline = deadline;
  CommandsServer commands{loop, sandbox, std::move(options)};
  http::Limits limits;
  limits.body_bytes = kLayerPiece;
  limits.connections = kMaxConnections;
  limits.http2_streams = 0;
  http::Server server{loop, limits, commands};
  log::info("Listening", {{"address", listener.address().text()}, {"pid", ::getpid()}});
  server.serve(std::move(listener));

  End end;
  WaitList changed{loop};
  Group waiting{loop};
  waiting.spawn(wait_for_signal(signals, end, changed));
  waiting.spawn(wait_until_over(commands, end, changed));
  const Deadline last = Deadline::at(deadline.when() + kToFetch);
  while (end.why.empty() && !last.passed()) (void)co_await changed.wait(last);
  if (end.why.empty()) end = {"its time is up", 1};
  log::info("Ending", {{"reason", end.why}});
  (void)co_await server.drain(Deadline::in(kDrain));
  co_return end.code;
}

}  // namespace

int serve(std::span<const std::string> arguments, std::string program) {
  ignore_broken_pipes();
  const auto settings = read_settings(arguments);
  if (!settings) {
    std::fprintf(stderr, "builder: %s\n", settings.error().what.c_str());
    return 1;
  }
  if (settings->asked != Asked::run) {
    std::fputs(
        ("builder serve runs the commands of one build for a dashboard elsewhere.\n\n" + help_of(kFlags)).c_str(),
        stdout);
    return 0;
  }
  log::configure({.level = log::Level::info, .logger = "builder"});
  Loop loop;
  Signals signals{loop, {SIGTERM, SIGINT}};
  auto code = run_until_done(loop, run(loop, *settings, program, signals));
  if (code) return *code;
  std::fprintf(stderr, "builder: %s\n", code.error().what.c_str());
  return 1;
}

}  // namespace nuclio::builder
