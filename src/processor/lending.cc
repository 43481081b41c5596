// SPDX-License-Identifier: Apache-2.0
#include "processor/lending.h"

#include <utility>

#include "loop/wait_list.h"
#include "processor/event_copy.h"
#include "processor/job.h"
#include "processor/remote_body.h"
#include "processor/worker_pool.h"

namespace nuclio::processor {

struct Lent {
  Lent(Job& lent, Lending& from, Loop& from_loop, PoolPeers::Peer& to)
      : event(lent.event()), call(lent.call()), lender(from), lender_loop(from_loop), borrower(to), over(*to.loop) {}

  const EventCopy event;
  const Call call;
  Lending& lender;
  Loop& lender_loop;
  PoolPeers::Peer& borrower;

  // The lender's.
  Job* job = nullptr;  // null when nobody waits for it any more

  // The borrower's.
  bool unwanted = false;
  WaitList over;  // it is unwanted now, or done with
};

struct Lending::Outcome {
  std::optional<WorkerIndex> worker;  // none: no worker was idle
  Result<Response> response;
};

Lending::Lending(WorkerPool& pool, Loop& loop, PoolPeers& peers, std::size_t number)
    : pool_(pool), loop_(loop), peers_(peers), me_(peers[number]), guests_(loop) {
  me_.loop = &loop;
  me_.lending = this;
}

Lending::~Lending() { guests_.cancel(); }

// A peer's line and our idle workers are each told before the other is looked at, so that at least one of us sees both.
void Lending::note(std::size_t idle, std::size_t waiting) {
  me_.idle = static_cast<int>(idle);
  me_.waiting = static_cast<int>(waiting);
  if (idle == 0 || waiting > 0) return;
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    Peer& peer = peers_[i];
    if (&peer == &me_ || peer.waiting == 0 || peer.asked.exchange(true)) continue;
    peer.loop->post([&peer] {
      peer.asked = false;
      peer.lending->pool_.lend_line();
    });
  }
}

bool Lending::somebody_idle() const {
  for (std::size_t i = 0; i < peers_.size(); ++i)
    if (&peers_[i] != &me_ && peers_[i].idle > 0) return true;
  return false;
}

bool Lending::lend(Job& job) {
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    Peer& peer = peers_[i];
    int idle = peer.idle;
    if (&peer == &me_ || idle <= 0 || !peer.idle.compare_exchange_strong(idle, idle - 1)) continue;
    auto lent = std::make_shared<Lent>(job, *this, loop_, peer);
    lent->job = &job;
    job.lent_ = lent;
    peer.loop->post([lent = std::move(lent)] { lent->borrower.lending->borrow(lent); });
    return true;
  }
  return false;
}

void Lending::give_up(Job& job) {
  std::shared_ptr<Lent> lent = std::move(job.lent_);
  lent->job = nullptr;
  lent->borrower.loop->post([lent] {
    lent->unwanted = true;
    lent->over.notify_all();
  });
}

void Lending::borrow(std::shared_ptr<Lent> lent) { guests_.spawn(host(std::move(lent))); }

// Until it is done or unwanted; the latter destroys the job, which gives it up.
Task<void> Lending::host(std::shared_ptr<Lent> lent) {
  bool done = false;
  Group handling{loop_};
  handling.spawn(handle(lent, done));
  while (!done && !lent->unwanted) (void)co_await lent->over.wait();
}

Task<void> Lending::handle(std::shared_ptr<Lent> lent, bool& done) {
  PoolStatistics lenders_count;  // it is counted where it came from
  Job job{loop_, lent->event.event(), lent->call,
          Deadline::in(std::chrono::nanoseconds{0})};  // what must wait goes home
  co_await pool_.run(job, lenders_count);
  Outcome outcome{job.worker(), std::move(job.response())};
  if (outcome.response) {
    Response& response = *outcome.response;
    // What belongs to this thread stays here.
    if (auto lent_body = std::exchange(response.lent, std::nullopt)) response.body = std::string{lent_body->bytes};
    if (response.more)
      response.more =
          std::make_unique<RemoteBody>(lent->lender_loop, loop_, std::move(response.more), lent->call.deadline);
  }
  auto moved = std::make_shared<Outcome>(std::move(outcome));
  lent->lender_loop.post([lent, moved] { settle(*lent, std::move(*moved)); });
  done = true;
  lent->over.notify_all();
}

void Lending::settle(Lent& lent, Outcome outcome) {
  if (!lent.job) return;
  Job& job = *std::exchange(lent.job, nullptr);
  job.lent_.reset();
  lent.lender.pool_.lent_back(job, outcome.worker, std::move(outcome.response));
}

}  // namespace nuclio::processor
