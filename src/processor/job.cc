// SPDX-License-Identifier: Apache-2.0
#include "processor/job.h"

#include "base/check.h"
#include "processor/worker_pool.h"

namespace nuclio::processor {

std::string Job::text() const {
  std::string_view id = event().id;
  if (kind_ == Kind::batch) return "a batch of " + std::to_string(events_.size()) + " events";
  return id.empty() ? "an event" : "event " + std::string{id};
}

void Job::finish() {
  CHECK(!answered_);
  answered_ = true;
  slot_ = nullptr;
  disarm();
  unlink();
  if (suspended_) loop_.schedule(*this);
}

void Job::answer_batch(Responses responses) {
  responses_ = std::move(responses);
  answer(Response{});
}

Result<Responses> Job::responses() {
  CHECK(answered_ && kind_ == Kind::batch);
  if (!*response_) return fail(std::move(*response_).error());
  return std::move(responses_);
}

void Job::fire() { pool_->late(*this); }

}  // namespace nuclio::processor
