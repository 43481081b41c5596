// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "base/result.h"
#include "loop/deadline.h"
#include "loop/task.h"
#include "processor/worker_identity.h"

namespace nuclio::processor {

class Job;

// Who has a worker, and hears of it: its place in the pool. Nothing here may destroy the worker.
class WorkerOwner {
 public:
  // Its room() or usable() may be another now.
  virtual void changed() = 0;
  // A job that it has not begun and will not begin: it is the owner's again.
  virtual void returned(Job& job) = 0;

 protected:
  ~WorkerOwner() = default;
};

enum class GiveUp {
  unwanted,  // nobody waits for the answer any more
  late,      // its deadline has passed
};

// One handler process (or one slot of a handler that runs in this process). It works on one job at a time; more that it
// takes wait behind it. Lives on its loop's thread, owned by its pool.
class Worker {
 public:
  virtual ~Worker() = default;
  // Once, before the first job.
  virtual void belongs_to(WorkerOwner& owner) = 0;
  virtual WorkerIndex index() const = 0;

  // Whether it may be given jobs: now or, when it is busy, later. One that is not may become so again, unless it has
  // ended() for good and is to be replaced.
  virtual bool usable() const = 0;
  virtual bool ended() const = 0;
  // How many jobs it has, and how many more it would take: 1 when it is idle; more only while its handler is quick, so
  // that it finds its next event without being woken, and only if what it has not begun can be had back.
  virtual int jobs() const = 0;
  virtual int room() const = 0;

  // Takes a job. While the worker has it, it is the worker's to answer: with the handler's answer, of which a raised
  // exception is one (Response::failure), with Why::unavailable when the worker ended while it worked on it, or with
  // what is wrong with the job. It may be answered in here. False: the job does not fit now, and nothing has happened.
  // When a response has `more`, the worker stays busy until that has been received or dropped.
  virtual bool take(Job& job) = 0;
  // True: the job had not been begun, and is the caller's again.
  virtual bool take_back(Job& job) = 0;
  // Takes back all that it has not begun and gives it to the owner; its handler counts as slow from here on.
  virtual void return_waiting() = 0;
  // The job is begun and the caller answers it itself. The worker lets go of what the job borrows at once, and is not
  // usable() until it has finished with it; one that does not in time ends.
  virtual void give_up(Job& job, GiveUp why) = 0;

  // Runs the function's drain or termination callback and waits for it, until the deadline. For a worker without a
  // job; after terminate() it is of no further use.
  virtual Task<void> drain(Deadline deadline) = 0;
  virtual Task<void> terminate(Deadline deadline) = 0;
};

// Makes workers of one runtime. Borrowed by the pools; outlives them.
class WorkerFactory {
 public:
  virtual ~WorkerFactory() = default;
  // Returns once the worker is ready for events, i.e. the module is loaded and init_context has run. The error says
  // what the function's author has to mend.
  virtual Task<Result<std::unique_ptr<Worker>>> start(WorkerIdentity identity) = 0;
};

}  // namespace nuclio::processor
