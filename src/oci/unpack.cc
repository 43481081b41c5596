// SPDX-License-Identifier: Apache-2.0
#include "oci/unpack.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "oci/archive_reader.h"

namespace nuclio::oci {
namespace {

using Kind = ArchiveEntry::Kind;

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";
constexpr std::size_t kEntriesBetweenYields = 50;

timespec time_of(const ArchiveEntry& entry) {
  return {.tv_sec = entry.modified.time_since_epoch().count(), .tv_nsec = 0};
}

std::string joined(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

}  // namespace

Result<Unpacker> Unpacker::into(const std::string& root, UnpackOptions options) {
  TRY(Beneath beneath, Beneath::open(root));
  return Unpacker{std::move(beneath), options};
}

Task<Result<void>> Unpacker::layer(Loop& loop, std::string file) {
  CO_TRY(ArchiveReader reader, ArchiveReader::open(file));
  co_return co_await all(loop, std::move(file), std::move(reader), Whiteouts::meant);
}

Task<Result<void>> Unpacker::layer(Loop& loop, const Descriptor& file, std::string name) {
  CO_TRY(ArchiveReader reader, ArchiveReader::open(file.get(), name));
  co_return co_await all(loop, std::move(name), std::move(reader), Whiteouts::meant);
}

Task<Result<void>> Unpacker::archive(Loop& loop, std::string file) {
  CO_TRY(ArchiveReader reader, ArchiveReader::open_common(file));
  co_return co_await all(loop, std::move(file), std::move(reader), Whiteouts::ignored);
}

Task<Result<void>> Unpacker::all(Loop& loop, std::string file, ArchiveReader reader, Whiteouts whiteouts) {
  written_.clear();
  layer_total_ = 0;
  for (;;) {
    CO_TRY(const auto next, reader.next());
    if (!next) co_return Result<void>{};
    if (++entries_ > options_.limits.entries)
      co_return fail(Why::too_large, file + ": there must be at most " + std::to_string(options_.limits.entries) +
                                         " files and folders, and there are more");
    auto done = co_await entry(loop, reader, *next, whiteouts);
    if (!done) co_return fail(std::move(done).error().in(file));
    if (entries_ % kEntriesBetweenYields == 0) co_await loop.yield();
  }
}

Task<Result<void>> Unpacker::entry(Loop& loop, ArchiveReader& reader, const ArchiveEntry& entry, Whiteouts whiteouts) {
  CO_TRY(const std::string name, entry_name(entry.name, options_.limits.depth));
  if (name.empty()) co_return Result<void>{};  // the root, which is its owner's
  if (whiteouts == Whiteouts::meant) {
    CO_TRY(const bool was_whiteout, whiteout(name));
    if (was_whiteout) co_return Result<void>{};
  }
  if (entry.kind == Kind::other && options_.special_files == SpecialFiles::left_out) co_return Result<void>{};
  if (entry.kind == Kind::other)
    co_return fail(Why::invalid, "\"" + name + "\" is a device, a socket or a pipe, which has no place here");
  CO_TRY(const Place place, root_.make(name));
  struct stat status{};
  const bool there = ::fstatat(place.folder.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  const bool stays = there && S_ISDIR(status.st_mode) && entry.kind == Kind::folder;
  if (there && !stays) CO_TRY_DO(remove_tree(place.folder.get(), place.name));
  for (std::size_t end = name.size(); end != std::string::npos && end > 0; end = name.rfind('/', end - 1))
    if (!written_.insert(name.substr(0, end)).second) break;  // those above are there as well
  switch (entry.kind) {
    case Kind::folder: co_return folder(entry, place);
    case Kind::symbolic_link: co_return symbolic_link(entry, place);
    case Kind::hard_link: co_return hard_link(entry, place);
    case Kind::file: co_return co_await this->file(loop, reader, entry, place);
    case Kind::other: break;
  }
  co_return Result<void>{};
}

// ".wh.x" removes x, and ".wh..wh..opq" all of its folder, as far as lower layers brought it.
Result<bool> Unpacker::whiteout(const std::string& name) {
  const std::size_t slash = name.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : name.substr(0, slash);
  const std::string last = name.substr(slash + 1);
  if (!last.starts_with(kWhiteout)) return false;
  if (last == kOpaque) {
    TRY_DO(clear_folder(folder));
    return true;
  }
  const std::string removed = last.substr(kWhiteout.size());
  if (removed.starts_with(kWhiteout)) return true;  // what aufs kept there for itself
  if (removed.empty() || removed == "." || removed == "..")
    return fail(Why::invalid, "\"" + name + "\" must name what it removes");
  if (written_.contains(joined(folder, removed))) return true;
  const auto place = root_.find(joined(folder, removed));
  if (!place && place.error().why == Why::not_found) return true;
  if (!place) return fail(place.error());
  TRY_DO(remove_tree(place->folder.get(), place->name));
  return true;
}

Result<void> Unpacker::clear_folder(const std::string& name) {
  const auto place = root_.find(joined(name, "x"));
  if (!place && place.error().why == Why::not_found) return {};
  if (!place) return fail(place.error());
  Descriptor folder{::openat(place->folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  const std::unique_ptr<DIR, int (*)(DIR*)> list{folder ? ::fdopendir(folder.get()) : nullptr, ::closedir};
  if (!list) return fail_errno("reading " + root_.root() + "/" + name);
  (void)folder.release();  // the list closes it
  std::vector<std::string> old;
  while (const dirent* entry = ::readdir(list.get())) {
    const std::string found = entry->d_name;
    if (found != "." && found != ".." && !written_.contains(joined(name, found))) old.push_back(found);
  }
  for (const std::string& found : old) TRY_DO(remove_tree(place->folder.get(), found));
  return {};
}

Result<void> Unpacker::folder(const ArchiveEntry& entry, const Place& place) const {
  const int at = place.folder.get();
  const char* name = place.name.c_str();
  const bool theirs = options_.owners == Owners::theirs;
  if (::mkdirat(at, name, 0700) != 0 && errno != EEXIST) return fail_errno("making the folder " + entry.name);
  Descriptor made{::openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!made) return fail_errno("making the folder " + entry.name);
  if (theirs && ::fchown(made.get(), static_cast<uid_t>(entry.owner), static_cast<gid_t>(entry.group)) != 0)
    return fail_errno("giving " + entry.name + " its owner");
  // Whoever is not root must be able to put files into it.
  const int mode = theirs ? entry.mode & 07777 : (entry.mode & 01777) | 0700;
  if (::fchmod(made.get(), static_cast<mode_t>(mode)) != 0) return fail_errno("making the folder " + entry.name);
  return {};
}

Result<void> Unpacker::symbolic_link(const ArchiveEntry& entry, const Place& place) const {
  const int at = place.folder.get();
  const char* name = place.name.c_str();
  if (::symlinkat(entry.target.c_str(), at, name) != 0) return fail_errno("making the link " + entry.name);
  if (options_.owners == Owners::theirs &&
      ::fchownat(at, name, static_cast<uid_t>(entry.owner), static_cast<gid_t>(entry.group), AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno("giving " + entry.name + " its owner");
  return {};
}

Result<void> Unpacker::hard_link(const ArchiveEntry& entry, const Place& place) const {
  const auto wrong = [&](const std::string& says) {
    return fail(Why::invalid,
                "\"" + entry.name + "\" is a link to \"" + entry.target.substr(0, 300) + "\", which " + says);
  };
  const auto target_name = entry_name(entry.target, options_.limits.depth);
  if (!target_name || target_name->empty()) return wrong("must be a relative name without \"..\"");
  const auto target = root_.find(*target_name);
  if (!target) return wrong("is not there");
  struct stat status{};
  if (::fstatat(target->folder.get(), target->name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    return wrong("is not there");
  if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) return wrong("must be a file");
  // Without AT_SYMLINK_FOLLOW it is the link itself that gets another name.
  if (::linkat(target->folder.get(), target->name.c_str(), place.folder.get(), place.name.c_str(), 0) != 0)
    return fail_errno("linking " + entry.name);
  return {};
}

Result<void> Unpacker::grow(std::uint64_t bytes, const ArchiveReader& reader) {
  const UnpackLimits& limits = options_.limits;
  total_ += bytes;
  layer_total_ += bytes;
  if (total_ > limits.total.count)
    return fail(Why::too_large,
                "the files must have at most " + std::to_string(limits.total.count) + " bytes together, and have more");
  if (layer_total_ > limits.ratio_from.count && layer_total_ / limits.ratio > reader.consumed())
    return fail(Why::too_large,
                "it unpacks to more than " + std::to_string(limits.ratio) + " times its size, as only an attack does");
  return {};
}

Task<Result<void>> Unpacker::file(Loop& loop, ArchiveReader& reader, const ArchiveEntry& entry, const Place& place) {
  const bool theirs = options_.owners == Owners::theirs;
  Descriptor made{
      ::openat(place.folder.get(), place.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!made) co_return fail(errno_error("making " + entry.name, errno));
  std::uint64_t written = 0;
  for (;;) {
    CO_TRY(std::string_view piece, reader.read());
    if (piece.empty()) break;
    written += piece.size();
    CO_TRY_DO(grow(piece.size(), reader));
    while (!piece.empty()) {
      const ssize_t put = ::write(made.get(), piece.data(), piece.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) co_return fail(errno_error("writing " + root_.root() + "/" + entry.name, errno));
      piece.remove_prefix(static_cast<std::size_t>(put));
    }
    co_await loop.yield();
  }
  // Of a sparse file the hole at its end is not read.
  if (written < entry.size.count) {
    CO_TRY_DO(grow(entry.size.count - written, reader));
    if (::ftruncate(made.get(), static_cast<off_t>(entry.size.count)) != 0)
      co_return fail(errno_error("writing " + root_.root() + "/" + entry.name, errno));
  }
  if (theirs && ::fchown(made.get(), static_cast<uid_t>(entry.owner), static_cast<gid_t>(entry.group)) != 0)
    co_return fail(errno_error("giving " + entry.name + " its owner", errno));
  // After the owner: a change of it takes the set-user-id bit away.
  const int mode = entry.mode & (theirs ? 07777 : 0777);
  const timespec times[2] = {time_of(entry), time_of(entry)};
  if (::fchmod(made.get(), static_cast<mode_t>(mode)) != 0 || ::futimens(made.get(), times) != 0)
    co_return fail(errno_error("making " + entry.name, errno));
  co_return Result<void>{};
}

}  // namespace nuclio::oci
