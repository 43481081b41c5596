// SPDX-License-Identifier: Apache-2.0
#include "builder/code_archive.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "builder/copy.h"

namespace nuclio::builder {
namespace {

namespace fs = std::filesystem;

struct Beginning {
  std::size_t at;
  std::string_view bytes;
};
constexpr Beginning kBeginnings[] = {
    {0, {"PK\x03\x04", 4}},       {0, {"PK\x05\x06", 4}},        // zip, an empty one
    {0, {"\x1f\x8b", 2}},         {0, {"BZh", 3}},               // gzip, bzip2
    {0, {"\xfd\x37zXZ\x00", 6}},  {0, {"\x28\xb5\x2f\xfd", 4}},  // xz, zstd
    {0, {"\x04\x22\x4d\x18", 4}}, {257, {"ustar", 5}},           // lz4, tar
};

Result<fs::path> only_folder(const fs::path& root) {
  std::error_code error;
  fs::directory_iterator entry(root, error);
  if (error || entry == fs::directory_iterator{} || !entry->is_directory(error) || entry->is_symlink(error))
    return fail(Why::invalid, "it must hold one folder, as GitHub packs a repository");
  fs::path found = entry->path();
  if (entry.increment(error) != fs::directory_iterator{})
    return fail(Why::invalid, "it must hold one folder, as GitHub packs a repository, and holds more");
  return found;
}

Result<void> make_safe(const fs::path& root) {
  std::error_code error;
  fs::recursive_directory_iterator entry(root, error);
  for (fs::recursive_directory_iterator end; !error && entry != end; entry.increment(error)) {
    if (entry->is_symlink(error)) {
      TRY_DO(link_within(root.string(), entry->path().string()));
    } else if (entry->is_regular_file(error)) {
      fs::permissions(entry->path(), fs::perms::owner_read | fs::perms::owner_write, fs::perm_options::add, error);
    }
  }
  if (error) return fail(Why::invalid, "reading " + root.string() + ": " + error.message());
  return {};
}

}  // namespace

bool is_archive(const std::string& file) {
  std::string begin(262, '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return std::ranges::any_of(kBeginnings, [&](const Beginning& each) {
    return std::string_view(begin).substr(each.at).starts_with(each.bytes);
  });
}

Task<Result<void>> unpack_code(Loop& loop, std::string archive, std::string to, oci::UnpackLimits limits) {
  CO_TRY(oci::Unpacker unpacker, oci::Unpacker::into(to, {.limits = limits}));
  co_return co_await unpacker.archive(loop, std::move(archive));
}

Result<std::string> code_folder(const std::string& root, InOnlyFolder only, const std::string& work_dir) {
  std::error_code error;
  const fs::path top = fs::canonical(root, error);
  if (error) return fail(errno_error("reading " + root, error.value()));
  fs::path base = top;
  if (only == InOnlyFolder::yes) {
    TRY(base, only_folder(top));
  }
  const fs::path folder = fs::canonical(base / work_dir, error);
  const bool within = std::mismatch(top.begin(), top.end(), folder.begin(), folder.end()).first == top.end();
  if (error || !within || !fs::is_directory(folder, error))
    return fail(Why::invalid,
                "there is no folder \"" + work_dir + "\" in it, which spec.build.codeEntryAttributes.workDir names");
  TRY_DO(make_safe(folder));
  return folder.string();
}

}  // namespace nuclio::builder
