// SPDX-License-Identifier: Apache-2.0
#include "dashboard/settings.h"

#include <array>
#include <charconv>
#include <filesystem>
#include <optional>

#include "base/environment.h"
#include "base/names.h"
#include "dashboard/guard.h"

namespace nuclio::dashboard {
namespace {

struct Flag {
  std::string_view name;
  std::string_view variable;  // of the environment; "" for none
  std::string_view doc;
  Result<void> (*set)(Settings&, const std::string& value);
};

Result<void> set_listen(Settings& settings, const std::string& value) {
  TRY(Address address, parse_address(value));
  // Nuclio's default names no host; what it would mean, all addresses, is what must not be.
  if (address.unix_path.empty() && address.host.empty()) address.host = "127.0.0.1";
  if (!address.unix_path.empty() || !is_loopback(address.host))
    return fail(Why::forbidden, "must be an address of this machine alone, such as 127.0.0.1:8070, is \"" + value +
                                    "\": whoever reaches the dashboard can run programs as its user");
  settings.listen = std::move(address);
  return {};
}

Result<void> set_platform_config(Settings& settings, const std::string& value) {
  settings.platform_config = value;
  return {};
}

Result<void> set_namespace(Settings& settings, const std::string& value) {
  TRY_DO(parse_namespace(value));
  settings.namespace_name = value;
  return {};
}

Result<void> set_ready(Settings& settings, const std::string& value) {
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), settings.ready_descriptor);
  if (error != std::errc{} || end != value.data() + value.size() || settings.ready_descriptor < 3)
    return fail(Why::invalid, "must be the number of an open descriptor from 3 on, is \"" + value + "\"");
  return {};
}

constexpr std::array kFlags{
    Flag{"listen-addr", "NUCLIO_DASHBOARD_LISTEN_ADDR", "Address to listen on, of this machine alone (127.0.0.1:8070)",
         set_listen},
    Flag{"platform-config", "", "File with the platform's settings, a platform.yaml", set_platform_config},
    Flag{"namespace", "NUCLIO_DASHBOARD_NAMESPACE", "Namespace of the functions (nuclio)", set_namespace},
    Flag{"ready-fd", "", "Descriptor to which \"ready ADDRESS\" is written, or why it cannot start", set_ready},
};

constexpr std::array<std::string_view, 6> kNames{"listen-addr", "platform-config", "namespace", "ready-fd",
                                                 "help",        "version"};

}  // namespace

Result<Settings> read_settings(std::span<const std::string> arguments, const std::vector<std::string>& environment,
                               std::string programs) {
  Settings settings;
  settings.programs = std::move(programs);
  settings.home = variable(environment, "NUCLIO_HOME");
  std::string user_home = variable(environment, "HOME");
  if (settings.home.empty() && user_home.empty())
    return fail(Why::invalid, "set NUCLIO_HOME to the folder for the functions' data: HOME is not set either");
  if (settings.home.empty()) settings.home = user_home + "/.nuclio";
  std::error_code error;
  settings.home = std::filesystem::absolute(settings.home, error).lexically_normal().string();
  if (error) return fail(Why::invalid, "NUCLIO_HOME: " + error.message());

  for (const Flag& flag : kFlags) {
    if (flag.variable.empty()) continue;
    std::string value = variable(environment, flag.variable);
    if (value.empty()) continue;
    auto set = flag.set(settings, value);
    if (!set) return std::unexpected(std::move(set).error().in(flag.variable));
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view text = arguments[i];
    std::size_t dashes = text.starts_with("--") ? 2 : text.starts_with("-") ? 1 : 0;
    std::size_t sign = text.find('=');
    std::string_view name = text.substr(dashes, sign == std::string_view::npos ? sign : sign - dashes);
    if (name == "help" || name == "h") {
      settings.asked = Settings::Asked::help;
      return settings;
    }
    if (name == "version") {
      settings.asked = Settings::Asked::version;
      return settings;
    }
    const Flag* known = nullptr;
    for (const Flag& flag : kFlags)
      if (dashes > 0 && flag.name == name) known = &flag;
    if (!known)
      return fail(Why::invalid, "unknown argument \"" + arguments[i] + "\"" + did_you_mean(name, kNames) +
                                    "; dashboard --help lists them");
    if (sign == std::string_view::npos && i + 1 == arguments.size())
      return fail(Why::invalid, "--" + std::string(name) + " needs a value");
    std::string value = sign == std::string_view::npos ? arguments[++i] : std::string(text.substr(sign + 1));
    auto set = known->set(settings, value);
    if (!set) return std::unexpected(std::move(set).error().in("--" + std::string(known->name)));
  }
  return settings;
}

std::string help_text() {
  std::string text =
      "dashboard runs functions on this machine and serves the REST API for them.\n\n"
      "  dashboard [flags]\n\n";
  for (const Flag& flag : kFlags) {
    text += "  --" + std::string(flag.name) + " VALUE\n        " + std::string(flag.doc);
    if (!flag.variable.empty()) text += " [$" + std::string(flag.variable) + "]";
    text += '\n';
  }
  return text +
         "  --version\n        Print the version\n\n"
         "NUCLIO_HOME names the folder for everything that it keeps (~/.nuclio).\n";
}

}  // namespace nuclio::dashboard
