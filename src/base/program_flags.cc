// SPDX-License-Identifier: Apache-2.0
#include "base/program_flags.h"

#include <algorithm>

#include "base/environment.h"
#include "base/names.h"

namespace nuclio {

Result<Asked> read_program_flags(std::span<const ProgramFlag> flags, std::span<const std::string> arguments,
                                 const std::vector<std::string>& environment, std::string_view program,
                                 const std::function<Result<void>(std::size_t, const std::string&)>& set) {
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (flags[i].variable.empty()) continue;
    const std::string value = variable(environment, flags[i].variable);
    if (value.empty()) continue;
    auto done = set(i, value);
    if (!done) return std::unexpected(std::move(done).error().in(flags[i].variable));
  }
  std::vector<std::string_view> names{"help", "version"};
  for (const ProgramFlag& flag : flags) names.push_back(flag.name);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view text = arguments[i];
    const std::size_t dashes = text.starts_with("--") ? 2 : text.starts_with("-") ? 1 : 0;
    const std::size_t sign = text.find('=');
    const std::string_view name = text.substr(dashes, sign == std::string_view::npos ? sign : sign - dashes);
    if (name == "help" || name == "h") return Asked::help;
    if (name == "version") return Asked::version;
    std::size_t known = flags.size();
    for (std::size_t k = 0; k < flags.size(); ++k)
      if (dashes > 0 && flags[k].name == name) known = k;
    if (known == flags.size())
      return fail(Why::invalid, "unknown argument \"" + arguments[i] + "\"" + did_you_mean(name, names) + "; " +
                                    std::string(program) + " --help lists them");
    if (sign == std::string_view::npos && i + 1 == arguments.size())
      return fail(Why::invalid, "--" + std::string(name) + " needs a value");
    const std::string value = sign == std::string_view::npos ? arguments[++i] : std::string(text.substr(sign + 1));
    auto done = set(known, value);
    if (!done) return std::unexpected(std::move(done).error().in("--" + std::string(name)));
  }
  return Asked::run;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    if (comma > at) out.emplace_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return out;
}

std::string help_of(std::span<const ProgramFlag> flags) {
  std::string text;
  for (const ProgramFlag& flag : flags) {
    text += "  --" + std::string(flag.name) + " VALUE\n        " + std::string(flag.doc);
    if (!flag.variable.empty()) text += " [$" + std::string(flag.variable) + "]";
    text += '\n';
  }
  return text + "  --version\n        Print the version\n";
}

}  // namespace nuclio
