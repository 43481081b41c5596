// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <memory>

namespace nuclio::http {

// Where the request bodies of HTTP/1 that are longer than 16 KiB and whose length is announced are received, when
// whoever handles them wants them in memory of its own. A chunked body's size is known too late, and one of HTTP/2
// comes in frames. Lives on its loop's thread and outlives the server that uses it.
class BodyPool {
 public:
  virtual ~BodyPool() = default;
  // `size` bytes, held from the request's head until its handler's task is done or destroyed, or the body did not come;
  // a slow client may take long for that. nullptr when there is no room: the connection then uses its own memory.
  virtual char* allocate(std::size_t size) = 0;
  // Gives back what allocate() gave, once, from any address inside it.
  virtual void release(const char* address) = 0;
};

// What allocate() gave. Gives itself back.
struct ReleaseToPool {
  BodyPool* pool;
  void operator()(const char* memory) const { pool->release(memory); }
};
using PooledBody = std::unique_ptr<char[], ReleaseToPool>;

}  // namespace nuclio::http
