// SPDX-License-Identifier: Apache-2.0
// What a function is called with.
#pragma once
#include <nuclio/abi.h>
#include <time.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nuclio {

namespace detail {

inline std::string_view view(nuclio_text text) { return {text.data, text.size}; }

inline nuclio_text text(std::string_view view) { return {view.data(), view.size()}; }

inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline bool same_but_for_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

}  // namespace detail

struct Pair {
  std::string_view name;
  std::string_view value;
};

// The headers of an event, or the fields of its query, in the order in which they came. Walk them, or ask by name.
class Pairs {
 public:
  class Iterator {
   public:
    explicit Iterator(const nuclio_pair* at) : at_(at) {}
    Pair operator*() const { return {detail::view(at_->name), detail::view(at_->value)}; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    const nuclio_pair* at_;
  };

  enum class Case { matters, ignored };

  Pairs(nuclio_pairs pairs, Case names) : pairs_(pairs), names_(names) {}

  // The first with this name; headers are found whatever their case.
  std::optional<std::string_view> find(std::string_view name) const {
    for (Pair pair : *this)
      if (names_ == Case::ignored ? detail::same_but_for_case(pair.name, name) : pair.name == name) return pair.value;
    return std::nullopt;
  }
  std::string_view get(std::string_view name, std::string_view otherwise = "") const {
    return find(name).value_or(otherwise);
  }

  Iterator begin() const { return Iterator(pairs_.data); }
  Iterator end() const { return Iterator(pairs_.data + pairs_.size); }
  std::size_t size() const { return pairs_.size; }

 private:
  nuclio_pairs pairs_;
  Case names_;
};

// All text is a view into memory of the host: valid until the handler has returned and, when it answers with a stream,
// until that has ended. Copy what is to live longer. An Event itself is such a view and cheap to copy.
class Event final {
 public:
  explicit Event(const nuclio_event& event) : event_(&event) {}

  std::string_view id() const { return detail::view(event_->id); }
  std::string_view method() const { return detail::view(event_->method); }
  std::string_view path() const { return event_->path.size == 0 ? "/" : detail::view(event_->path); }
  std::string_view url() const { return detail::view(event_->url); }
  std::string_view content_type() const { return detail::view(event_->content_type); }
  std::string_view body() const { return detail::view(event_->body); }

  Pairs headers() const { return {event_->headers, Pairs::Case::ignored}; }
  Pairs fields() const { return {event_->fields, Pairs::Case::matters}; }

  std::chrono::system_clock::time_point timestamp() const {
    return std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(
        std::chrono::nanoseconds(event_->timestamp_ns)));
  }

  // Until the caller is told that it took too long; negative when it was, nothing when there is no limit.
  std::optional<std::chrono::nanoseconds> time_left() const {
    if (event_->deadline_ns == 0) return std::nullopt;
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::chrono::nanoseconds(event_->deadline_ns) - std::chrono::seconds(now.tv_sec) -
           std::chrono::nanoseconds(now.tv_nsec);
  }

  // Where it came from: "http", "cron", ...; and the trigger's name in the function's configuration.
  std::string_view trigger_kind() const { return detail::view(event_->trigger_kind); }
  std::string_view trigger_name() const { return detail::view(event_->trigger_name); }

  // What a producer says of it (CloudEvents).
  std::string_view type() const { return detail::view(event_->type); }
  std::string_view type_version() const { return detail::view(event_->type_version); }
  std::string_view version() const { return detail::view(event_->version); }

  // A record's place in a stream. shard_id() is -1 for an event that has none.
  std::string_view topic() const { return detail::view(event_->topic); }
  std::int64_t shard_id() const { return event_->shard_id; }
  std::int64_t num_shards() const { return event_->num_shards; }
  std::int64_t offset() const { return event_->offset; }

 private:
  const nuclio_event* event_;
};

}  // namespace nuclio
