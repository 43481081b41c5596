// SPDX-License-Identifier: Apache-2.0
// What sandboxes keep on disk: unpacked bases, and folders that are worked in. The store is the current folder of the
// process, since the folders above it are out of reach of the user that a sandbox's root is.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "builder/commands.h"
#include "loop/descriptor.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/unpack.h"

namespace nuclio::builder {

// A base's root file system, which is read and never changed. It stays as long as this object lives.
struct KeptRoot {
  std::string folder;
  Descriptor lock;
};

// A folder to work in, removed with everything in it in the end; one whose process was killed is removed by the next
// that comes.
class WorkFolder {
 public:
  static Result<WorkFolder> create();
  WorkFolder(WorkFolder&& other) noexcept;
  WorkFolder& operator=(WorkFolder&&) = delete;
  ~WorkFolder();
  std::string at(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  WorkFolder(std::string path, Descriptor lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  Descriptor lock_;
};

struct OpenLayer {
  std::string name;  // for messages
  Descriptor file;
};

// Makes what the store needs, and removes what others left. Once, at the beginning.
Result<void> open_store();

// The root of the base, unpacked now or before. Of several processes that want the same, one unpacks it and the others
// wait. It has the folders and files that mounts of a sandbox go on. `layers` are borrowed.
Task<Result<KeptRoot>> keep_root(Loop& loop, const std::string& base, const std::vector<OpenLayer>& layers,
                                 oci::Owners owners, const LogLine& log);

// Unpacks layers into a root that may have something already, and adds what mounts of a sandbox go on. `layers` are
// borrowed. Returns how many bytes they were.
Task<Result<Bytes>> unpack_into(Loop& loop, const std::string& root, const std::vector<OpenLayer>& layers,
                                oci::Owners owners);

// Removes the roots that were used least recently until there are few enough; those in use stay.
void remove_old_roots(std::size_t most, Bytes most_bytes);

struct Usage {
  Bytes bytes;
  std::size_t entries = 0;
  bool too_deep = false;  // what is deeper was not counted
};
// What is in a folder, which others may be changing.
Usage usage_of(const std::string& folder);

// Removes a folder however deep it is. An error leaves the rest of it.
Result<void> remove_folder(const std::string& path);

}  // namespace nuclio::builder
