// SPDX-License-Identifier: Apache-2.0
#include "wire/channel.h"

#include <utility>
#include <vector>

#include "base/check.h"

namespace nuclio::wire {

Channel::Channel(Loop& loop, Descriptor socket, Bytes limit) : stream_(loop, std::move(socket)), reader_(limit) {}

Task<Result<void>> Channel::send(const Encoded& frame, Deadline deadline) {
  CHECK(sending_ != Sending::busy);
  if (sending_ == Sending::broken)
    co_return fail(Why::unavailable, "an earlier frame to this worker was not sent to its end");
  // Broken until it is known to be whole: also when this coroutine is destroyed on the way.
  struct Attempt {
    Channel& channel;
    bool whole = false;
    ~Attempt() { channel.sending_ = whole ? Sending::idle : Sending::broken; }
  } attempt{*this};
  sending_ = Sending::busy;
  std::vector<iovec> parts{frame.parts().begin(), frame.parts().end()};
  auto result = co_await stream_.write_all(std::move(parts), deadline);
  attempt.whole = result.has_value();
  if (!result && result.error().why != Why::timeout) {
    co_return fail(Why::unavailable, "the worker is gone: " + result.error().what);
  }
  co_return result;
}

Task<Result<Frame>> Channel::receive(Deadline deadline) {
  for (;;) {
    CO_TRY(auto frame, reader_.read(stream_));
    if (frame) co_return std::move(*frame);
    bool ready = co_await stream_.readable(deadline);
    if (!ready) co_return fail(Why::timeout, "the worker sent nothing in time");
  }
}

}  // namespace nuclio::wire
