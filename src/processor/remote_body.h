// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "http/message.h"
#include "loop/deadline.h"
#include "loop/loop.h"

namespace nuclio::processor {

// A body that is made on another thread's loop. Made there, and read and destroyed on the reader's loop; both outlive
// it. Each piece is asked for when the reader wants it, so a slow reader slows down the source.
class RemoteBody final : public http::BodySource {
 public:
  // Why::timeout when the deadline, the call's, passes while a piece is awaited.
  RemoteBody(Loop& reader, Loop& owner, std::unique_ptr<http::BodySource> body, Deadline deadline);
  ~RemoteBody() override;
  Task<Result<std::optional<std::string>>> next() override;

 private:
  using Piece = Result<std::optional<std::string>>;
  struct Held;   // the owner's
  struct Inbox;  // the reader's, where the next piece arrives
  static Task<void> read(Held& held, std::shared_ptr<Inbox> inbox);

  Loop& reader_;
  Loop& owner_;
  Deadline deadline_;
  std::shared_ptr<Held> held_;
};

}  // namespace nuclio::processor
