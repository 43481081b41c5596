// SPDX-License-Identifier: Apache-2.0
#include "builder/inline_folder.h"

#include <fstream>
#include <sstream>

#include "builder/copy.h"

namespace nuclio::builder {
namespace {

namespace fs = std::filesystem;

// Up to `most` bytes.
std::optional<std::string> text_of(const fs::path& path, std::size_t most) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error || size > most) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || text.view().size() > most) return std::nullopt;
  return std::move(text).str();
}

}  // namespace

std::optional<std::map<std::string, std::string>> inline_folder(const fs::path& folder) {
  std::map<std::string, std::string> files;
  std::size_t left = kMaxInlineFolder.count;
  std::size_t entries = 0;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (const fs::recursive_directory_iterator end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (is_left_out(name)) {
      entry.disable_recursion_pending();
      continue;
    }
    const fs::file_status status = entry->symlink_status(error);
    if (error || name.starts_with('.') || ++entries > 2 * kMaxInlineFiles) return std::nullopt;
    if (fs::is_directory(status)) continue;
    constexpr auto kProgram = fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec;
    const bool is_program = (status.permissions() & kProgram) != fs::perms::none;
    if (!fs::is_regular_file(status) || is_program || files.size() == kMaxInlineFiles) return std::nullopt;
    auto text = text_of(entry->path(), left);
    if (!text) return std::nullopt;
    left -= text->size();
    files.emplace(entry->path().lexically_relative(folder).string(), std::move(*text));
  }
  if (error) return std::nullopt;
  return files;
}

}  // namespace nuclio::builder
