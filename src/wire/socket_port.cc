// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"
#include "loop/group.h"
#include "loop/stream.h"
#include "loop/wait_list.h"
#include "wire/frame_reader.h"
#include "wire/frame_writer.h"
#include "wire/port.h"

namespace nuclio::wire {
namespace {

// A worker that always has something to say must not keep the loop from everybody else.
constexpr int kFramesInARow = 64;

class SocketPort final : public Port {
 public:
  SocketPort(Loop& loop, Descriptor socket, Bytes limit)
      : stream_(loop, std::move(socket)),
        limit_(limit),
        reader_(limit),
        writer_(stream_),
        resumed_(loop),
        background_(loop) {}
  ~SocketPort() override { background_.cancel(); }

  void listen(Listener& listener) override {
    CHECK(!listener_);
    listener_ = &listener;
    background_.spawn(receive());
  }

  Result<void> post(const Event& event) override {
    TRY_DO(encode(event, writer_.next(), limit_));
    return writer_.send(event.call);
  }
  Result<void> post_batch(CallId call, std::chrono::nanoseconds time_left, std::span<const Event> events) override {
    TRY_DO(encode_batch(call, time_left, events, writer_.next(), limit_));
    return writer_.send(call);
  }
  Result<void> post_control(Control control, CallId call) override {
    encode_control(control, call, writer_.next());
    return writer_.send(call);
  }
  bool sent(CallId call) const override { return !writer_.holds(call); }

  bool can_revoke() const override { return false; }
  bool revoke(CallId) override { return false; }
  bool begun(CallId) const override { return true; }
  void cancel(CallId call) override {
    encode_cancel(call, writer_.next());
    (void)writer_.send(call);  // a worker that takes no more frames is not going to heed this one
  }

  void pause() override { paused_ = true; }
  void resume() override {
    paused_ = false;
    resumed_.notify_all();
  }
  void stop() override {
    stopped_ = true;
    writer_.stop();
    resumed_.notify_all();
  }

 private:
  Task<void> receive();

  Stream stream_;
  Bytes limit_;
  FrameReader reader_;
  FrameWriter writer_;
  Listener* listener_ = nullptr;
  bool paused_ = false;
  bool stopped_ = false;
  WaitList resumed_;
  Group background_;
};

Task<void> SocketPort::receive() {
  co_await stream_.loop().yield();  // nothing is received inside listen()
  for (int frames = 1;; ++frames) {
    while (paused_ && !stopped_) (void)co_await resumed_.wait();
    if (stopped_) co_return;
    auto frame = reader_.read(stream_);
    if (!frame) {
      writer_.stop();
      // The listener may start what it likes, but not destroy this port, so the coroutine ends in peace.
      listener_->ended(frame.error().why == Why::unavailable ? "" : frame.error().what);
      co_return;
    }
    if (*frame) {
      // It may have let the next event go, and a worker on the same core may have answered that already: to read at
      // once, though there was no more, finds that answer without a round of the loop.
      listener_->received(std::move(**frame));
    } else {
      (void)co_await stream_.readable(Deadline::never());
    }
    if (frames % kFramesInARow == 0) co_await stream_.loop().yield();
  }
}

}  // namespace

std::unique_ptr<Port> socket_port(Loop& loop, Descriptor socket, Bytes limit) {
  return std::make_unique<SocketPort>(loop, std::move(socket), limit);
}

}  // namespace nuclio::wire
