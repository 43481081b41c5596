// SPDX-License-Identifier: Apache-2.0
#include "wire/event_arena.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <functional>

#include "base/check.h"

namespace nuclio::wire {
namespace {

using namespace std::chrono_literals;

constexpr auto kTick = 500ms;
// Pages that were not used for this many ticks are given back: between one second and one and a half.
constexpr std::uint32_t kTicks = 2;
// Below this size blocks share pages, and go back only together with their region, when none of it is in use and it has
// grown beyond kKept. Few small events at a time, which is the usual case, never leave these bytes.
constexpr std::size_t kSmallBlock = 32 << 10;
constexpr std::size_t kKept = 128 << 10;

}  // namespace

struct EventArena::Region {
  std::uint8_t size_class = kNoClass;
  bool listed = false;              // in with_room_
  std::uint32_t used = 0;           // blocks that are not free
  std::uint32_t fresh = 0;          // blocks from here on were never used
  std::uint32_t freed_at = 0;       // small blocks: when the last one became free
  std::size_t touched = 0;          // small blocks: bytes that may have pages
  std::vector<std::uint32_t> free;  // blocks, the last is used first: its pages are warm
  std::vector<std::uint32_t> references;
  std::vector<std::uint32_t> block_freed_at;  // large blocks: when; 0 has no pages
};

class EventArena::Tick final : public Timer {
 public:
  Tick(Loop& loop, EventArena& arena) : Timer(loop), arena_(arena) {}

 private:
  void fire() override { arena_.tick(); }
  EventArena& arena_;
};

Result<std::unique_ptr<EventArena>> EventArena::create(Loop& loop, Bytes size) {
  std::size_t regions = std::max<std::size_t>(1, (size.count + kRegion - 1) / kRegion);
  Descriptor memory{memfd_create("nuclio-events", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (!memory) return fail_errno("making memory for events");
  if (ftruncate(memory.get(), static_cast<off_t>(regions * kRegion)) != 0)
    return fail_errno("sizing memory for events");
  // Its size is for ever, so nobody's look at it can fail.
  if (fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return fail_errno("sealing memory for events");
  // A seal against writing would be one against giving pages back as well. So workers get a descriptor that cannot
  // write, of a file that nobody may open. That keeps mistakes out. A worker of the same user that means harm can
  // change the mode again and then spoil its own function's events, but nothing that the processor believes.
  std::string path = fmt::format("/proc/self/fd/{}", memory.get());
  Descriptor reader{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!reader) return fail_errno("opening memory for events to read");
  if (fchmod(memory.get(), 0) != 0) return fail_errno("closing memory for events to others");
  void* begin = mmap(nullptr, regions * kRegion, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
  if (begin == MAP_FAILED) return fail_errno("mapping memory for events");
  return std::unique_ptr<EventArena>{
      new EventArena{loop, std::move(memory), std::move(reader), static_cast<char*>(begin), regions}};
}

EventArena::EventArena(Loop& loop, Descriptor memory, Descriptor reader, char* begin, std::size_t regions)
    : memory_(std::move(memory)),
      reader_(std::move(reader)),
      begin_(begin),
      size_(regions * kRegion),
      regions_(regions),
      tick_(std::make_unique<Tick>(loop, *this)) {
  for (std::size_t i = regions; i-- > 0;) with_room_[kNoClass].push_back(static_cast<std::uint32_t>(i));
}

EventArena::~EventArena() { munmap(begin_, size_); }

std::size_t EventArena::class_of(std::size_t size) {
  if (size > kLargest / 2) return size > (4u << 20) ? kClasses - 1 : kClasses - 2;
  return size <= kSmallest ? 0 : static_cast<std::size_t>(std::bit_width(size - 1)) - 10;
}

std::size_t EventArena::block_size(std::size_t size_class) {
  return size_class == kClasses - 1 ? kLargest : kSmallest << size_class;
}

char* EventArena::region_begin(const Region& region) const {
  return begin_ + static_cast<std::size_t>(&region - regions_.data()) * kRegion;
}

EventArena::Region& EventArena::region_of(const char* address) {
  CHECK(contains(address));
  return regions_[static_cast<std::size_t>(address - begin_) / kRegion];
}

// A region for blocks of this class, of those that nobody uses; null when there is none.
EventArena::Region* EventArena::make_region(std::size_t size_class) {
  auto& free = with_room_[kNoClass];
  Region* region = nullptr;
  if (!free.empty()) {
    region = &regions_[free.back()];
    free.pop_back();
  } else {
    auto idle = std::ranges::find_if(regions_, [](const Region& each) { return each.used == 0; });
    if (idle == regions_.end()) return nullptr;
    region = &*idle;
    std::erase(with_room_[region->size_class], static_cast<std::uint32_t>(region - regions_.data()));
    give_back(region_begin(*region), kRegion);
  }
  *region = Region{.size_class = static_cast<std::uint8_t>(size_class), .listed = true};
  std::size_t blocks = kRegion / block_size(size_class);
  region->references.resize(blocks);
  if (block_size(size_class) >= kSmallBlock) region->block_freed_at.resize(blocks);
  with_room_[size_class].push_back(static_cast<std::uint32_t>(region - regions_.data()));
  return region;
}

char* EventArena::allocate(std::size_t size) {
  if (size > kLargest) return nullptr;
  std::size_t size_class = class_of(size);
  auto& with_room = with_room_[size_class];
  Region* region = with_room.empty() ? make_region(size_class) : &regions_[with_room.back()];
  if (!region) return nullptr;
  std::uint32_t block;
  if (region->free.empty()) {
    block = region->fresh++;
    region->touched = std::max(region->touched, region->fresh * block_size(size_class));
  } else {
    block = region->free.back();
    region->free.pop_back();
  }
  if (region->free.empty() && region->fresh == region->references.size()) {
    with_room.pop_back();
    region->listed = false;
  }
  region->references[block] = 1;
  ++region->used;
  ++in_use_;
  return region_begin(*region) + block * block_size(size_class);
}

void EventArena::retain(const char* address) {
  Region& region = region_of(address);
  auto within = static_cast<std::size_t>(address - region_begin(region));
  std::uint32_t& references = region.references[within / block_size(region.size_class)];
  CHECK(references > 0);
  ++references;
}

void EventArena::release(const char* address) {
  Region& region = region_of(address);
  auto within = static_cast<std::size_t>(address - region_begin(region));
  auto block = static_cast<std::uint32_t>(within / block_size(region.size_class));
  CHECK(region.references[block] > 0);
  if (--region.references[block] == 0) freed(region, block);
}

void EventArena::freed(Region& region, std::uint32_t block) {
  region.free.push_back(block);
  --region.used;
  --in_use_;
  if (!std::exchange(region.listed, true))
    with_room_[region.size_class].push_back(static_cast<std::uint32_t>(&region - regions_.data()));
  if (!region.block_freed_at.empty()) {
    region.block_freed_at[block] = now_ + 1;
  } else if (region.used == 0 && region.touched > kKept) {
    region.freed_at = now_ + 1;
  } else {
    return;
  }
  if (!tick_->armed()) tick_->arm(Deadline::in(kTick));
}

// Gives back what was free for kTicks, and goes on as long as there is something that was not free for so long.
void EventArena::tick() {
  ++now_;
  bool more = false;
  for (Region& region : regions_) {
    if (region.size_class == kNoClass) continue;
    if (region.block_freed_at.empty()) {
      if (region.used > 0 || region.touched <= kKept) continue;
      if (now_ - region.freed_at < kTicks) {
        more = true;
        continue;
      }
      give_back(region_begin(region) + kKept, region.touched - kKept);
      region.touched = kKept;
      // The free list has the front last, which is where the pages are.
      std::ranges::sort(region.free, std::greater<>{});
      continue;
    }
    std::size_t size = block_size(region.size_class);
    for (std::uint32_t block : region.free) {
      std::uint32_t& freed_at = region.block_freed_at[block];
      if (freed_at == 0) continue;
      if (now_ - freed_at < kTicks) {
        more = true;
        continue;
      }
      give_back(region_begin(region) + block * size, size);
      freed_at = 0;
    }
  }
  if (more) tick_->arm(Deadline::in(kTick));
}

void EventArena::give_back(char* begin, std::size_t size) {
  fallocate(memory_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, begin - begin_, static_cast<off_t>(size));
}

bool EventArena::contains(const void* address) const {
  std::less<const void*> before;
  return !before(address, begin_) && before(address, begin_ + size_);
}

std::uint64_t EventArena::offset(const void* address) const {
  return static_cast<std::uint64_t>(static_cast<const char*>(address) - begin_);
}

Result<Descriptor> EventArena::reader() const {
  Descriptor copy{fcntl(reader_.get(), F_DUPFD_CLOEXEC, 0)};
  if (!copy) return fail_errno("sharing memory for events");
  return copy;
}

}  // namespace nuclio::wire
