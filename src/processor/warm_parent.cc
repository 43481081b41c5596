// SPDX-License-Identifier: Apache-2.0
#include "processor/warm_parent.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

// A fork takes milliseconds; a process that needs so long is stopped or lost, and another one is started.
constexpr std::chrono::seconds kForkTime = 5s;
constexpr std::size_t kLongestPacket = 64 << 10;
constexpr std::size_t kMostDescriptors = 8;

Error gone(std::string_view doing) {
  return {Why::unavailable,
          fmt::format("the process that forks workers ended {}; what it printed is in the log", doing)};
}

// A packet of one JSON object; anything else is an empty one.
boost::json::object read_packet(std::string_view text) {
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(text, error);
  return !error && value.is_object() ? value.get_object() : boost::json::object{};
}

std::string text_of(const boost::json::object& packet, std::string_view key) {
  const auto* value = packet.if_contains(key);
  return value && value->is_string() ? std::string{value->get_string()} : "";
}

bool send_packet(int socket, std::string_view text, std::span<const int> descriptors) {
  CHECK(descriptors.size() <= kMostDescriptors);
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostDescriptors * sizeof(int))> control{};
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  ssize_t sent;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(text.size());
}

}  // namespace

struct WarmParent::Process {
  Process(Loop& loop, Child its, Descriptor ours)
      : child(std::move(its)), control(std::move(ours)), watch(loop, control.get()) {}
  Child child;
  Descriptor control;
  Watch watch;
  bool ready = false;
};

// Who has it is the only one to speak with the process. When it is dropped in the midst of an order nobody knows what
// the next packet would be about, so the process goes.
class WarmParent::Turn {
 public:
  explicit Turn(WarmParent& parent) : parent_(&parent) { parent.busy_ = true; }
  Turn(Turn&& other) noexcept : parent_(std::exchange(other.parent_, nullptr)), in_the_midst_(other.in_the_midst_) {}
  Turn& operator=(Turn&&) = delete;
  ~Turn() {
    if (!parent_) return;
    if (in_the_midst_) parent_->process_.reset();
    parent_->busy_ = false;
    parent_->free_.notify_one();
  }
  void asked() { in_the_midst_ = true; }
  void answered() { in_the_midst_ = false; }

 private:
  WarmParent* parent_;
  bool in_the_midst_ = false;
};

WarmParent::WarmParent(Loop& loop, Launch launch) : loop_(loop), launch_(std::move(launch)), free_(loop) {}

WarmParent::~WarmParent() = default;

Task<WarmParent::Turn> WarmParent::turn() {
  while (busy_) (void)co_await free_.wait();
  co_return Turn{*this};
}

Task<Result<bool>> WarmParent::ready(Deadline deadline) {
  Turn turn = co_await this->turn();
  turn.asked();
  auto is = co_await ready_in_turn(deadline);
  turn.answered();
  co_return is;
}

Task<Result<bool>> WarmParent::ready_in_turn(Deadline deadline) {
  if (!supported_) co_return false;
  if (process_ && process_->ready && process_->child.running()) co_return true;
  CO_TRY_DO(begin());
  auto packet = co_await told(deadline);
  if (!packet) {
    process_.reset();
    co_return fail(std::move(packet).error());
  }
  auto said = read_packet(*packet);
  if (said.contains("ready")) {
    process_->ready = true;
    log::debug("warm parent ready", {{"pid", process_->child.pid()}});
    co_return true;
  }
  process_.reset();
  if (said.contains("unsupported")) {
    supported_ = false;
    log::info("workers are started one by one", {{"reason", text_of(said, "unsupported")}});
    co_return false;
  }
  std::string what = text_of(said, "failed");
  if (std::string trace = text_of(said, "traceback"); !trace.empty()) what += "\n" + trace;
  while (what.ends_with('\n')) what.pop_back();
  co_return fail(Why::invalid, what.empty() ? "the process that forks workers does not get ready" : what);
}

Result<void> WarmParent::begin() {
  process_.reset();
  int sockets[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
    return fail_errno("making a socket for the process that forks workers");
  Descriptor ours{sockets[0]};
  Descriptor theirs{sockets[1]};
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  ChildOptions options;
  options.argv = launch_.argv;
  options.env = launch_.env;
  options.directory = launch_.directory;
  options.descriptors.push_back({theirs.get(), Launch::kSocket});
  auto child = Child::spawn(loop_, options);
  if (!child) return fail(std::move(child).error().in("the process that forks workers cannot be started"));
  process_ = std::make_unique<Process>(loop_, std::move(*child), std::move(ours));
  ++starts_;
  return {};
}

// The next packet.
Task<Result<std::string>> WarmParent::told(Deadline deadline) {
  std::string packet(kLongestPacket, '\0');
  for (;;) {
    ssize_t size = ::recv(process_->control.get(), packet.data(), packet.size(), MSG_DONTWAIT);
    if (size > 0) {
      packet.resize(static_cast<std::size_t>(size));
      co_return packet;
    }
    if (size < 0 && errno == EINTR) continue;
    if (size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) co_return fail(gone("without a word"));
    process_->watch.drained(Watch::Direction::read);
    bool in_time = co_await process_->watch.readable(deadline);
    if (!in_time) co_return fail(Why::timeout, "the process that forks workers does not answer in time");
  }
}

Task<Result<Child>> WarmParent::fork(const WorkerIdentity& worker, const WorkerLimits& limits,
                                     std::span<const int> descriptors, Deadline deadline) {
  Turn turn = co_await this->turn();
  turn.asked();
  // It may have died since it was ready.
  CO_TRY(bool supported, co_await ready_in_turn(deadline));
  if (!supported) co_return fail(gone("for good"));
  std::string order = boost::json::serialize(boost::json::object{{"worker_id", std::to_string(worker.index.value())},
                                                                 {"trigger_kind", worker.trigger_kind},
                                                                 {"trigger_name", worker.trigger_name},
                                                                 {"memory_limit", limits.memory_bytes},
                                                                 {"descriptor_limit", limits.descriptors}});
  if (!send_packet(process_->control.get(), order, descriptors)) co_return fail(gone("before it forked one"));
  CO_TRY(std::string packet, co_await told(earlier(deadline, Deadline::in(kForkTime))));
  auto said = read_packet(packet);
  if (const auto* pid = said.if_contains("pid"); pid && pid->is_int64()) {
    auto child = Child::adopt(loop_, static_cast<pid_t>(pid->get_int64()));
    if (child || child.error().why == Why::unavailable) turn.answered();
    co_return child;
  }
  std::string error = text_of(said, "error");
  if (!error.empty()) turn.answered();
  co_return fail(Why::unavailable, "a worker could not be forked: " + (error.empty() ? packet : error));
}

}  // namespace nuclio::processor
