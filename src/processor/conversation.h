// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "loop/deadline.h"
#include "loop/descriptor.h"
#include "loop/group.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "loop/wait_list.h"
#include "processor/event.h"
#include "processor/function_log.h"
#include "processor/worker.h"
#include "wire/channel.h"
#include "wire/from_worker.h"

namespace nuclio::processor {

// What is said between the processor and one worker, over its socket: one call at a time, and control messages between
// calls. It knows nothing of processes: whoever owns it runs listen(), and says end() when the worker is gone. Lives on
// its loop's thread.
class Conversation {
 public:
  // `log` is borrowed and outlives it.
  Conversation(Loop& loop, Descriptor socket, WorkerIdentity worker, const FunctionLog& log);
  ~Conversation();

  // Takes what the worker says until it says nothing more, or something that no worker may say; gives what was wrong,
  // "" when it just closed its side. What waits for an answer goes on waiting until end().
  Task<std::string> listen();
  // From now on nothing comes. `how` tells of the worker's end in every error from here on: "worker 3 was killed …".
  void end(std::string how);

  // Waits for the worker's word that it is ready; gives what it is ("python 3.11.7"). The error is the worker's own.
  Task<Result<std::string>> started(Deadline deadline);

  // As Worker's.
  Task<Result<Response>> call(const Event& event, const Call& call);
  Task<Result<std::vector<Result<Response>>>> call_batch(std::span<const Event> events, const Call& call);
  // Asks for a callback and waits until it has run: false when it had not by the deadline or the worker ended first.
  Task<bool> control(wire::Control kind, Deadline deadline);

  bool usable() const { return started_ && !ended_ && !hopeless_ && state_ == State::idle && !cancelling_; }
  // It is to be ended: the deadline of a call passed, or a frame could not be sent.
  bool hopeless() const { return hopeless_; }
  const std::optional<std::string>& ended() const { return ended_; }
  bool in_call() const { return state_ != State::idle; }
  // Waits until no call is going on, not even one that was given up, or the worker ended; or until the deadline.
  Task<void> quiet(Deadline deadline);

 private:
  friend class StreamedBody;
  // Whoever holds it holds the one call that is going on; letting go of it before its answer is complete gives it up.
  class Hold {
   public:
    explicit Hold(Conversation& conversation) : conversation_(&conversation) {}
    Hold(Hold&& other) noexcept : conversation_(std::exchange(other.conversation_, nullptr)) {}
    ~Hold() {
      if (conversation_) conversation_->let_go();
    }

   private:
    Conversation* conversation_;
  };

  // idle → waiting → (answered | streaming → answered) → idle; a call that is let go of before it is answered is
  // given_up until the worker's last word about it.
  enum class State { idle, waiting, streaming, answered, given_up };

  enum class Kind { single, batch };

  Hold begin(Kind kind, std::string_view event_id, const Call& call);
  void let_go();
  Task<Result<wire::Frame>> answer(Deadline deadline);
  Task<void> cancel();
  Response response(const wire::Reply& reply);
  std::string gone() const;

  Result<void> take(wire::Frame frame);
  Result<void> take_start(const wire::Start& start);
  Result<void> take_reply(wire::Frame frame);
  Result<void> take_chunk(wire::Frame frame, const wire::Chunk& chunk);
  void take_log(const wire::Log& line);

  Loop& loop_;
  wire::Channel channel_;
  WorkerIdentity worker_;
  const FunctionLog& log_;
  WaitList changed_;  // everything that waits, waits here and looks again

  bool started_ = false;
  std::optional<Result<std::string>> start_;
  std::optional<std::string> ended_;
  bool hopeless_ = false;
  bool sending_ = false;     // a call's frame is on its way
  bool cancelling_ = false;  // or a cancel
  wire::CallId last_call_{0};

  State state_ = State::idle;
  Kind kind_ = Kind::single;
  std::string event_id_;  // of the call that is going on
  SteadyTime begun_{};
  ShippedLogs shipped_;
  std::optional<wire::Frame> reply_;
  std::deque<wire::Frame> chunks_;  // received, not read yet
  std::uint64_t chunk_bytes_ = 0;
  std::optional<wire::CallId> control_;  // no `done` yet

  wire::Encoded outgoing_;
  wire::Encoded cancel_;
  Group background_;
};

}  // namespace nuclio::processor
