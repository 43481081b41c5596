// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>

#include "base/bytes.h"
#include "base/result.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/beneath.h"

namespace nuclio::oci {

struct ArchiveEntry;
class ArchiveReader;

// Of all layers together.
struct UnpackLimits {
  std::size_t entries = 500'000;
  std::size_t depth = 128;  // folders within each other
  Bytes total{16ull << 30};
  // What comes out of an archive may be so many times what went in, once it is more than `ratio_from`. gzip reaches
  // 1000 with zeros; images are about 3.
  std::uint64_t ratio = 200;
  Bytes ratio_from{64u << 20};
};

// Whose files they become. `theirs` needs root, and keeps set-user-id bits: such a root belongs into a folder that only
// its owner can enter.
enum class Owners { ours, theirs };

// Devices, sockets and pipes. Images that debootstrap made have some in /dev, where a container's own hide them; in
// other archives they have no business. They are never made.
enum class SpecialFiles { refused, left_out };

struct UnpackOptions {
  UnpackLimits limits = {};
  Owners owners = Owners::ours;
  SpecialFiles special_files = SpecialFiles::refused;
};

// Makes a root file system of an image's layers, one after the other, beneath a folder. Nothing outside of it is read
// or written, whatever the layers say: links may point anywhere, since they mean places within the root, and are never
// followed out of it. So must whoever reads the result do: see Beneath.
// What is refused (Why::invalid): absolute names and "..", hard links to what is not within, devices, sockets and
// pipes unless they are left out, and what is no tar. Why::too_large: the limits. The folder is then to be thrown away.
// Extended attributes and the times of folders are not kept.
class Unpacker {
 public:
  // The folder exists. Its owner keeps others from changing it meanwhile.
  static Result<Unpacker> into(const std::string& root, UnpackOptions options = {});

  // A tar, plain or compressed with gzip or zstd. Whiteouts remove what layers before this one brought. The loop goes
  // on meanwhile.
  Task<Result<void>> layer(Loop& loop, std::string file);
  // The same of a file that is open, for whom its name is out of reach; `name` is for messages. Borrowed until the task
  // is done.
  Task<Result<void>> layer(Loop& loop, const Descriptor& file, std::string name);
  // An archive that is no layer, of one of the common formats: it has no whiteouts.
  Task<Result<void>> archive(Loop& loop, std::string file);
  Bytes total() const { return Bytes{total_}; }

 private:
  enum class Whiteouts { meant, ignored };

  Unpacker(Beneath root, UnpackOptions options) : root_(std::move(root)), options_(options) {}
  Task<Result<void>> all(Loop& loop, std::string file, ArchiveReader reader, Whiteouts whiteouts);
  Task<Result<void>> entry(Loop& loop, ArchiveReader& reader, const ArchiveEntry& entry, Whiteouts whiteouts);
  Task<Result<void>> file(Loop& loop, ArchiveReader& reader, const ArchiveEntry& entry, const Place& place);
  Result<bool> whiteout(const std::string& name);
  Result<void> clear_folder(const std::string& name);
  Result<void> folder(const ArchiveEntry& entry, const Place& place) const;
  Result<void> symbolic_link(const ArchiveEntry& entry, const Place& place) const;
  Result<void> hard_link(const ArchiveEntry& entry, const Place& place) const;
  Result<void> grow(std::uint64_t bytes, const ArchiveReader& reader);

  Beneath root_;
  UnpackOptions options_;
  std::size_t entries_ = 0;
  std::uint64_t total_ = 0;
  std::uint64_t layer_total_ = 0;
  // Of the current layer, with the folders above: whiteouts leave these alone.
  std::unordered_set<std::string> written_;
};

}  // namespace nuclio::oci
