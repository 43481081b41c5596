// SPDX-License-Identifier: Apache-2.0
// Whose files and processes those of a sandbox are for the rest of the machine.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nuclio::builder {

// Ids of the machine, one after the other, that nobody else has.
struct IdRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  friend bool operator==(const IdRange&, const IdRange&) = default;
};
inline constexpr std::uint32_t kSandboxIds = 65536;

// The first range that /etc/subuid (or subgid) gives to a user, by name or number, when it is large enough.
std::optional<IdRange> range_of(std::string_view subids, std::string_view user, std::uint32_t uid);
// A range that root may take: its own in /etc/subuid, or one behind all that are given to others, as far as
// /proc/self/uid_map (`ours`) has them; in a container that has few ids of its own, those without 0. Never 0: to the
// kernel, files beneath /proc/sys among them, an unprivileged root that is 0 outside would still be root.
std::optional<IdRange> range_for_root(std::string_view subids, std::string_view ours);

// Who the users of a sandbox are outside. `ranges`: root within is the first of the range, as root gives it. Others are
// root within themselves: with `own_and_ranges` users from 1 on are those of the range, for which newuidmap and
// newgidmap are needed, and with `single` there are none.
struct IdMaps {
  enum class Kind { ranges, own_and_ranges, single } kind = Kind::single;
  IdRange users;
  IdRange groups;
  // A name for the kind of file owners that come of it: what was made with other maps is of no use.
  std::string text() const;
};

// Which maps this process can give to a child. Why::forbidden when it is root and has no range.
Result<IdMaps> find_id_maps();
// Gives them to a child that is in a user namespace of its own.
Result<void> write_id_maps(pid_t child, const IdMaps& maps);

}  // namespace nuclio::builder
