// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "http/http2_head.h"
#include "http/message.h"
#include "http/pace.h"
#include "loop/group.h"
#include "loop/list.h"
#include "loop/wait_list.h"

namespace nuclio::http {

// One request of an Http2Connection and its answer. Nobody else includes this. Lives until the peer and the handler are
// both done with it; in a list of its connection while it waits there.
struct Http2Stream final : ListLink {
  Http2Stream(Loop& loop, std::int32_t number, Pace body, Pace answer)
      : id(number), arriving(body), leaving(answer), taken(loop) {}

  const std::int32_t id;

  // The request. It is handed to the handler once it is complete.
  Http2Head head;
  bool head_complete = false;
  bool complete = false;
  std::string body;
  Pace arriving;               // while it is incomplete
  std::uint64_t reserved = 0;  // of the connection's memory for bodies
  std::uint64_t withheld = 0;  // received, and not yet given back to the peer's window
  bool waits_for_room = false;
  Request request;

  // The answer.
  bool working = false;    // the handler has it
  bool answering = false;  // what the handler said, or a refusal, has been handed to the session
  bool answered = false;   // and was sent to its end
  bool closed = false;     // the session has forgotten it
  Response response;
  std::uint64_t sent = 0;  // of the body, or of the piece
  Pace leaving;            // while there is something that the peer does not take

  // Of an answer that is made while it is sent.
  std::string piece;
  bool waits_for_source = false;
  bool source_ended = false;
  WaitList taken;  // the piece has been sent
  std::unique_ptr<Group> pump;
};

}  // namespace nuclio::http
