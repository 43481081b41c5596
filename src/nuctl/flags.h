// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nuclio::nuctl {

// Where a command says which flags and arguments it takes and where their values go. The targets are borrowed and hold
// the defaults; they are written while the command line is read. Names without dashes; a letter of 0 is none.
// An environment variable, where named, gives the value when the flag is absent.
class Flags {
 public:
  virtual ~Flags() = default;

  struct Name {
    std::string_view name;
    char letter = 0;
    std::string_view environment = {};
  };
  virtual void text(Name name, std::string& target, std::string_view doc) = 0;
  virtual void number(Name name, std::optional<long>& target, std::string_view doc) = 0;
  virtual void yes(Name name, bool& target, std::string_view doc) = 0;
  // May be given several times.
  virtual void list(Name name, std::vector<std::string>& target, std::string_view doc) = 0;
  // A word without dashes, in the order of the calls.
  virtual void argument(std::string_view name, std::string& target, std::string_view doc) = 0;
  virtual void optional_argument(std::string_view name, std::string& target, std::string_view doc) = 0;
  virtual void optional_arguments(std::string_view name, std::vector<std::string>& target, std::string_view doc) = 0;
};

class Command;

// One line of the table in main.cc, or of the table of a command that has commands below it ("get" has "functions").
struct CommandEntry {
  std::string_view name;
  std::vector<std::string_view> aliases;
  std::string_view doc;
  std::unique_ptr<Command> (*make)();  // null for one that only has others below it
  std::vector<CommandEntry> below = {};
};

// What the user asked for: the command with its values set, or a text to print (help) instead.
struct Parsed {
  std::unique_ptr<Command> command;
  std::string help;
};

// Reads the command line: `globals` declares the flags that every command takes. Errors (an unknown flag, a missing
// argument) say which, and how to get help. `environment` looks up a variable; null when it is not set.
Result<Parsed> parse_command_line(const std::vector<std::string>& arguments, const std::vector<CommandEntry>& commands,
                                  const std::function<void(Flags&)>& globals,
                                  const std::function<const char*(const char*)>& environment);

// All words that can follow the words given, for the shell's completion: commands, or flags when `partial` begins with
// a dash.
std::vector<std::string> completions(const std::vector<std::string>& words, std::string_view partial,
                                     const std::vector<CommandEntry>& commands,
                                     const std::function<void(Flags&)>& globals);

}  // namespace nuclio::nuctl
