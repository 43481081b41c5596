// SPDX-License-Identifier: Apache-2.0
#include <nuclio_wire.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "base/check.h"
#include "loop/group.h"
#include "loop/stream.h"
#include "wire/frame_reader.h"
#include "wire/frame_writer.h"
#include "wire/port.h"
#include "wire/ring_channel.h"

namespace nuclio::wire {
namespace {

using namespace std::chrono_literals;

// A worker that always has something to say must not keep the loop from everybody else.
constexpr int kFramesInARow = 64;
// Calls that a worker may have at a time, begun or not. Far beyond what anybody gives one.
constexpr std::size_t kMostCalls = 256;
// Up to here a copy is cheaper than lending. It also gives the worker its memory back at once.
constexpr std::size_t kCopied = 16 << 10;
// Replies above this size leave pages behind that are asked back when none came for a while.
constexpr std::size_t kLarge = 64 << 10;
constexpr auto kGiveBackAfter = 1s;

// Keeps a reply's memory.
class ReplyLoan final : public Frame::Loan {
 public:
  ReplyLoan(std::shared_ptr<RingChannel> channel, std::uint64_t position)
      : channel_(std::move(channel)), position_(position) {}
  ~ReplyLoan() override { channel_->release(position_); }

 private:
  std::shared_ptr<RingChannel> channel_;
  std::uint64_t position_;
};

std::uint32_t load32(const char* at) {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
std::uint64_t load64(const char* at) {
  std::uint64_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Asks the worker for pages of large replies after none has come for a while.
class GiveBack final : public Timer {
 public:
  GiveBack(Loop& loop, RingChannel& channel) : Timer(loop), channel_(channel) {}
  void large_reply() {
    again_ = true;
    if (!armed()) fire();
  }

 private:
  void fire() override {
    if (std::exchange(again_, false))
      arm(Deadline::in(kGiveBackAfter));
    else
      channel_.ask_to_give_back();
  }
  RingChannel& channel_;
  bool again_ = false;
};

// While calls are outstanding it is looked at in each round of the loop, and the worker wakes the loop only when that
// is about to sleep. Otherwise it is parked: no work for the loop until the worker wakes it.
class RingPort final : public Port, private Poller {
 public:
  RingPort(Loop& loop, Descriptor socket, EventArena& arena, Bytes limit, std::shared_ptr<RingChannel> channel)
      : loop_(loop),
        arena_(arena),
        limit_(limit),
        channel_(std::move(channel)),
        stream_(loop, std::move(socket)),
        reader_(limit),
        writer_(stream_),
        wake_(loop, channel_->wake_processor()),
        give_back_(loop, *channel_),
        background_(loop) {}
  ~RingPort() override;

  void listen(Listener& listener) override;
  Result<void> post(const Event& event) override;
  Result<void> post_batch(CallId call, std::chrono::nanoseconds time_left, std::span<const Event> events) override;
  Result<void> post_control(Control control, CallId call) override;
  bool sent(CallId call) const override { return !writer_.holds(call); }
  bool can_revoke() const override { return true; }
  bool revoke(CallId call) override;
  bool begun(CallId call) const override;
  void cancel(CallId call) override { channel_->cancel(call.value()); }
  void pause() override { paused_ = true; }
  void resume() override;
  void stop() override;

 private:
  // What was posted and has not had the worker's last word.
  struct Posted {
    CallId call;
    std::uint64_t position;
    const char* frame;  // in the event arena; null for one that went over the socket
    const char* body;   // that the frame refers to, in the event arena; null for none
  };

  bool poll() override;
  bool arm() override;
  void disarm() override { channel_->disarm(); }
  void look();

  Result<void> ready_to_post() const;
  char* allocate(std::size_t size);
  void publish(CallId call, const char* frame, std::size_t length, const char* body);
  // Through the arena when there is room, else over the socket.
  Result<void> post_encoded(CallId call, const char* body);
  Result<void> post_over_socket(CallId call, const char* body);
  void forget(std::vector<Posted>::iterator posted);

  bool receive_one();
  Result<Frame> copy(const RingChannel::Reply& reply);
  Result<void> take(Frame frame);
  void end(std::string fault);

  Task<void> wait_for_wake_ups();
  Task<void> wait_for_socket();

  Loop& loop_;
  EventArena& arena_;
  Bytes limit_;
  std::shared_ptr<RingChannel> channel_;  // shared with the frames that are lent
  Stream stream_;
  FrameReader reader_;
  FrameWriter writer_;
  Watch wake_;
  GiveBack give_back_;
  std::vector<nuclio_wire_pair> pairs_;  // scratch
  std::vector<Posted> posted_;
  Listener* listener_ = nullptr;
  bool paused_ = false;
  bool ended_ = false;
  // The next frame comes over the socket: the slot that announced it.
  std::optional<RingChannel::Reply> announced_;
  // Set when the worker has closed its socket: how many more frames are taken from what it left.
  std::optional<int> last_frames_;
  Group background_;
};

RingPort::~RingPort() {
  background_.cancel();
  writer_.stop();
  for (const Posted& each : posted_) (void)channel_->revoke(each.position);
  channel_->close();
  while (!posted_.empty()) forget(posted_.end() - 1);
}

void RingPort::listen(Listener& listener) {
  CHECK(!listener_);
  listener_ = &listener;
  background_.spawn(wait_for_wake_ups());
  background_.spawn(wait_for_socket());
  look();
}

void RingPort::look() {
  if (ended_ || paused_ || linked()) return;
  channel_->disarm();
  loop_.add(*this);
}

Task<void> RingPort::wait_for_wake_ups() {
  for (;;) {
    (void)co_await wake_.readable(Deadline::never());
    wake_.drained(Watch::Direction::read);  // edge-triggered: each wake-up is one, though the counter is never read
    look();
  }
}

Task<void> RingPort::wait_for_socket() {
  for (;;) {
    (void)co_await stream_.readable(Deadline::never());
    if (stream_.peer_gone()) {
      last_frames_ = NUCLIO_RING_SLOTS;
      look();
      co_return;
    }
    stream_.leave_unread();  // what is not announced waits; what is, is read by poll()
    look();
  }
}

bool RingPort::poll() {
  int frames = 0;
  while (frames < kFramesInARow && !paused_ && !ended_ && receive_one()) ++frames;
  if (ended_ || paused_) {
    unlink();
  } else if (frames == 0) {
    if (last_frames_)
      end("");
    else if ((posted_.empty() || announced_) && arm())
      unlink();
  }
  return frames > 0;
}

bool RingPort::arm() {
  // What follows an announced frame has to wait for it, and the socket tells when it comes.
  return announced_ || paused_ || channel_->arm();
}

void RingPort::resume() {
  paused_ = false;
  look();
}

Result<void> RingPort::ready_to_post() const {
  if (ended_ || last_frames_) return fail(Why::unavailable, "the worker is gone");
  if (posted_.size() >= kMostCalls || !channel_->has_slot())
    return fail(Why::busy, "the worker has as many calls as it may have");
  return {};
}

char* RingPort::allocate(std::size_t size) { return size <= limit_.count ? arena_.allocate(size) : nullptr; }

void RingPort::publish(CallId call, const char* frame, std::size_t length, const char* body) {
  auto where = frame ? NUCLIO_RING_IN_ARENA : NUCLIO_RING_ON_SOCKET;
  auto position = channel_->publish(where, frame ? arena_.offset(frame) : 0, static_cast<std::uint32_t>(length));
  posted_.push_back({call, position, frame, body});
  look();
}

Result<void> RingPort::post(const Event& event) {
  TRY_DO(ready_to_post());
  EventHead head{event, limit_, pairs_};
  std::size_t size = head.size();
  std::size_t padding = nuclio_wire_padding(event.body.size());
  bool shared = !event.body.empty() && arena_.contains(event.body.data());
  const char* body = shared ? event.body.data() : nullptr;
  char* frame = size == 0 ? nullptr : allocate(shared ? size : size + event.body.size() + padding);
  if (!frame) {
    TRY_DO(encode(event, writer_.next(), limit_));
    return post_over_socket(event.call, body);
  }
  if (shared) {
    head.write_shared(frame, arena_.offset(body));
    arena_.retain(body);
  } else {
    head.write(frame);
    if (!event.body.empty()) std::memcpy(frame + size, event.body.data(), event.body.size());
    std::memset(frame + size + event.body.size(), 0, padding);
    size += event.body.size() + padding;
  }
  publish(event.call, frame, size, body);
  return {};
}

Result<void> RingPort::post_batch(CallId call, std::chrono::nanoseconds time_left, std::span<const Event> events) {
  TRY_DO(ready_to_post());
  TRY_DO(encode_batch(call, time_left, events, writer_.next(), limit_));
  return post_encoded(call, nullptr);
}

Result<void> RingPort::post_control(Control control, CallId call) {
  TRY_DO(ready_to_post());
  encode_control(control, call, writer_.next());
  return post_encoded(call, nullptr);
}

Result<void> RingPort::post_encoded(CallId call, const char* body) {
  char* frame = allocate(writer_.next().size().count);
  if (!frame) return post_over_socket(call, body);
  char* at = frame;
  for (const iovec& part : writer_.next().parts()) {
    std::memcpy(at, part.iov_base, part.iov_len);
    at += part.iov_len;
  }
  publish(call, frame, static_cast<std::size_t>(at - frame), body);
  return {};
}

Result<void> RingPort::post_over_socket(CallId call, const char* body) {
  if (writer_.full()) return fail(Why::busy, "the worker does not read what was sent to it");
  std::size_t length = writer_.next().size().count;
  if (body) arena_.retain(body);
  publish(call, nullptr, length, body);
  return writer_.send(call);
}

void RingPort::forget(std::vector<Posted>::iterator posted) {
  if (posted->frame) arena_.release(posted->frame);
  if (posted->body) arena_.release(posted->body);
  posted_.erase(posted);
}

bool RingPort::revoke(CallId call) {
  auto posted = std::ranges::find(posted_, call, &Posted::call);
  if (posted == posted_.end()) return false;
  // A worker that lives would still find the frame on its socket.
  if (!posted->frame && !ended_) return false;
  if (!channel_->revoke(posted->position)) return false;
  forget(posted);
  return true;
}

bool RingPort::begun(CallId call) const {
  auto posted = std::ranges::find(posted_, call, &Posted::call);
  return posted == posted_.end() || !posted->frame || channel_->taken(posted->position);
}

// Takes one frame. False when there is none for now, or the port has ended.
bool RingPort::receive_one() {
  if (last_frames_ && (*last_frames_)-- <= 0) {
    end("");  // it has been closed for a while and still goes on
    return false;
  }
  if (!announced_) {
    auto next = channel_->next();
    if (!next) {
      end(std::move(next).error().what);
      return false;
    }
    if (!*next) return false;
    if ((*next)->where == NUCLIO_RING_IN_ARENA) {
      auto frame = copy(**next);
      auto taken = frame ? take(std::move(*frame)) : fail(std::move(frame).error());
      if (!taken) end(taken.error().what);
      return taken.has_value();
    }
    announced_ = *next;
  }
  auto frame = reader_.read(stream_);
  if (!frame) {
    end(frame.error().why == Why::unavailable ? "" : frame.error().what);
    return false;
  }
  if (!*frame) return false;
  if ((**frame)->size().count != announced_->length) {
    end("the worker sent another frame over its socket than it had announced");
    return false;
  }
  channel_->release(std::exchange(announced_, std::nullopt)->position);
  auto taken = take(std::move(**frame));
  if (!taken) end(taken.error().what);
  return taken.has_value();
}

// The frame as it is at this moment, out of the worker's reach: all of it when it is small, or everything but the body.
Result<Frame> RingPort::copy(const RingChannel::Reply& reply) {
  auto loan = std::make_unique<ReplyLoan>(channel_, reply.position);
  const char* from = channel_->arena().data() + reply.offset;
  char header[NUCLIO_WIRE_HEADER_SIZE];
  std::memcpy(header, from, sizeof header);
  auto refuse = [](std::string_view what) {
    return fail(Why::invalid, "the worker put a frame into its ring that is none: " + std::string{what});
  };
  if (load32(header) != reply.length) return refuse("its length is another than its slot's");
  if (reply.length > kLarge) give_back_.large_reply();

  // Of frames in a frame each is to be checked, and no other type has a large body.
  auto type = static_cast<std::uint8_t>(header[4]);
  std::uint16_t flags;
  std::memcpy(&flags, header + 6, sizeof flags);
  std::uint64_t head = load64(header + 40);
  bool lend = (type == NUCLIO_WIRE_REPLY || type == NUCLIO_WIRE_CHUNK) &&
              !(flags & (NUCLIO_WIRE_NESTED | NUCLIO_WIRE_SHARED)) && head >= sizeof header && head <= reply.length &&
              reply.length - head > kCopied;
  std::size_t length = lend ? head : reply.length;
  auto bytes = std::make_unique_for_overwrite<char[]>(length);
  std::memcpy(bytes.get(), header, sizeof header);
  std::memcpy(bytes.get() + sizeof header, from + sizeof header, length - sizeof header);
  if (lend) {
    // As if the worker had sent its body apart: the one decoder checks the rest.
    std::uint64_t body_length = load64(header + 48);
    if (body_length > reply.length || body_length + nuclio_wire_padding(body_length) != reply.length - head)
      return refuse(nuclio_wire_explain(NUCLIO_WIRE_BAD_BODY));
    auto length32 = static_cast<std::uint32_t>(length);
    flags |= NUCLIO_WIRE_SHARED;
    std::uint64_t body_offset = reply.offset + head;
    std::memcpy(bytes.get(), &length32, sizeof length32);
    std::memcpy(bytes.get() + 6, &flags, sizeof flags);
    std::memcpy(bytes.get() + 40, &body_offset, sizeof body_offset);
  }
  auto view = FrameView::decode_shared({bytes.get(), length}, lend ? channel_->arena() : std::string_view{}, limit_);
  if (!view) return refuse(view.error().what);
  if (!lend) loan.reset();
  return Frame{std::move(bytes), *view, std::move(loan)};
}

Result<void> RingPort::take(Frame frame) {
  Type type = frame->type();
  bool last = ((type == Type::reply || type == Type::chunk) && !frame->more()) || type == Type::control;
  if (last) {
    // What the worker says of calls that it does not have is for the listener to judge.
    auto posted = std::ranges::find(posted_, frame->call(), &Posted::call);
    if (posted != posted_.end()) {
      if (!channel_->taken(posted->position))
        return fail(Why::invalid, "the worker answered a call that it had not taken");
      forget(posted);
    }
  }
  listener_->received(std::move(frame));
  return {};
}

void RingPort::end(std::string fault) {
  if (ended_) return;
  stop();
  listener_->ended(std::move(fault));
}

void RingPort::stop() {
  if (std::exchange(ended_, true)) return;
  unlink();
  writer_.stop();
  channel_->close();
}

}  // namespace

Result<std::pair<std::unique_ptr<Port>, RingDescriptors>> ring_port(Loop& loop, Descriptor socket, EventArena& arena,
                                                                    Bytes limit) {
  TRY(auto ends, RingChannel::create(arena.size(), limit));
  TRY(auto events, arena.reader());
  auto port = std::make_unique<RingPort>(loop, std::move(socket), arena, limit, std::move(ends.channel));
  return std::pair<std::unique_ptr<Port>, RingDescriptors>{
      std::move(port), RingDescriptors{std::move(ends.memory), std::move(events), std::move(ends.wake_worker),
                                       std::move(ends.wake_processor)}};
}

Bytes ring_channel_size() { return RingChannel::kSize; }

}  // namespace nuclio::wire
