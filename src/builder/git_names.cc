// SPDX-License-Identifier: Apache-2.0
#include "builder/git_names.h"

#include <algorithm>
#include <cctype>

namespace nuclio::builder {
namespace {

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

}  // namespace

bool is_git_reference(std::string_view name) {
  static constexpr std::string_view kForbidden = " ~^:?*[\\";
  if (name.empty() || name.size() > 1024 || name.starts_with('-') || name.starts_with('/') || name.ends_with('/') ||
      name.ends_with('.') || name.ends_with(".lock"))
    return false;
  if (name.find("..") != std::string_view::npos || name.find("@{") != std::string_view::npos ||
      name.find("//") != std::string_view::npos || name.find("/.") != std::string_view::npos)
    return false;
  return std::ranges::none_of(name, [](char c) { return is_control(c) || kForbidden.find(c) != std::string::npos; });
}

bool is_git_commit(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         std::ranges::all_of(text, [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; });
}

std::string full_git_url(const std::string& path) {
  if (path.find("://") != std::string::npos) return path;
  if (path.starts_with('/')) return "file://" + path;
  const std::size_t colon = path.find(':');
  const std::size_t slash = path.find('/');
  if (colon == std::string::npos || slash < colon || path.substr(colon).starts_with("::")) return path;
  return "ssh://" + path.substr(0, colon) + "/" + path.substr(path[colon + 1] == '/' ? colon + 2 : colon + 1);
}

bool is_ssh_url(std::string_view url) {
  std::string_view rest = url.substr(std::string_view("ssh://").size());
  const std::string_view authority = rest.substr(0, rest.find('/'));
  const std::string_view host = authority.substr(authority.rfind('@') + 1);
  return !host.empty() && !host.starts_with('-') && !authority.starts_with('-') && authority.size() < rest.size() &&
         std::ranges::all_of(
             authority,
             [](unsigned char c) {
               return std::isalnum(c) ||
                      std::string_view("@.-_:[]").find(static_cast<char>(c)) != std::string_view::npos;
             });
}

}  // namespace nuclio::builder
