// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/server.h"
#include "loop/clock.h"
#include "loop/deadline.h"
#include "loop/descriptor.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "processor/configuration.h"
#include "processor/function_log.h"
#include "processor/metrics.h"
#include "processor/pool_peers.h"
#include "processor/processor.h"
#include "processor/trigger.h"
#include "processor/worker.h"
#include "processor/worker_pool.h"
#include "wire/event_arena.h"

namespace nuclio::processor {

// Whose workers a trigger's events use: the trigger's own, or those of all that share an allocator's name.
std::string pool_of(const spec::Trigger& trigger);
// Kinds that are read and kept, and that no code serves yet.
bool is_inert(const spec::Trigger& trigger);

// What the lanes of a processor have in common. Made before them and complete before the first event.
struct SharedByLanes {
  struct Pool {
    PoolOptions options;               // of all lanes together
    std::size_t lanes = 1;             // that have workers of it: the first ones
    std::unique_ptr<PoolPeers> peers;  // when there are several
  };
  // An http trigger's servers on all lanes but the first.
  using StandingBy = std::map<std::string, std::vector<http::Server*>>;

  const Configuration& configuration;
  FunctionLog function_log;
  std::map<std::string, Pool> pools;  // by pool_of()
  StandingBy standing_by;             // by the trigger's name; each lane adds its own when it starts
};

// The pools that the triggers want, and over how many lanes each goes: an http trigger's over as many as the platform
// allows and as it has workers, any other over one.
std::map<std::string, SharedByLanes::Pool> plan_pools(const Configuration& configuration);

// What of a processor lives on one loop: workers, what brings them events, and what counts them. The first lane has a
// share of each pool and all triggers; others have a share of the workers of http triggers and of their connections.
// Lives on its loop's thread.
class Lane {
 public:
  // `number` counts from 0; `shared` is borrowed.
  Lane(Loop& loop, SharedByLanes& shared, std::size_t number);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  ~Lane();

  // Starts all workers at once. An error, with which the function cannot run, says what is to be mended.
  Task<Result<void>> start_pools();
  // Once the pools of all lanes are started, and for the first lane after all others. `listener` is an inherited
  // listening socket for the http trigger, or none; it is left alone when there is no such trigger.
  Task<Result<void>> start_triggers(Descriptor& listener);
  // Returns once it takes no events any more. For all lanes at once.
  Task<void> stop_accepting(Deadline deadline);
  // Afterwards: finishes those that have begun; at the deadline they are dropped. For all lanes at once.
  Task<void> drain(Deadline deadline);
  // No event comes any more from any lane.
  void end_triggers() { triggers_.clear(); }
  // Runs the function's callbacks.
  Task<void> wind_down(Deadline deadline);

  std::vector<std::pair<std::string, std::string>> addresses() const;  // of triggers, by their kind

  struct Report {
    TriggerReports triggers;
    std::map<std::string, std::size_t> alive;  // workers that run, by pool_of()
  };
  Report report() const;

 private:
  Result<void> make_event_arena();
  bool has(const spec::Trigger& trigger) const;

  Loop& loop_;
  SharedByLanes& shared_;
  const Configuration& configuration_;
  std::size_t number_;
  SystemClock clock_;
  Metrics metrics_;
  Processor processor_;
  std::unique_ptr<wire::EventArena> event_arena_;  // before all who use it; null when workers are reached over sockets
  std::unique_ptr<WorkerFactory> factory_;
  std::map<std::string, std::unique_ptr<WorkerPool>> pools_;  // by pool_of()
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<std::unique_ptr<Trigger>> triggers_;
};

}  // namespace nuclio::processor
