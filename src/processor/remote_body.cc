// SPDX-License-Identifier: Apache-2.0
#include "processor/remote_body.h"

#include <utility>

#include "loop/group.h"
#include "loop/wait_list.h"

namespace nuclio::processor {

struct RemoteBody::Held {
  Held(Loop& owner, Loop& to, std::unique_ptr<http::BodySource> source)
      : reader(to), body(std::move(source)), reading(owner) {}
  Loop& reader;
  std::unique_ptr<http::BodySource> body;
  Group reading;
};

struct RemoteBody::Inbox {
  explicit Inbox(Loop& reader) : changed(reader) {}
  std::optional<Piece> piece;
  WaitList changed;
};

RemoteBody::RemoteBody(Loop& reader, Loop& owner, std::unique_ptr<http::BodySource> body, Deadline deadline)
    : reader_(reader),
      owner_(owner),
      deadline_(deadline),
      held_(std::make_shared<Held>(owner, reader, std::move(body))) {}

// The message is the last to hold it, so it ends on its own thread.
RemoteBody::~RemoteBody() {
  owner_.post([held = std::move(held_)]() mutable { held.reset(); });
}

Task<void> RemoteBody::read(Held& held, std::shared_ptr<Inbox> inbox) {
  auto piece = std::make_shared<Piece>(co_await held.body->next());
  held.reader.post([inbox = std::move(inbox), piece = std::move(piece)] {
    inbox->piece.emplace(std::move(*piece));
    inbox->changed.notify_all();
  });
}

Task<Result<std::optional<std::string>>> RemoteBody::next() {
  auto inbox = std::make_shared<Inbox>(reader_);
  owner_.post([&held = *held_, inbox] { held.reading.spawn(read(held, inbox)); });  // it goes by a later message
  while (!inbox->piece) {
    bool in_time = co_await inbox->changed.wait(deadline_);
    if (!in_time) co_return fail(Why::timeout, "the rest of the answer did not come by the event's deadline");
  }
  co_return std::move(*inbox->piece);
}

}  // namespace nuclio::processor
