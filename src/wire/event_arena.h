// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "http/body_pool.h"
#include "loop/descriptor.h"
#include "loop/loop.h"

namespace nuclio::wire {

// Memory that the processor writes and the workers of a loop read: frames of events, and request bodies that were
// received straight into it. Blocks come in size classes from 1 KiB to 4 MiB and 64 KiB and are counted references; all
// bookkeeping is private to the processor. The memory is sparse: pages exist once they were written, and those of large
// blocks that nobody used for about a second are given back. One a loop; lives on its loop's thread and outlives the
// ports and connections that use it.
class EventArena final : public http::BodyPool {
 public:
  // Why::unavailable when the system has no memory for it. `size` is of address space, rounded up to whole regions;
  // each worker maps as much.
  static Result<std::unique_ptr<EventArena>> create(Loop& loop, Bytes size);
  ~EventArena() override;

  static constexpr std::size_t kSmallest = 1 << 10;
  static constexpr std::size_t kLargest = (4 << 20) + (64 << 10);

  // A block with one reference, aligned to 1 KiB; nullptr when nothing is left or `size` is above kLargest.
  char* allocate(std::size_t size) override;
  // Both take any address inside the block. The last release frees it.
  void retain(const char* address);
  void release(const char* address) override;

  bool contains(const void* address) const;
  // From the arena's start; of an address that it contains.
  std::uint64_t offset(const void* address) const;
  Bytes size() const { return {size_}; }
  // Blocks that are not free.
  std::size_t in_use() const { return in_use_; }

  // Read-only, for a worker.
  Result<Descriptor> reader() const;

 private:
  // Gives pages back when nobody has used them for a while; armed only while there may be some.
  class Tick;

  // The arena is cut into regions of the largest block's size; each is blocks of one class, or free.
  static constexpr std::size_t kRegion = kLargest;
  static constexpr std::size_t kClasses = 14;
  static constexpr std::uint8_t kNoClass = kClasses;
  struct Region;

  EventArena(Loop& loop, Descriptor memory, Descriptor reader, char* begin, std::size_t regions);
  static std::size_t class_of(std::size_t size);
  static std::size_t block_size(std::size_t size_class);
  Region* make_region(std::size_t size_class);
  Region& region_of(const char* address);
  char* region_begin(const Region& region) const;
  void freed(Region& region, std::uint32_t block);
  void tick();
  void give_back(char* begin, std::size_t size);

  Descriptor memory_;
  Descriptor reader_;
  char* begin_;
  std::size_t size_;
  std::size_t in_use_ = 0;
  std::vector<Region> regions_;
  // Regions of each class that have a free block, as indexes; the last is used first. The same for free regions.
  std::array<std::vector<std::uint32_t>, kClasses + 1> with_room_;
  std::uint32_t now_ = 0;  // counts ticks
  std::unique_ptr<Tick> tick_;
};

}  // namespace nuclio::wire
