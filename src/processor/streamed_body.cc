// SPDX-License-Identifier: Apache-2.0
#include "processor/streamed_body.h"

#include "processor/conversation.h"

namespace nuclio::processor {

void StreamedBody::Stream::add(wire::Frame chunk) {
  chunk.detach();
  bytes += chunk->size().count;
  chunks.push_back(std::move(chunk));
  changed.notify_all();
}

void StreamedBody::Stream::end(std::optional<Error> how) {
  conversation = nullptr;
  error = std::move(how);
  changed.notify_all();
}

StreamedBody::~StreamedBody() {
  if (stream_->conversation) stream_->conversation->drop(*stream_, GiveUp::unwanted);
}

Task<Result<std::optional<std::string>>> StreamedBody::next() {
  Stream& stream = *stream_;
  while (stream.chunks.empty()) {
    if (stream.error) co_return fail(*stream.error);
    if (!stream.conversation) co_return std::nullopt;
    bool in_time = co_await stream.changed.wait(stream.deadline);
    if (in_time || !stream.chunks.empty() || !stream.conversation) continue;
    stream.conversation->drop(stream, GiveUp::late);
    stream.error = Error{Why::timeout, (stream.event_id.empty() ? "an event" : "event " + stream.event_id) +
                                           " took longer than its eventTimeout to answer"};
  }
  wire::Frame chunk = std::move(stream.chunks.front());
  stream.chunks.pop_front();
  stream.bytes -= chunk->size().count;
  if (stream.conversation) stream.conversation->ask_for_more(stream);
  co_return std::string{chunk->body()};
}

}  // namespace nuclio::processor
