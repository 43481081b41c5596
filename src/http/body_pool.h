// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

namespace nuclio::http {

// Where long request bodies are received, when whoever handles them wants them in memory of its own. Lives on its
// loop's thread and outlives the connections that use it.
class BodyPool {
 public:
  virtual ~BodyPool() = default;
  // nullptr when there is none: the connection then uses its own memory.
  virtual char* allocate(std::size_t size) = 0;
  // Gives back what allocate() gave, from any address inside it.
  virtual void release(const char* address) = 0;
};

}  // namespace nuclio::http
