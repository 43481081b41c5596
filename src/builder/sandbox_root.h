// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "base/result.h"
#include "builder/program.h"

namespace nuclio::builder {

// Folders, relative to the current one: the base, which is only read; what is changed; two more that are empty.
struct RootFolders {
  std::string base;
  std::string upper;
  std::string work;
  std::string merged;
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
