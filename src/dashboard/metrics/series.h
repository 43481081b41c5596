// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "dashboard/metrics/point.h"

namespace nuclio::dashboard {

// Numbers a point of time: so many lengths of a step since 1970.
using Step = std::int64_t;

// The points of one function at equal steps, over a bounded time, in few bytes: a step at which nothing happened costs
// none, and one at which something did some twenty. Memory changes a little all the time, of which it takes note when
// that has become more than a sixty-fourth.
class Series {
 public:
  // Keeps the last `steps`, dropped in pieces of `piece`.
  Series(Step steps, Step piece) : steps_(steps), piece_(piece) {}

  // Behind all that is there: one that is not is left out. Steps in between, of which nobody has said anything, are
  // unknown.
  void append(Step step, const Point& point);
  // Each step of [from, to), also those that are unknown.
  void each(Step from, Step to, const std::function<void(Step, const Point&)>& take) const;
  bool empty() const { return last_ == kNone; }
  Step last() const { return last_; }
  Point latest() const;

  std::size_t bytes() const;
  // All of it as text, for a file, and back. False when the text is none of ours; nothing has changed then.
  void write(std::string& out) const;
  bool read(std::string_view& text);

 private:
  static constexpr Step kNone = -1;
  // What stays as it is until another is said.
  struct State {
    bool known = false;
    std::uint64_t in_flight = 0;
    std::uint64_t workers = 0;
    std::uint64_t replicas = 0;
    std::uint64_t memory_kibibytes = 0;
    friend bool operator==(const State&, const State&) = default;
  };
  State state_after(const Point& point) const;
  static Point quiet(const State& state);
  struct Piece {
    Step number;          // of which piece: its first step divided by their length
    State before;         // until its first record
    std::string records;  // those steps at which something happened
  };
  void record(Step step, const Point& point);
  void drop_old();

  Step steps_, piece_;
  std::vector<Piece> pieces_;  // by number; only those with records
  Step first_ = kNone;         // before it nothing is known
  Step last_ = kNone;
  Step recorded_ = kNone;  // the last with a record
  State state_;            // at the last step
};

}  // namespace nuclio::dashboard
