// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "builder/program.h"

namespace nuclio::builder {

// Folders of an overlay, relative to the current one.
struct RootFolders {
  std::vector<std::string> lower;  // only read; of two that have the same file the first one counts
  std::string upper;               // what is changed
  std::string work;                // empty, as the next one
  std::string merged;
};

// The folders as one, at `merged`, as long as this object lives. Only this process and its children see it.
class Overlay {
 public:
  static Result<Overlay> mount(const RootFolders& folders);
  Overlay(Overlay&& other) noexcept : merged_(std::exchange(other.merged_, {})) {}
  Overlay& operator=(Overlay&&) = delete;
  ~Overlay();

 private:
  explicit Overlay(std::string merged) : merged_(std::move(merged)) {}
  std::string merged_;
};

// Makes an overlay of the folders the root of this process, which is the first one of its namespaces (mounts,
// processes, IPC, names), and hides all else of the machine but its /etc/resolv.conf, its /etc/hosts and six devices.
// What cannot be had but can be done without is told to `log`.
Result<void> enter_root(const RootFolders& folders, const LogLine& log);

// Brings up the loopback of a network namespace that has nothing else.
Result<void> bring_up_loopback();

// No further user namespaces, in which a command would have all capabilities again, and at most so many processes.
void limit_namespace(std::size_t processes);

// Takes this process out of reach of the sockets that live in no file system and that others have.
void leave_abstract_sockets();

// What remains of root's capabilities: what package managers need to install files of several owners.
Result<void> drop_capabilities();

}  // namespace nuclio::builder
