// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <memory>
#include <optional>

#include "loop/group.h"
#include "loop/loop.h"
#include "processor/pool_peers.h"
#include "processor/worker_identity.h"

namespace nuclio::processor {

class Job;
class WorkerPool;

// An event of one pool that is with another pool's worker. What is its lender's and what is its borrower's is touched
// on their threads alone.
struct Lent;

// How one pool gives events that would have to wait to idle workers of its peers on other threads, and takes theirs.
// All of it by messages: an event is copied over, its answer is moved back. Owned by its pool; lives on its loop's
// thread.
class Lending {
 public:
  Lending(WorkerPool& pool, Loop& loop, PoolPeers& peers, std::size_t number);
  ~Lending();

  // How the pool stands now. With workers that are idle and nothing to do for them, peers are asked for what waits
  // there.
  void note(std::size_t idle, std::size_t waiting);
  // Whether a peer has an idle worker, as far as is known.
  bool somebody_idle() const;
  // Gives a job that nobody has to an idle worker of a peer: from there it comes back answered, or to be put in line
  // again since somebody else was faster. False when no peer has one.
  bool lend(Job& job);
  // Nobody waits for the answer of a job that is lent.
  static void give_up(Job& job);

 private:
  struct Outcome;
  using Peer = PoolPeers::Peer;

  void borrow(std::shared_ptr<Lent> lent);
  Task<void> host(std::shared_ptr<Lent> lent);
  Task<void> handle(std::shared_ptr<Lent> lent, bool& done);
  static void settle(Lent& lent, Outcome outcome);

  WorkerPool& pool_;
  Loop& loop_;
  PoolPeers& peers_;
  Peer& me_;
  Group guests_;
};

}  // namespace nuclio::processor
