// SPDX-License-Identifier: Apache-2.0
#include "processor/processor.h"

#include <utility>

#include "processor/metrics.h"

namespace nuclio::processor {
namespace {

// An event that got no worker was refused; what became of any other is the answer.
void count(Metrics& metrics, const Source& source, const Job& job, const Result<Response>& response) {
  if (job.worker()) {
    metrics.handled(source, *job.worker(), response);
  } else {
    metrics.refused(source);
  }
}

}  // namespace

// The whole life of an event. Everything else in this folder is a detail of one of these lines.
Task<Result<Response>> Processor::handle(Source& source, const Event& event, Call call) {
  auto in_flight = metrics_.begin(source);
  Job job{loop_, event, call, Deadline::at(loop_.now() + source.availability)};
  co_await source.pool.run(job, source.allocations);  // waits for a worker and for its answer
  if (job.worker()) metrics_.waited(source, job.waited());
  if (job.response()) job.response()->waited = job.waited();
  count(metrics_, source, job, job.response());
  co_return std::move(job.response());  // the handler's answer, or why there is none
}

Task<Result<Responses>> Processor::handle_batch(Source& source, std::span<const Event> events, Call call) {
  auto in_flight = metrics_.begin(source);
  Job job{loop_, Job::Kind::batch, events, call, Deadline::at(loop_.now() + source.availability)};
  co_await source.pool.run(job, source.allocations);
  auto responses = job.responses();
  if (job.worker()) metrics_.waited(source, job.waited());
  if (responses) {
    for (Result<Response>& response : *responses) {
      if (response) response->waited = job.waited();
      count(metrics_, source, job, response);
    }
  } else {
    Result<Response> failed = fail(responses.error());
    for (std::size_t i = 0; i < events.size(); ++i) count(metrics_, source, job, failed);
  }
  co_return responses;
}

Deadline Processor::event_deadline() const {
  return event_timeout_.count() > 0 ? Deadline::in(event_timeout_) : Deadline::never();
}

}  // namespace nuclio::processor
