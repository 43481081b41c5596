// SPDX-License-Identifier: Apache-2.0
#include "processor/processor.h"

#include <optional>
#include <utility>

#include "processor/metrics.h"

namespace nuclio::processor {
namespace {

// A streamed body holds on to its worker.
class LeasedBody final : public http::BodySource {
 public:
  LeasedBody(Lease worker, std::unique_ptr<http::BodySource> source)
      : worker_(std::move(worker)), source_(std::move(source)) {}
  Task<Result<std::optional<std::string>>> next() override { return source_->next(); }

 private:
  Lease worker_;  // before source_: the worker goes back when its stream is gone
  std::unique_ptr<http::BodySource> source_;
};

}  // namespace

// The whole life of an event. Everything else in this folder is a detail of one of these lines.
Task<Result<Response>> Processor::handle(Source& source, const Event& event, Call call) {
  auto in_flight = metrics_.begin(source);
  CO_TRY(Lease worker, co_await worker_for(source, 1, call.deadline));  // Why::busy when none comes free in time
  auto response = co_await worker->call(event, call);                   // the handler's answer, or its worker's end
  metrics_.handled(source, worker->index(), response);
  if (response && response->more)
    response->more = std::make_unique<LeasedBody>(std::move(worker), std::move(response->more));
  co_return response;  // here the lease ends: the worker is idle again
}

Task<Result<std::vector<Result<Response>>>> Processor::handle_batch(Source& source, std::span<const Event> events,
                                                                    Call call) {
  auto in_flight = metrics_.begin(source);
  CO_TRY(Lease worker, co_await worker_for(source, events.size(), call.deadline));
  auto responses = co_await worker->call_batch(events, call);
  if (responses) {
    for (const Result<Response>& response : *responses) metrics_.handled(source, worker->index(), response);
  } else {
    Result<Response> failed = fail(responses.error());
    for (std::size_t i = 0; i < events.size(); ++i) metrics_.handled(source, worker->index(), failed);
  }
  co_return responses;
}

Deadline Processor::event_deadline() const {
  return event_timeout_.count() > 0 ? Deadline::in(event_timeout_) : Deadline::never();
}

Task<Result<Lease>> Processor::worker_for(Source& source, std::size_t events, Deadline event_deadline) {
  Deadline deadline = earlier(Deadline::in(source.availability), event_deadline);
  for (;;) {
    auto worker = co_await source.pool.acquire(deadline, source.allocations);
    if (!worker) {
      for (std::size_t i = 0; i < events; ++i) metrics_.refused(source);
      if (!event_deadline.passed()) co_return worker;
      co_return fail(Why::timeout, "the event's time was over before a worker came free");
    }
    // A worker can die between being handed over and this line; nothing has reached it, so the event may have another.
    if (!(*worker)->usable()) continue;
    metrics_.waited(source, worker->waited());
    co_return worker;
  }
}

}  // namespace nuclio::processor
