// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <cstddef>
#include <vector>

#include "loop/loop.h"

namespace nuclio::processor {

class Lending;

// The pools of one trigger on the loops of several threads, as they see each other. Owned by who owns all of them, and
// outlives them. Complete before the first event.
class PoolPeers {
 public:
  struct Peer {
    Loop* loop = nullptr;
    Lending* lending = nullptr;  // to be touched on its loop's thread only
    // What it told of itself last; any thread. Apart from each other's cache lines, since they change with each event.
    alignas(64) std::atomic<int> idle{0};     // workers
    alignas(64) std::atomic<int> waiting{0};  // events in its line
    std::atomic<bool> asked{false};           // to lend what waits; the message is on its way
  };

  explicit PoolPeers(std::size_t count) : peers_(count) {}
  std::size_t size() const { return peers_.size(); }
  Peer& operator[](std::size_t number) { return peers_[number]; }

 private:
  std::vector<Peer> peers_;
};

}  // namespace nuclio::processor
