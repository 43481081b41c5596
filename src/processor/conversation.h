// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "loop/deadline.h"
#include "loop/list.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "loop/wait_list.h"
#include "processor/function_log.h"
#include "processor/job.h"
#include "processor/streamed_body.h"
#include "processor/worker.h"
#include "processor/worker_identity.h"
#include "wire/from_worker.h"
#include "wire/port.h"

namespace nuclio::processor {

// What is said between the processor and one worker over its port: jobs and their answers, lines of its log, and
// control messages when it has no job. It knows nothing of processes: whoever owns it says end() when the worker is
// gone. Lives on its loop's thread.
class Conversation final : private wire::Port::Listener {
 public:
  // Who owns it. Nothing here may destroy it.
  class Owner : public WorkerOwner {
   public:
    // The worker says nothing more: "" when it closed its side, else it said what no worker may say. end() is to
    // follow; what waits for an answer waits until then.
    virtual void fell_silent(std::string fault) = 0;
    // The worker is to be ended if it does not let go of what it was told to give up within this time.
    virtual void to_settle(std::chrono::nanoseconds within) = 0;

   protected:
    ~Owner() = default;
  };

  // `log` and `owner` are borrowed and outlive it.
  Conversation(Loop& loop, std::unique_ptr<wire::Port> port, WorkerIdentity worker, const FunctionLog& log,
               Owner& owner);
  ~Conversation();

  // `how` tells of the worker's end in every error from here on: "was killed …". Jobs that it had begun have failed;
  // others are the owner's again.
  void end(std::string how);

  // Waits for the worker's word that it is ready; gives what it is ("python 3.11.7"). The error is the worker's own.
  Task<Result<std::string>> started(Deadline deadline);

  // As Worker's.
  bool usable() const { return started_ && !over() && !hopeless_ && given_up_.empty(); }
  int jobs() const { return static_cast<int>(job_count_ + streams_.size() + given_up_.size()); }
  int room() const;
  bool take(Job& job);
  bool take_back(Job& job);
  void return_waiting();
  void give_up(Job& job, GiveUp why);

  // Asks for a callback and waits until it has run: false when it had not by the deadline or the worker ended first.
  Task<bool> control(wire::Control kind, Deadline deadline);
  // Waits until the worker has let go of what it was to give up, or ended; or until the deadline.
  Task<void> settled(Deadline deadline);

  // Until when the first of those waits whose jobs it has.
  Deadline first_deadline();
  // It is to be ended: the deadline of a call passed, or it did not read what it was sent.
  bool hopeless() const { return hopeless_; }
  const std::optional<std::string>& ended() const { return ended_; }

 private:
  friend class StreamedBody;
  using Stream = StreamedBody::Stream;

  void received(wire::Frame frame) override;
  void ended(std::string fault) override;
  bool over() const { return silent_ || ended_; }
  void let_go(wire::CallId call, GiveUp why);
  void drop(Stream& stream, GiveUp why);
  void ask_for_more(Stream& stream);

  Result<void> take(wire::Frame frame);
  Result<void> take_start(const wire::Start& start);
  Result<void> take_reply(wire::Frame frame, const wire::FromWorker& said);
  Result<void> take_chunk(wire::Frame frame, const wire::Chunk& chunk);
  Result<void> take_last_word(wire::CallId call, bool more);
  void take_log(const wire::Log& line);

  Job* find_job(wire::CallId call);
  Response response(const wire::Reply& reply, Job& job);
  Responses batch_responses(const wire::FromWorker& said, Job& job);
  void answered_in(std::chrono::nanoseconds duration);
  std::string gone() const;

  Loop& loop_;
  std::unique_ptr<wire::Port> port_;
  WorkerIdentity worker_;
  const FunctionLog& log_;
  Owner& owner_;
  WaitList changed_;  // everything that waits, waits here and looks again

  bool started_ = false;
  std::optional<Result<std::string>> start_;
  bool silent_ = false;
  std::optional<std::string> ended_;
  bool hopeless_ = false;

  wire::CallId last_call_{0};
  List<Resumption> jobs_;  // Job, in the order in which the worker got them
  std::size_t job_count_ = 0;
  std::vector<std::shared_ptr<Stream>> streams_;  // answers whose last piece has not come; shared with their readers
  std::vector<wire::CallId> given_up_;            // begun, and the worker's last word is awaited
  std::optional<wire::CallId> control_;           // no `done` yet
  std::chrono::nanoseconds handling_;             // of the handler, lately
};

}  // namespace nuclio::processor
