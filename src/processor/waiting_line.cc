// SPDX-License-Identifier: Apache-2.0
#include "processor/waiting_line.h"

namespace nuclio::processor {

bool WaitingLine::overloaded(SteadyTime now) const {
  return !empty() && now - filled_ >= kPatience && now - refused_ < kPatience && refused_ != SteadyTime{};
}

bool WaitingLine::enter(Job& job, SteadyTime now, Job*& dropped) {
  dropped = nullptr;
  if (size_ >= limit_) {
    refused_ = now;
    auto* oldest = static_cast<Job*>(jobs_.front());
    if (!oldest || !hopeless(*oldest, now)) return false;
    leave(*oldest);
    dropped = oldest;
  }
  if (empty()) filled_ = taken_ = now;
  jobs_.push_back(job);
  ++size_;
  return true;
}

// Were nobody to come any more it would be served last, being the oldest of a line that serves the newest first.
bool WaitingLine::hopeless(const Job& oldest, SteadyTime now) const {
  if (oldest.wait_until_.is_never() || !overloaded(now)) return false;
  return now + pace_ * static_cast<long>(size_) > oldest.wait_until_.when();
}

void WaitingLine::enter_again(Job& job) {
  if (empty()) filled_ = taken_ = job.loop_.now();
  Resumption* before = nullptr;
  jobs_.for_each([&](Resumption& other) {
    if (!before && static_cast<Job&>(other).arrived_ >= job.arrived_) before = &other;
  });
  if (before) {
    jobs_.insert_before(*before, job);
  } else {
    jobs_.push_back(job);
  }
  ++size_;
}

void WaitingLine::leave(Job& job) {
  job.unlink();
  --size_;
}

Job* WaitingLine::take(SteadyTime now) {
  if (empty()) return nullptr;
  auto* job = static_cast<Job*>(overloaded(now) ? jobs_.back() : jobs_.front());
  leave(*job);
  pace_ += (now - taken_ - pace_) / 8;
  taken_ = now;
  return job;
}

}  // namespace nuclio::processor
