// SPDX-License-Identifier: Apache-2.0
#include "processor/options.h"

#include <charconv>
#include <vector>

#include "base/names.h"

namespace nuclio::processor {
namespace {

struct Flag {
  std::string_view name;
  std::string Options::* text = nullptr;
  std::optional<int> Options::* descriptor = nullptr;
  bool Options::* present = nullptr;
};

constexpr Flag kFlags[] = {
    {.name = "config", .text = &Options::config},
    {.name = "platform-config", .text = &Options::platform_config},
    {.name = "runtimes", .text = &Options::runtimes},
    {.name = "code", .text = &Options::code},
    {.name = "listen-fd", .descriptor = &Options::listen_socket},
    {.name = "status-fd", .descriptor = &Options::status},
    {.name = "list-runtimes", .present = &Options::list_runtimes},
    {.name = "version", .present = &Options::version},
    {.name = "help", .present = &Options::help},
};

Result<int> parse_descriptor(std::string_view flag, std::string_view text) {
  int number = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0)
    return fail(Why::invalid, "--" + std::string{flag} + " must be the number of an open descriptor, is \"" +
                                  std::string{text} + "\"");
  return number;
}

const Flag* find(std::string_view name) {
  for (const Flag& flag : kFlags)
    if (flag.name == name) return &flag;
  return nullptr;
}

std::string unknown(std::string_view argument, std::string_view name) {
  std::vector<std::string_view> names;
  for (const Flag& flag : kFlags) names.push_back(flag.name);
  return "there is no option \"" + std::string{argument} + "\"" + did_you_mean(name, names) +
         "; processor --help lists them";
}

}  // namespace

Result<Options> parse_options(std::span<const char* const> arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view argument = arguments[i];
    std::string_view name = argument;
    if (!name.starts_with('-')) return fail(Why::invalid, unknown(argument, name));
    name.remove_prefix(name.starts_with("--") ? 2 : 1);
    std::optional<std::string_view> value;
    if (std::size_t equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    const Flag* flag = find(name);
    if (!flag) return fail(Why::invalid, unknown(argument, name));
    if (flag->present) {
      if (value) return fail(Why::invalid, "--" + std::string{name} + " takes no value");
      options.*flag->present = true;
      continue;
    }
    if (!value) {
      if (++i == arguments.size()) return fail(Why::invalid, "--" + std::string{name} + " needs a value");
      value = arguments[i];
    }
    if (flag->text) {
      options.*flag->text = *value;
    } else {
      TRY(options.*flag->descriptor, parse_descriptor(name, *value));
    }
  }
  return options;
}

std::string_view usage() {
  return "processor: serves one function.\n\n"
         "  --config FILE           the function (default /etc/nuclio/config/processor/processor.yaml)\n"
         "  --platform-config FILE  the platform (default /etc/nuclio/config/platform/platform.yaml; may be missing)\n"
         "  --code DIR              the function's code (default: the folder of --config; /opt/nuclio in a container)\n"
         "  --runtimes DIR          the runtimes (default: ../share/nuclio/runtimes beside this program)\n"
         "  --listen-fd N           an inherited listening socket for the http trigger\n"
         "  --status-fd N           where to write {\"state\":\"ready\"|\"failed\"|\"draining\", ...}, a line each\n"
         "  --list-runtimes         print the runtimes and leave\n"
         "  --version               print the version and leave\n";
}

}  // namespace nuclio::processor
