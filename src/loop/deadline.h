// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <chrono>

namespace nuclio {

using SteadyTime = std::chrono::steady_clock::time_point;

// The moment by which a piece of work must be over. It is passed on unchanged from layer to layer: a timeout restarts
// at each layer, a deadline does not.
class Deadline {
 public:
  static constexpr Deadline never() { return Deadline{SteadyTime::max()}; }
  static constexpr Deadline at(SteadyTime when) { return Deadline{when}; }
  static Deadline in(std::chrono::nanoseconds from_now) {
    auto now = std::chrono::steady_clock::now();
    return from_now >= SteadyTime::max() - now ? never() : Deadline{now + from_now};
  }

  constexpr SteadyTime when() const { return when_; }
  constexpr bool is_never() const { return when_ == SteadyTime::max(); }
  bool passed() const { return !is_never() && std::chrono::steady_clock::now() >= when_; }
  // Time left, 0 when passed.
  std::chrono::nanoseconds left() const {
    return std::max(std::chrono::nanoseconds{0}, std::chrono::nanoseconds{when_ - std::chrono::steady_clock::now()});
  }

  friend constexpr auto operator<=>(Deadline, Deadline) = default;

 private:
  constexpr explicit Deadline(SteadyTime when) : when_(when) {}
  SteadyTime when_;
};

inline Deadline earlier(Deadline a, Deadline b) { return std::min(a, b); }

}  // namespace nuclio
