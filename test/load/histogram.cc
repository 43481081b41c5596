// SPDX-License-Identifier: Apache-2.0
#include "load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace nuclio::load {
namespace {

// The first 128 buckets are 1 ns wide; then each doubling of the duration has 128 buckets.
constexpr int kBits = 7;
constexpr std::uint64_t kPerDoubling = 1U << kBits;
constexpr int kLargestBits = 40;
constexpr std::uint64_t kLargest = (1ULL << kLargestBits) - 1;
constexpr std::size_t kBuckets = (kLargestBits - kBits + 1) * kPerDoubling;

std::size_t bucket_of(std::uint64_t nanoseconds) {
  if (nanoseconds < kPerDoubling) return nanoseconds;
  int shift = std::bit_width(nanoseconds) - kBits - 1;
  return (shift + 1) * kPerDoubling + ((nanoseconds >> shift) - kPerDoubling);
}

// The longest duration of a bucket.
std::uint64_t end_of(std::size_t bucket) {
  if (bucket < kPerDoubling) return bucket;
  std::size_t shift = bucket / kPerDoubling - 1;
  return ((bucket % kPerDoubling + kPerDoubling + 1) << shift) - 1;
}

}  // namespace

Histogram::Histogram() : buckets_(kBuckets) {}

void Histogram::add(std::chrono::nanoseconds duration) {
  auto nanoseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
  ++buckets_[bucket_of(std::min(nanoseconds, kLargest))];
  ++count_;
  max_ = std::max(max_, duration);
}

std::chrono::nanoseconds Histogram::quantile(double part) const {
  if (count_ == 0) return {};
  auto wanted = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= wanted) return std::min(max_, std::chrono::nanoseconds{end_of(bucket)});
  }
  return max_;
}

}  // namespace nuclio::load
