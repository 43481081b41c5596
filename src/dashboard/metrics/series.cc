// SPDX-License-Identifier: Apache-2.0
#include "dashboard/metrics/series.h"

#include <algorithm>
#include <optional>

namespace nuclio::dashboard {
namespace {

// What a record says, beside the steps since the one before it in its piece (since the piece's beginning, the first).
enum : std::uint8_t { kState = 1, kCounts = 2, kKnown = 4, kMemory = 8 };

constexpr std::uint64_t kMemoryParts = 64;  // one of them is worth no record

void put(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) out.push_back(static_cast<char>(number | 0x80));
  out.push_back(static_cast<char>(number));
}

std::optional<std::uint64_t> get(std::string_view& text) {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 64 && !text.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(text.front());
    text.remove_prefix(1);
    number |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return number;
  }
  return std::nullopt;
}

bool has_counts(const Point& point) {
  return point.succeeded + point.failed + point.waits + point.wait_microseconds > 0 ||
         std::ranges::any_of(point.handling, [](std::uint64_t count) { return count > 0; });
}

void put_counts(std::string& out, const Point& point) {
  std::uint64_t filled = 0;
  for (std::size_t i = 0; i < point.handling.size(); ++i)
    if (point.handling[i] > 0) filled |= std::uint64_t{1} << i;
  for (const std::uint64_t each : {point.succeeded, point.failed, point.waits, point.wait_microseconds, filled})
    put(out, each);
  for (const std::uint64_t count : point.handling)
    if (count > 0) put(out, count);
}

bool get_all(std::string_view& text, std::initializer_list<std::uint64_t*> numbers) {
  for (std::uint64_t* number : numbers) {
    auto got = get(text);
    if (!got) return false;
    *number = *got;
  }
  return true;
}

bool get_counts(std::string_view& text, Point& point) {
  std::uint64_t filled = 0;
  if (!get_all(text, {&point.succeeded, &point.failed, &point.waits, &point.wait_microseconds, &filled})) return false;
  for (std::size_t i = 0; i < point.handling.size(); ++i)
    if (((filled >> i) & 1) != 0 && !get_all(text, {&point.handling[i]})) return false;
  return true;
}

// The next record of a piece: how many steps later, and what it says; `state` becomes what it is from there on.
struct Record {
  Step after = 0;
  Point point;
};
template <class State>
std::optional<Record> next_record(std::string_view& text, State& state) {
  auto gap = get(text);
  auto what = get(text);
  if (!gap || !what) return std::nullopt;
  if ((*what & kState) != 0) {
    state.known = (*what & kKnown) != 0;
    if (!get_all(text, {&state.in_flight, &state.workers, &state.replicas})) return std::nullopt;
  }
  if ((*what & kMemory) != 0 && !get_all(text, {&state.memory_kibibytes})) return std::nullopt;
  Record record{.after = static_cast<Step>(*gap)};
  record.point.known = state.known;
  record.point.in_flight = state.in_flight;
  record.point.workers = state.workers;
  record.point.replicas = state.replicas;
  record.point.memory_bytes = state.memory_kibibytes << 10;
  if ((*what & kCounts) != 0 && !get_counts(text, record.point)) return std::nullopt;
  return record;
}

}  // namespace

Point Series::quiet(const State& state) {
  Point point;
  point.known = state.known;
  point.in_flight = state.in_flight;
  point.workers = state.workers;
  point.replicas = state.replicas;
  point.memory_bytes = state.memory_kibibytes << 10;
  return point;
}

Series::State Series::state_after(const Point& point) const {
  const std::uint64_t was = state_.memory_kibibytes;
  const std::uint64_t is = point.memory_bytes >> 10;
  const bool same = std::max(was, is) - std::min(was, is) <= was / kMemoryParts;
  return {point.known, point.in_flight, point.workers, point.replicas, same ? was : is};
}

Point Series::latest() const { return quiet(state_); }

void Series::append(Step step, const Point& point) {
  if (step <= last_ || step < 0) return;
  if (first_ == kNone) first_ = step;
  if (last_ != kNone && step > last_ + 1 && state_.known) record(last_ + 1, Point{});
  if (state_after(point) != state_ || has_counts(point)) record(step, point);
  last_ = step;
  drop_old();
}

void Series::record(Step step, const Point& point) {
  const Step number = step / piece_;
  if (pieces_.empty() || pieces_.back().number != number) {
    if (!pieces_.empty()) pieces_.back().records.shrink_to_fit();
    pieces_.push_back({number, state_, {}});
    recorded_ = number * piece_;
  }
  std::string& out = pieces_.back().records;
  const State state = state_after(point);
  const bool memory = state.memory_kibibytes != state_.memory_kibibytes;
  state_.memory_kibibytes = state.memory_kibibytes;
  const bool changed = state != state_;
  const bool counts = has_counts(point);
  put(out, static_cast<std::uint64_t>(step - recorded_));
  put(out, static_cast<std::uint64_t>((changed ? kState : 0) | (counts ? kCounts : 0) | (point.known ? kKnown : 0) |
                                      (memory ? kMemory : 0)));
  if (changed)
    for (const std::uint64_t each : {point.in_flight, point.workers, point.replicas}) put(out, each);
  if (memory) put(out, state.memory_kibibytes);
  if (counts) put_counts(out, point);
  state_ = state;
  recorded_ = step;
}

void Series::drop_old() {
  const Step oldest = (last_ - steps_ + 1) / piece_;  // piece of which something is still to be kept
  const auto kept = std::ranges::find_if(pieces_, [&](const Piece& each) { return each.number >= oldest; });
  if (kept == pieces_.begin()) return;
  if (kept == pieces_.end()) {
    // All that is left is that nothing has changed since: one that says so is enough.
    pieces_.clear();
    pieces_.push_back({oldest, state_, {}});
    recorded_ = oldest * piece_;
  } else {
    pieces_.erase(pieces_.begin(), kept);
  }
  first_ = std::max(first_, oldest * piece_);
}

void Series::each(Step from, Step to, const std::function<void(Step, const Point&)>& take) const {
  Step at = from;
  const auto fill = [&](Step until, const Point& point) {
    for (; at < std::min(until, to); ++at) take(at, point);
  };
  if (empty()) return fill(to, Point{});
  State state = pieces_.empty() ? state_ : pieces_.front().before;
  fill(first_, Point{});
  for (const Piece& piece : pieces_) {
    std::string_view records = piece.records;
    Step step = piece.number * piece_;
    while (!records.empty() && at < to) {
      const State before = state;
      auto record = next_record(records, state);
      if (!record) break;  // we wrote it
      step += record->after;
      fill(step, quiet(before));
      if (at == step) fill(step + 1, record->point);
    }
  }
  fill(last_ + 1, quiet(state_));
  fill(to, Point{});
}

std::size_t Series::bytes() const {
  std::size_t out = sizeof *this + pieces_.capacity() * sizeof(Piece);
  for (const Piece& piece : pieces_) out += piece.records.capacity();
  return out;
}

void Series::write(std::string& out) const {
  const auto put_state = [&](const State& state) {
    put(out, (state.known ? 1 : 0) | (state.memory_kibibytes > 0 ? 2 : 0));
    for (const std::uint64_t each : {state.in_flight, state.workers, state.replicas}) put(out, each);
    if (state.memory_kibibytes > 0) put(out, state.memory_kibibytes);
  };
  for (const Step each : {first_, last_, recorded_}) put(out, static_cast<std::uint64_t>(each + 1));
  put_state(state_);
  put(out, pieces_.size());
  for (const Piece& piece : pieces_) {
    put(out, static_cast<std::uint64_t>(piece.number));
    put_state(piece.before);
    put(out, piece.records.size());
    out += piece.records;
  }
}

bool Series::read(std::string_view& text) {
  Series made{steps_, piece_};
  const auto get_state = [&](State& state) {
    std::uint64_t what = 0;
    if (!get_all(text, {&what, &state.in_flight, &state.workers, &state.replicas})) return false;
    state.known = (what & 1) != 0;
    return (what & 2) == 0 || get_all(text, {&state.memory_kibibytes});
  };
  std::uint64_t first = 0, last = 0, recorded = 0, pieces = 0;
  if (!get_all(text, {&first, &last, &recorded}) || !get_state(made.state_) || !get_all(text, {&pieces})) return false;
  made.first_ = static_cast<Step>(first) - 1;
  made.last_ = static_cast<Step>(last) - 1;
  made.recorded_ = static_cast<Step>(recorded) - 1;
  for (std::uint64_t i = 0; i < pieces; ++i) {
    std::uint64_t number = 0, size = 0;
    Piece piece{};
    if (!get_all(text, {&number}) || !get_state(piece.before) || !get_all(text, {&size}) || size > text.size())
      return false;
    piece.number = static_cast<Step>(number);
    piece.records = std::string(text.substr(0, size));
    text.remove_prefix(size);
    std::string_view records = piece.records;
    for (State state = piece.before; !records.empty();)
      if (!next_record(records, state)) return false;
    if (!made.pieces_.empty() && made.pieces_.back().number >= piece.number) return false;
    made.pieces_.push_back(std::move(piece));
  }
  *this = std::move(made);
  return true;
}

}  // namespace nuclio::dashboard
