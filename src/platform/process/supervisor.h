// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "loop/deadline.h"
#include "loop/group.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "platform/process/backoff.h"
#include "platform/process/replica.h"

namespace nuclio::platform::process {

// Keeps the replicas of one function running. A replica that ends by itself is started again, after a pause that grows;
// a new revision takes over only once all of its replicas are ready, and then the old ones finish what they have.
class Supervisor {
 public:
  struct Times {
    std::chrono::nanoseconds ready = std::chrono::seconds{120};  // a replica that is started again
    std::chrono::nanoseconds drain = std::chrono::seconds{30};   // a replica that is replaced
    std::chrono::nanoseconds accept = std::chrono::seconds{2};   // of that, how long it may take new events at most
  };
  // `changed` is called when healthy() may have changed, never from inside a call of this object.
  Supervisor(Loop& loop, std::function<void()> changed);
  ~Supervisor();

  // Starts `count` replicas and, once they are ready and `commit` has agreed, lets those that run until now finish.
  // When one cannot become ready, or `commit` fails, the new ones are ended, the old ones go on, and the error says
  // why. Both take new events for a moment; returns once those that are to finish do not any more, or after
  // times.accept.
  Task<Result<void>> replace(Launch launch, int count, Times times, Deadline ready,
                             std::function<Result<void>()> commit);
  // Starts what ran before the platform was stopped and goes on trying: see healthy().
  void resume(Launch launch, int count, Times times);
  // Ends all replicas, also those that are finishing still, at the latest at the deadline. Not while replace() is at
  // work.
  Task<void> stop(Deadline deadline);

  // Whether all replicas are there; when not, complaint() says why.
  bool healthy() const;
  std::string complaint() const;
  std::vector<ReplicaName> replicas() const;  // those that run
  // Of those, where they are reached for something, as they said when they became ready: "metrics".
  std::vector<std::pair<ReplicaName, std::string>> addresses(std::string_view name) const;
  bool runs(const ReplicaName& name) const;                            // also one that is finishing
  std::vector<std::string> last_words() const { return last_words_; }  // of the last replica that failed

 private:
  struct Slot {
    std::unique_ptr<Replica> replica = {};
    bool ready = false;
    std::string complaint = "it is being started";
    Backoff backoff = {};
  };
  // The replicas of one revision.
  struct Generation {
    Generation(Loop& loop, Launch launch, Times times) : launch(std::move(launch)), times(times), keepers(loop) {}
    Launch launch;
    Times times;
    std::list<Slot> slots;  // a list, since the keepers hold on to them
    Group keepers;          // after the slots: gone before them
  };

  Task<Result<void>> start_all(Generation& generation, int count, Deadline ready);
  Task<void> keep_all(Generation& generation);
  Task<void> keep(Generation& generation, Slot& slot);
  Task<Result<void>> start_again(Generation& generation, Slot& slot);
  Task<void> retire(std::unique_ptr<Generation> generation);
  Task<void> finish(std::shared_ptr<Generation> generation, Deadline deadline);
  void note_failure(const Replica& replica);
  void tell();

  Loop& loop_;
  std::function<void()> changed_;
  std::unique_ptr<Generation> current_;
  std::vector<const Generation*> finishing_;
  std::vector<std::string> last_words_;
  Group finishers_;
};

}  // namespace nuclio::platform::process
