// SPDX-License-Identifier: Apache-2.0
// The command line of a program that serves: flags with values, each of which may come from the environment instead.
#pragma once
#include <array>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nuclio {

struct ProgramFlag {
  std::string_view name;      // without dashes
  std::string_view variable;  // of the environment, which the flag wins over; "" for none
  std::string_view doc;
};

enum class Asked { run, help, version };

// Calls `set` with a flag's place in the list and its value: for the variables that are set and not empty, then for the
// arguments (--name VALUE, --name=VALUE; one dash will do), in their order. --help and --version end the reading.
// Errors, those of `set` too, name the flag or the variable.
Result<Asked> read_program_flags(std::span<const ProgramFlag> flags, std::span<const std::string> arguments,
                                 const std::vector<std::string>& environment, std::string_view program,
                                 const std::function<Result<void>(std::size_t, const std::string&)>& set);

// A flag and where its value goes in a program's settings. A program has one table of these.
template <class Settings>
struct SettingFlag {
  ProgramFlag flag;
  Result<void> (*set)(Settings&, const std::string& value);
};

// The setter of a member that takes the value as it is: set_text<&Settings::registry>.
template <auto member, class Settings>
Result<void> set_text(Settings& settings, const std::string& value) {
  settings.*member = value;
  return {};
}

template <class Settings, std::size_t N>
std::array<ProgramFlag, N> flags_of(const std::array<SettingFlag<Settings>, N>& table) {
  std::array<ProgramFlag, N> out;
  for (std::size_t i = 0; i < N; ++i) out[i] = table[i].flag;
  return out;
}

// The same for a table.
template <class Settings, std::size_t N>
Result<Asked> read_program_flags(const std::array<SettingFlag<Settings>, N>& table, Settings& settings,
                                 std::span<const std::string> arguments, const std::vector<std::string>& environment,
                                 std::string_view program) {
  return read_program_flags(
      flags_of(table), arguments, environment, program,
      [&](std::size_t flag, const std::string& value) { return table[flag].set(settings, value); });
}

// The values of a flag that takes several, commas between them; empty ones are left out.
std::vector<std::string> split_list(std::string_view text);

// A line or two for each flag, and for --version.
std::string help_of(std::span<const ProgramFlag> flags);
template <class Settings, std::size_t N>
std::string help_of(const std::array<SettingFlag<Settings>, N>& table) {
  return help_of(std::span<const ProgramFlag>(flags_of(table)));
}

}  // namespace nuclio
