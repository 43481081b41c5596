// SPDX-License-Identifier: Apache-2.0
#include "builder/identity.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace nuclio::builder {
namespace {

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  // The largest one means "none" to the kernel.
  if (error != std::errc{} || end != text.data() + text.size() || number == UINT32_MAX) return {};
  return number;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

Result<Identity> find_identity(std::string_view user, std::string_view passwd, std::string_view group) {
  const std::size_t colon = user.find(':');
  std::string_view name = user.substr(0, colon);
  const std::string_view group_name = colon == std::string_view::npos ? "" : user.substr(colon + 1);
  if (name.empty()) name = "0";

  Identity found;
  const auto number = number_of(name);
  bool listed = false;
  std::string_view login = name;
  for (const std::string_view line : split(passwd, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 6) continue;
    const auto uid = number_of(fields[2]);
    const auto gid = number_of(fields[3]);
    if (!uid || !gid || (number ? *uid != *number : fields[0] != name)) continue;
    found = {.user = *uid, .group = *gid, .groups = {}, .home = std::string(fields[5])};
    login = fields[0];
    listed = true;
    break;
  }
  if (!listed && !number)
    return fail(Why::invalid, "the image is run by the user \"" + std::string(name.substr(0, 100)) +
                                  "\", whom its /etc/passwd does not have");
  if (!listed) found.user = *number;
  if (found.home.empty()) found.home = "/";

  if (!group_name.empty()) {
    std::optional<std::uint32_t> wanted = number_of(group_name);
    for (const std::string_view line : split(group, '\n')) {
      const auto fields = split(line, ':');
      if (fields.size() >= 3 && !wanted && fields[0] == group_name) wanted = number_of(fields[2]);
    }
    if (!wanted)
      return fail(Why::invalid, "the image is run by the group \"" + std::string(group_name.substr(0, 100)) +
                                    "\", which its /etc/group does not have");
    found.group = *wanted;
    return found;
  }
  // As login(1) does; a group that is named takes the place of all.
  if (!listed) return found;
  found.groups.push_back(found.group);
  for (const std::string_view line : split(group, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 4) continue;
    const auto members = split(fields[3], ',');
    const auto gid = number_of(fields[2]);
    if (gid && *gid != found.group && std::ranges::find(members, login) != members.end()) found.groups.push_back(*gid);
  }
  return found;
}

}  // namespace nuclio::builder
