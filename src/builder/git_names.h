// SPDX-License-Identifier: Apache-2.0
// What names a repository and what is in it, and cannot be taken for an option or a command.
#pragma once
#include <string>
#include <string_view>

namespace nuclio::builder {

// As git check-ref-format(1) has it, and neither an option nor a refspec.
bool is_git_reference(std::string_view name);

// The full digits of a commit.
bool is_git_commit(std::string_view text);

// "git@host:path" is "ssh://git@host/path"; a folder of this machine is a file: URL. Others are as they were.
std::string full_git_url(const std::string& path);

// Whether a URL that begins with ssh:// has a host and a path that ssh takes for nothing else.
bool is_ssh_url(std::string_view url);

}  // namespace nuclio::builder
