// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/log.h"
#include "loop/loop.h"
#include "loop/run.h"
#include "loop/signals.h"
#include "nuctl/commands.h"
#include "nuctl/session.h"

namespace nuclio::nuctl {
namespace {

Settings read_environment() {
  Settings settings;
  const char* home = std::getenv("NUCLIO_HOME");
  const char* user_home = std::getenv("HOME");
  settings.home = home && *home ? home : std::string(user_home ? user_home : "") + "/.nuclio";
  settings.home = std::filesystem::absolute(settings.home).lexically_normal().string();
  settings.programs = std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
  settings.working_directory = std::filesystem::current_path().string();
  for (char** variable = environ; *variable; ++variable) settings.environment.emplace_back(*variable);
  settings.terminal = isatty(STDOUT_FILENO) == 1;
  settings.colour = settings.terminal && !std::getenv("NO_COLOR");
  return settings;
}

int report(const Error& error) {
  std::fprintf(stderr, "nuctl: %s\n", error.what.c_str());
  return 1;
}

Task<Result<int>> run(Command& command, Session& session) {
  auto code = co_await command.run(session);
  co_await session.close();
  co_return code;
}

int run(int count, char** words) {
  ignore_broken_pipes();
  std::vector<std::string> arguments(words + 1, words + count);
  Settings settings = read_environment();
  auto globals = [&](Flags& flags) { settings.declare(flags); };

  if (!arguments.empty() && arguments.front() == kCompleteWord) return print_completions(arguments, globals);
  auto parsed =
      parse_command_line(arguments, command_table(), globals, [](const char* name) { return std::getenv(name); });
  if (!parsed) return report(parsed.error());
  if (!parsed->command) {
    std::fputs(parsed->help.c_str(), stdout);
    return 0;
  }
  log::configure({.level = settings.verbose ? log::Level::debug : log::Level::info,
                  .colour = settings.colour ? log::Colour::yes : log::Colour::no,
                  .logger = "nuctl"});
  Loop loop;
  Session session{loop, std::move(settings)};
  auto code = run_until_done(loop, run(*parsed->command, session));
  return code ? *code : report(code.error());
}

}  // namespace
}  // namespace nuclio::nuctl

int main(int count, char** words) { return nuclio::nuctl::run(count, words); }
