// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <list>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "loop/group.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "processor/event_handler.h"
#include "spec/trigger.h"

namespace nuclio::processor {

// Hands events to the handler in batches: a batch goes out when it has batchSize events, when its first event has
// waited for `timeout`, or when one more would make it larger than a frame may be. Batches do not wait
// for each other: each has a worker of its own. An idle batcher does nothing at all. Owned by its trigger; lives on its
// loop's thread.
class Batcher {
 public:
  // Of the bodies together; leaves room for the rest in a frame.
  static constexpr Bytes kBytes{48 << 20};

  // `handler` and `source` are borrowed.
  Batcher(Loop& loop, EventHandler& handler, Source& source, const spec::Batch& config);
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;
  ~Batcher();  // nobody waits for an answer any more

  // As EventHandler::handle(): waits for the batch and gives this event's answer. A batch that fails fails each of its
  // events. `event` and what it borrows stay until the Task is done; destroying it cancels the batch that it is part
  // of, since a worker may be reading from it: the others get Why::unavailable.
  Task<Result<Response>> handle(const Event& event, const Call& call);

  // From now on nothing waits for a batch to become full.
  void hurry();

 private:
  struct Member;
  struct Batch;
  class Window final : public Timer {
   public:
    Window(Loop& loop, Batcher& batcher) : Timer(loop), batcher_(batcher) {}
    ~Window() override { disarm(); }

   private:
    void fire() override { batcher_.send(); }
    Batcher& batcher_;
  };

  bool fits(const Event& event) const;
  void send();
  Task<void> run(Batch& batch);

  Loop& loop_;
  EventHandler& handler_;
  Source& source_;
  spec::Batch config_;
  std::unique_ptr<Batch> filling_;             // never null
  std::list<std::unique_ptr<Batch>> running_;  // and those that have ended since the last send()
  Window window_;
};

}  // namespace nuclio::processor
