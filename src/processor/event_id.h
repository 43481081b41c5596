// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace nuclio::processor {

// Makes the ids of events whose source gives none: random UUIDs (version 4). An id is to be unique, not secret, so the
// generator asks the kernel once, for its seed. Lives on its loop's thread.
class EventIds {
 public:
  static constexpr std::size_t kLength = 36;
  using Text = std::array<char, kLength>;

  EventIds();
  Text next();

 private:
  std::uint64_t random();
  std::array<std::uint64_t, 4> state_;
};

inline std::string_view view(const EventIds::Text& text) { return {text.data(), text.size()}; }

}  // namespace nuclio::processor
