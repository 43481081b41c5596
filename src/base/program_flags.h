// SPDX-License-Identifier: Apache-2.0
// The command line of a program that serves: flags with values, each of which may come from the environment instead.
#pragma once
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

// The values of a flag that takes several, commas between them; empty ones are left out.
std::vector<std::string> split_list(std::string_view text);

// A line or two for each flag, and for --version.
std::string help_of(std::span<const ProgramFlag> flags);

}  // namespace nuclio
