// SPDX-License-Identifier: Apache-2.0
#include <sys/utsname.h>

#include "base/version.h"
#include "nuctl/commands.h"
#include "nuctl/session.h"

namespace nuclio::nuctl {
namespace {

class ShowVersion final : public Command {
 public:
  void declare(Flags&) override {}
  Task<Result<int>> run(Session& session) override {
    utsname system{};
    uname(&system);
    session.print("Client version:\nLabel: " + std::string(kVersion) + ", Git commit: " + std::string(kCommit) +
                  ", OS: linux, Arch: " + system.machine + "\n");
    co_return 0;
  }
};

constexpr const char* kBash = R"(# nuctl completion for bash: source <(nuctl completion bash)
_nuctl() {
  local IFS=$'\n'
  COMPREPLY=($(nuctl __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _nuctl nuctl
)";

constexpr const char* kZsh = R"(#compdef nuctl
# nuctl completion for zsh: source <(nuctl completion zsh)
_nuctl() {
  local -a found
  found=("${(@f)$(nuctl __complete "${(@)words[2,$CURRENT]}" 2>/dev/null)}")
  compadd -- $found
}
compdef _nuctl nuctl
)";

class Completion final : public Command {
 public:
  void declare(Flags& flags) override { flags.optional_argument("shell", shell_, "bash or zsh"); }
  Task<Result<int>> run(Session& session) override {
    if (shell_ == "bash") {
      session.print(kBash);
    } else if (shell_ == "zsh") {
      session.print(kZsh);
    } else {
      co_return fail(Why::invalid, "the shell must be bash or zsh, is \"" + shell_ + "\"");
    }
    co_return 0;
  }

 private:
  std::string shell_ = "bash";
};

}  // namespace

std::unique_ptr<Command> make_version() { return std::make_unique<ShowVersion>(); }
std::unique_ptr<Command> make_completion() { return std::make_unique<Completion>(); }

}  // namespace nuclio::nuctl
