// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nuclio/abi.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connection.h"
#include "nuclio_wire.h"

namespace nuclio::runner {

// Where the answer to one event goes: at once to the processor, or, in a batch, into the body of the batch's reply.
class Call final {
 public:
  // The event's frame is borrowed. With `batch`, replies are appended to it.
  Call(Connection& connection, const nuclio_wire_frame& event, std::uint64_t id, std::string* batch);

  // What the object calls; see nuclio_host.
  void reply(const nuclio_reply& reply);
  void fail(const nuclio_failure& failure);
  bool write(std::string_view piece);
  bool gone();

  // After call(): whether the body goes on with stream().
  bool streams() const { return state_ == State::streaming; }
  // When the object is done with the call: ends the body of a stream.
  void finish();

  std::int64_t deadline_ns() const { return deadline_ns_; }  // on CLOCK_MONOTONIC; 0 is none

 private:
  enum class State { waiting, streaming, done };

  struct Head {
    std::int64_t status = 200;
    std::string content_type;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
  };

  struct Answer {
    std::int64_t status = 200;
    std::string_view content_type;
    nuclio_pairs headers{};
    std::string_view message;
    std::string_view traceback;
    std::string_view body;
    std::uint16_t flags = 0;
  };

  void send(const Answer& answer);
  void send_chunk(std::string_view piece, std::uint16_t flags, const nuclio_failure* failure);
  std::int64_t duration_ns() const;

  Connection& connection_;
  const std::uint64_t id_;
  const std::string_view event_id_;
  std::string* const batch_;
  const std::int64_t begun_ns_;
  const std::int64_t deadline_ns_;
  State state_ = State::waiting;
  Head head_;  // in a batch: of a streamed answer, until all its pieces are there
};

}  // namespace nuclio::runner
