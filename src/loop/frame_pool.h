// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstddef>
#include <new>
#include <utility>

namespace nuclio::detail {

// Where the frames of Tasks come from. A request begins and ends a handful of them, always of the same sizes, so each
// thread keeps what was freed for the next of that size: a few instructions where malloc and free take dozens.
// Sanitizers see every frame come and go: there nothing is kept.
class FramePool {
 public:
  static void* allocate(std::size_t size) {
    std::size_t index = index_of(size);
    if (index >= kClasses) return ::operator new(size);
    Free*& first = kept_.first[index];
    if (!first) return ::operator new((index + 1) * kStep);
    Free* frame = first;
    first = frame->next;
    kept_.bytes -= (index + 1) * kStep;
    return frame;
  }

  static void free(void* frame, std::size_t size) {
    std::size_t index = index_of(size);
    if (index >= kClasses || kept_.bytes >= kMost) return ::operator delete(frame);
    kept_.first[index] = new (frame) Free{kept_.first[index]};
    kept_.bytes += (index + 1) * kStep;
  }

  // Of this thread.
  static std::size_t kept_bytes() { return kept_.bytes; }
  // Gives back what this thread keeps. A loop does so at its end, since then the thread begins no tasks any more.
  static void release() {
    for (Free*& first : kept_.first) {
      while (first) ::operator delete(std::exchange(first, first->next));
    }
    kept_.bytes = 0;
  }

 private:
  static constexpr std::size_t kStep = 64;
  static constexpr std::size_t kClasses = 32;  // frames of up to 2 KiB; larger ones are rare
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) || \
    __has_feature(thread_sanitizer)
  static constexpr std::size_t kMost = 0;
#else
  static constexpr std::size_t kMost = 256 << 10;  // a thread; enough for some hundred requests at once
#endif

  struct Free {
    Free* next;
  };
  struct Kept {
    std::array<Free*, kClasses> first;
    std::size_t bytes;
  };
  static std::size_t index_of(std::size_t size) { return (size - 1) / kStep; }

  // Constant initialization and no destructor: reached without a guard.
  static constinit inline thread_local Kept kept_{};
};

}  // namespace nuclio::detail
