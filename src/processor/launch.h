// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace nuclio::processor {

// How to start a worker's process.
struct Launch {
  // Where the worker finds its socket, whatever it is started with, and from where on the descriptors of its ring.
  static constexpr int kSocket = 3;
  static constexpr int kRing = 4;
  std::vector<std::string> argv;
  std::vector<std::string> env;  // all of it, "NAME=value"
  std::string directory;
};

// What a worker may have; 0 is no limit of its own. More memory than the limit is an error in the handler, and ends the
// worker if that does not handle it.
struct WorkerLimits {
  std::uint64_t memory_bytes = 0;  // of address space, beside what it shares with the processor
  std::uint64_t descriptors = 0;
};

}  // namespace nuclio::processor
