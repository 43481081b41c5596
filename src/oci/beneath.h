// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string>

#include "base/result.h"
#include "loop/descriptor.h"

namespace nuclio::oci {

// Where a name leads: the folder that it is in, and its last part.
struct Place {
  Descriptor folder;
  std::string name;
};

// A folder seen as the root of a file system: every name is looked up beneath it, and symbolic links on the way are
// followed as a program would that has it for its root, so that neither ".." nor an absolute link leads out. The kernel
// sees to that (openat2(2), RESOLVE_IN_ROOT), whoever changes the folder meanwhile.
class Beneath {
 public:
  static Result<Beneath> open(const std::string& root);

  // The place of a relative name without empty parts, "." and "..": Why::invalid for others. Missing folders on the way
  // are made, 0755. Why::not_found with find() when one is missing, Why::invalid when something on the way is no
  // folder.
  Result<Place> make(const std::string& name) const;
  Result<Place> find(const std::string& name) const;
  const std::string& root() const { return path_; }

 private:
  Beneath(std::string path, Descriptor root) : path_(std::move(path)), root_(std::move(root)) {}
  Result<Descriptor> folder(const std::string& name) const;

  std::string path_;
  Descriptor root_;
};

// The name of an entry as Beneath takes it: without "./" and "/" at its ends; "" for the root itself. Why::invalid for
// an absolute one, one with "..", and one with more than `depth` parts.
Result<std::string> entry_name(const std::string& name, std::size_t depth);

// Removes what has the name in the folder, and everything in it; nothing happens when there is nothing. Links are
// removed and not followed.
Result<void> remove_tree(int folder, const std::string& name);

}  // namespace nuclio::oci
