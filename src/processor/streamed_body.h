// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "http/message.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "loop/wait_list.h"
#include "wire/frame.h"

namespace nuclio::processor {

class Conversation;

// The rest of an answer whose first piece has been handed out. Outlives its worker; dropping it before its end tells
// the worker. Lives on its loop's thread.
class StreamedBody final : public http::BodySource {
 public:
  // What the worker has sent of it. Shared by the conversation, until the last piece has come, and the reader.
  struct Stream {
    // Pieces that are read ahead of whoever takes them; then the worker waits.
    static constexpr std::uint64_t kReadAhead = 256 << 10;

    Stream(Loop& loop, wire::CallId of_call, std::string of_event, Deadline until)
        : call(of_call), event_id(std::move(of_event)), deadline(until), changed(loop) {}
    void add(wire::Frame chunk);
    void end(std::optional<Error> how);

    wire::CallId call;
    std::string event_id;
    Deadline deadline;
    Conversation* conversation = nullptr;  // while more comes
    std::deque<wire::Frame> chunks;        // not read yet
    std::uint64_t bytes = 0;               // of them
    std::optional<Error> error;            // behind them
    WaitList changed;                      // the reader waits here
  };

  explicit StreamedBody(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
  ~StreamedBody() override;
  Task<Result<std::optional<std::string>>> next() override;

 private:
  std::shared_ptr<Stream> stream_;
};

}  // namespace nuclio::processor
