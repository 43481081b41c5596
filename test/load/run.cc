// SPDX-License-Identifier: Apache-2.0
#include "load/run.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "load/answer.h"
#include "loop/descriptor.h"
#include "loop/list.h"

namespace nuclio::load {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// After a failed connect, so that a server that is away is not asked in a tight loop.
constexpr auto kRest = 10ms;

// One connection, or the place for one. It is in the list that its state names.
struct Slot : ListLink {
  enum class State { closed, idle, busy, resting, retired };
  State state = State::closed;
  Descriptor socket;
  bool connecting = false;
  bool assigned = false;     // busy with a request, not only with connecting ahead of the run
  bool used = false;         // has answered before
  bool wants_write = false;  // epoll reports writability
  bool write_broken = false;
  std::size_t written = 0;
  Answer answer;
  Clock::time_point due;
  Clock::time_point since;  // when it entered its list
};

class Run {
 public:
  Run(const Plan& plan, const std::atomic<bool>& stop) : plan_(plan), stop_(stop), slots_(plan.connections) {}

  Result<Report> run();

 private:
  Result<void> connect_ahead();
  void send_due();
  bool may_send() const;
  Clock::time_point due_at(std::uint64_t number) const;
  Slot* usable();
  bool finished();
  Result<void> wait();
  std::chrono::nanoseconds time_to_wait();
  void expire();

  void enter(Slot& slot, Slot::State state);
  void begin(Slot& slot, Clock::time_point due);
  void open(Slot& slot);
  void on_ready(Slot& slot, std::uint32_t events);
  void connected(Slot& slot);
  void write(Slot& slot);
  void watch(Slot& slot, bool writable);
  void read(Slot& slot);
  void take(Slot& slot, std::string_view bytes);
  void closed(Slot& slot);
  void complete(Slot& slot);
  void fail(Slot& slot, Failure failure);
  void close(Slot& slot, Slot::State next);
  Slot::State after_close() const;
  std::chrono::nanoseconds elapsed() const { return now_ - start_; }

  const Plan& plan_;
  const std::atomic<bool>& stop_;
  std::vector<Slot> slots_;
  std::array<List<Slot>, 5> lists_;  // by state
  List<Slot>& list(Slot::State state) { return lists_[static_cast<std::size_t>(state)]; }
  Descriptor epoll_;
  Clock::time_point now_ = Clock::now();
  Clock::time_point start_ = now_;
  std::uint64_t next_ = 0;  // number of the request that is due next
  Report report_;
  std::array<char, 256 << 10> buffer_;
};

Result<Report> Run::run() {
  epoll_ = Descriptor{epoll_create1(EPOLL_CLOEXEC)};
  if (!epoll_) return fail_errno("making an epoll");
  for (Slot& slot : slots_) enter(slot, Slot::State::closed);
  if (plan_.keep_alive) TRY_DO(connect_ahead());
  start_ = now_ = Clock::now();
  std::optional<Clock::time_point> stopped;
  for (;;) {
    send_due();
    if (finished()) break;
    TRY_DO(wait());
    if (stop_ && !stopped) stopped = now_;
    expire();
  }
  if (plan_.rate > 0) {
    // What was due until the end and found no connection; an interrupted run ends at its interruption, though it still
    // waits for the answers to what it sent before.
    Clock::time_point end = stopped.value_or(now_);
    if (plan_.time > 0ns) end = std::min(end, start_ + plan_.time);
    std::uint64_t most = plan_.requests ? plan_.requests : std::numeric_limits<std::uint64_t>::max();
    while (next_ < most && due_at(next_) < end) {
      ++next_;
      ++report_.unsent;
    }
  }
  return std::move(report_);
}

// Those that cannot be made are tried again by the request that needs them, which then says why.
Result<void> Run::connect_ahead() {
  while (Slot* slot = list(Slot::State::closed).front()) {
    slot->since = now_ = Clock::now();
    open(*slot);
  }
  while (!list(Slot::State::busy).empty() && !stop_) {
    TRY_DO(wait());
    expire();
  }
  while (Slot* slot = list(Slot::State::resting).front()) enter(*slot, Slot::State::closed);
  return {};
}

void Run::send_due() {
  if (plan_.rate <= 0) {
    while (may_send()) {
      Slot* slot = usable();
      if (!slot) return;
      ++next_;
      begin(*slot, now_);
    }
    return;
  }
  while (may_send() && due_at(next_) <= now_) {
    Slot* slot = usable();
    if (!slot) return;
    begin(*slot, due_at(next_++));
  }
}

bool Run::may_send() const {
  if (stop_ || (plan_.requests && next_ >= plan_.requests)) return false;
  if (plan_.time == 0ns) return true;
  return elapsed() < plan_.time && (plan_.rate <= 0 || due_at(next_) < start_ + plan_.time);
}

Clock::time_point Run::due_at(std::uint64_t number) const {
  return start_ + std::chrono::nanoseconds{static_cast<std::int64_t>(static_cast<double>(number) * 1e9 / plan_.rate)};
}

// The connection that is idle for longest, so that all of them are used.
Slot* Run::usable() {
  Slot* slot = list(Slot::State::idle).front();
  return slot ? slot : list(Slot::State::closed).front();
}

bool Run::finished() {
  if (!list(Slot::State::busy).empty()) return false;
  bool none_left =
      list(Slot::State::idle).empty() && list(Slot::State::closed).empty() && list(Slot::State::resting).empty();
  return none_left || !may_send();
}

Result<void> Run::wait() {
  std::array<epoll_event, 256> ready;
  auto time = time_to_wait();
  timespec limit{.tv_sec = static_cast<time_t>(time / 1s), .tv_nsec = static_cast<long>((time % 1s).count())};
  int count = epoll_pwait2(epoll_.get(), ready.data(), ready.size(), &limit, nullptr);
  if (count < 0 && errno != EINTR) return fail_errno("waiting for the connections");
  for (int i = 0; i < count; ++i) {
    now_ = Clock::now();
    on_ready(slots_[ready[i].data.u32], ready[i].events);
  }
  now_ = Clock::now();
  return {};
}

std::chrono::nanoseconds Run::time_to_wait() {
  Clock::time_point until = now_ + 1s;
  if (Clock::time_point end = start_ + plan_.time; end > now_) until = std::min(until, end);
  if (Slot* oldest = list(Slot::State::busy).front()) until = std::min(until, oldest->since + plan_.timeout);
  if (Slot* oldest = list(Slot::State::resting).front()) until = std::min(until, oldest->since + kRest);
  if (plan_.rate > 0 && may_send() && usable()) until = std::min(until, due_at(next_));
  return std::max<std::chrono::nanoseconds>(until - now_, 0ns);
}

void Run::expire() {
  for (Slot* slot = nullptr; (slot = list(Slot::State::resting).front()) && slot->since + kRest <= now_;)
    enter(*slot, Slot::State::closed);
  for (Slot* slot = nullptr; (slot = list(Slot::State::busy).front()) && slot->since + plan_.timeout <= now_;)
    fail(*slot, Failure::timed_out);
}

void Run::enter(Slot& slot, Slot::State state) {
  slot.state = state;
  list(state).push_back(slot);
}

void Run::begin(Slot& slot, Clock::time_point due) {
  ++report_.sent;
  slot.assigned = true;
  slot.due = due;
  slot.since = now_;
  slot.written = 0;
  slot.answer = Answer{plan_.head_only};
  if (!slot.socket) return open(slot);
  enter(slot, Slot::State::busy);
  write(slot);
}

void Run::open(Slot& slot) {
  enter(slot, Slot::State::busy);
  slot.used = slot.write_broken = false;
  slot.connecting = slot.wants_write = true;
  slot.socket = Descriptor{socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!slot.socket) return fail(slot, Failure::unreachable);
  int one = 1;
  setsockopt(slot.socket.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  epoll_event event{.events = EPOLLIN | EPOLLOUT, .data = {.u32 = static_cast<std::uint32_t>(&slot - slots_.data())}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, slot.socket.get(), &event) != 0) return fail(slot, Failure::unreachable);
  if (connect(slot.socket.get(), reinterpret_cast<const sockaddr*>(&plan_.server), sizeof plan_.server) != 0 &&
      errno != EINPROGRESS)
    fail(slot, errno == ECONNREFUSED ? Failure::refused : Failure::unreachable);
}

void Run::on_ready(Slot& slot, std::uint32_t events) {
  if (!slot.socket) return;  // was closed while this round's events were looked at
  if (slot.connecting) {
    connected(slot);
  } else if (slot.wants_write && (events & EPOLLOUT)) {
    write(slot);
  }
  if (slot.socket && !slot.connecting && (events & ~static_cast<std::uint32_t>(EPOLLOUT))) read(slot);
}

void Run::connected(Slot& slot) {
  int error = 0;
  socklen_t size = sizeof error;
  CHECK(getsockopt(slot.socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0);
  if (error) return fail(slot, error == ECONNREFUSED ? Failure::refused : Failure::unreachable);
  slot.connecting = false;
  if (slot.assigned) return write(slot);
  watch(slot, false);
  enter(slot, Slot::State::idle);
}

void Run::write(Slot& slot) {
  while (slot.written < plan_.request.size()) {
    ssize_t size =
        send(slot.socket.get(), plan_.request.data() + slot.written, plan_.request.size() - slot.written, MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return watch(slot, true);
    if (size < 0) {
      // The server may have said why before it closed; reading tells.
      slot.write_broken = true;
      break;
    }
    slot.written += static_cast<std::size_t>(size);
  }
  watch(slot, false);
}

void Run::watch(Slot& slot, bool writable) {
  if (slot.wants_write == writable) return;
  slot.wants_write = writable;
  epoll_event event{.events = writable ? EPOLLIN | EPOLLOUT : EPOLLIN,
                    .data = {.u32 = static_cast<std::uint32_t>(&slot - slots_.data())}};
  CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, slot.socket.get(), &event) == 0);
}

void Run::read(Slot& slot) {
  while (slot.socket) {
    ssize_t size = recv(slot.socket.get(), buffer_.data(), buffer_.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) return closed(slot);
    report_.bytes_received += static_cast<std::uint64_t>(size);
    take(slot, {buffer_.data(), static_cast<std::size_t>(size)});
    if (std::cmp_less(size, buffer_.size())) return;  // the next wait tells when there is more
  }
}

void Run::take(Slot& slot, std::string_view bytes) {
  // On an idle connection this is a last word, such as a 408, before the close.
  if (slot.state != Slot::State::busy) return closed(slot);
  std::size_t taken = slot.answer.take(bytes);
  if (slot.answer.state() == Answer::State::garbled || taken < bytes.size()) return fail(slot, Failure::garbled);
  if (slot.answer.state() == Answer::State::complete) complete(slot);
}

void Run::closed(Slot& slot) {
  if (slot.state != Slot::State::busy) {
    ++report_.closed_by_server;
    return close(slot, after_close());
  }
  slot.answer.closed();
  if (slot.answer.state() == Answer::State::complete) return complete(slot);
  if (slot.answer.state() == Answer::State::partial) return fail(slot, Failure::closed_mid_answer);
  fail(slot, slot.used ? Failure::closed_before_answer : Failure::reset_before_answer);
}

void Run::complete(Slot& slot) {
  report_.duration = elapsed();
  report_.answered(slot.answer.status(), now_ - slot.due, elapsed());
  bool whole = !slot.write_broken && slot.written == plan_.request.size();
  slot.assigned = false;
  slot.used = true;
  if (plan_.keep_alive && slot.answer.keep_alive() && whole) return enter(slot, Slot::State::idle);
  if (plan_.keep_alive) ++report_.closed_by_server;
  close(slot, after_close());
}

void Run::fail(Slot& slot, Failure failure) {
  if (slot.assigned) {
    report_.duration = elapsed();
    report_.failed(failure, elapsed());
    slot.assigned = false;
  }
  // It never stood, so that a run without reconnect may try it again.
  close(slot, slot.connecting ? Slot::State::resting : after_close());
}

void Run::close(Slot& slot, Slot::State next) {
  slot.socket.reset();
  slot.since = now_;
  enter(slot, next);
}

Slot::State Run::after_close() const {
  return plan_.reconnect || !plan_.keep_alive ? Slot::State::closed : Slot::State::retired;
}

}  // namespace

Result<Report> run(const Plan& plan, const std::atomic<bool>& stop) {
  auto run = std::make_unique<Run>(plan, stop);  // its buffer is too large for a stack
  return run->run();
}

}  // namespace nuclio::load
