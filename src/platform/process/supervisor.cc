// SPDX-License-Identifier: Apache-2.0
#include "platform/process/supervisor.h"

#include <algorithm>

#include "base/log.h"

namespace nuclio::platform::process {
namespace {

constexpr std::size_t kLastWords = 100;

}  // namespace

Supervisor::Supervisor(Loop& loop, std::function<void()> changed)
    : loop_(loop), changed_(std::move(changed)), finishers_(loop) {}

Supervisor::~Supervisor() = default;

Task<Result<void>> Supervisor::replace(Launch launch, int count, Times times, Deadline ready,
                                       std::function<Result<void>()> commit) {
  auto next = std::make_unique<Generation>(loop_, std::move(launch), times);
  auto started = co_await start_all(*next, count, ready);
  if (started) started = commit();
  // From here on either all of the new ones serve or none of them does.
  if (!started) {
    co_await retire(std::move(next));
    co_return started;
  }
  for (Slot& slot : next->slots) next->keepers.spawn(keep(*next, slot));
  auto old = std::exchange(current_, std::move(next));
  if (old) co_await retire(std::move(old));
  co_return started;
}

// They finish in the background, where this waits for no more than that nothing new reaches them: who knows of the
// change is not to be answered by what it has ended.
Task<void> Supervisor::retire(std::unique_ptr<Generation> generation) {
  std::shared_ptr<Generation> retired = std::move(generation);
  finishers_.spawn(finish(retired, Deadline::in(retired->times.drain)));
  const Deadline deadline = Deadline::in(retired->times.accept);
  for (Slot& slot : retired->slots)
    if (slot.replica) co_await slot.replica->draining(deadline);
}

Task<Result<void>> Supervisor::start_all(Generation& generation, int count, Deadline ready) {
  for (int i = 0; i < count; ++i) {
    Slot& slot = generation.slots.emplace_back();
    CO_TRY(slot.replica, Replica::start(loop_, generation.launch));
    co_await loop_.yield();
  }
  for (Slot& slot : generation.slots) {
    auto is_ready = co_await slot.replica->ready(ready);
    if (!is_ready) {
      note_failure(*slot.replica);
      co_return is_ready;
    }
    slot.ready = true;
  }
  co_return Result<void>{};
}

void Supervisor::resume(Launch launch, int count, Times times) {
  current_ = std::make_unique<Generation>(loop_, std::move(launch), times);
  for (int i = 0; i < count; ++i) current_->slots.emplace_back();
  current_->keepers.spawn(keep_all(*current_));
}

// One after the other: starting a process holds up the loop for as long as that takes.
Task<void> Supervisor::keep_all(Generation& generation) {
  for (Slot& slot : generation.slots) {
    co_await loop_.yield();
    generation.keepers.spawn(keep(generation, slot));
  }
}

// Never ends by itself: it is cancelled when the generation is replaced or stopped.
Task<void> Supervisor::keep(Generation& generation, Slot& slot) {
  for (;;) {
    SteadyTime began = std::chrono::steady_clock::now();
    if (!slot.replica) {
      auto started = co_await start_again(generation, slot);
      if (started) {
        slot.ready = true;
        tell();
      } else {
        slot.complaint = started.error().what;
      }
    }
    if (slot.ready) {
      auto status = co_await slot.replica->exited();
      slot.ready = false;
      slot.complaint = "replica " + slot.replica->name().value() + " " + status->text();
      note_failure(*slot.replica);
    }
    slot.replica.reset();
    auto pause = slot.backoff.next(std::chrono::steady_clock::now() - began);
    log::warn(
        "A replica is started again",
        {{"function", generation.launch.function}, {"reason", slot.complaint}, {"in milliseconds", pause.count()}});
    tell();
    co_await loop_.sleep(pause);
  }
}

Task<Result<void>> Supervisor::start_again(Generation& generation, Slot& slot) {
  CO_TRY(slot.replica, Replica::start(loop_, generation.launch));
  auto ready = co_await slot.replica->ready(Deadline::in(generation.times.ready));
  if (!ready) note_failure(*slot.replica);
  co_return ready;
}

Task<void> Supervisor::finish(std::shared_ptr<Generation> generation, Deadline deadline) {
  generation->keepers.cancel();
  finishing_.push_back(generation.get());
  // Declared after what it uses; all stop at the same time.
  Group stopping{loop_};
  for (Slot& slot : generation->slots)
    if (slot.replica) stopping.spawn(slot.replica->stop(deadline));
  (void)co_await stopping.empty();
  std::erase(finishing_, generation.get());
}

Task<void> Supervisor::stop(Deadline deadline) {
  if (current_) finishers_.spawn(finish(std::shared_ptr<Generation>(std::move(current_)), deadline));
  bool all = co_await finishers_.empty(deadline);
  if (all) co_return;
  finishers_.cancel();  // those kill what is left
  finishing_.clear();
}

bool Supervisor::healthy() const {
  return current_ && std::ranges::all_of(current_->slots, [](const Slot& slot) { return slot.ready; });
}

std::string Supervisor::complaint() const {
  if (!current_) return {};
  for (const Slot& slot : current_->slots)
    if (!slot.ready) return slot.complaint;
  return {};
}

std::vector<ReplicaName> Supervisor::replicas() const {
  std::vector<ReplicaName> names;
  if (!current_) return names;
  for (const Slot& slot : current_->slots)
    if (slot.replica && slot.ready) names.push_back(slot.replica->name());
  return names;
}

std::vector<std::pair<ReplicaName, std::string>> Supervisor::addresses(std::string_view name) const {
  std::vector<std::pair<ReplicaName, std::string>> out;
  if (!current_) return out;
  for (const Slot& slot : current_->slots) {
    if (!slot.replica || !slot.ready) continue;
    std::string address = slot.replica->address(name);
    if (!address.empty()) out.emplace_back(slot.replica->name(), std::move(address));
  }
  return out;
}

bool Supervisor::runs(const ReplicaName& name) const {
  auto in = [&](const Generation& generation) {
    return std::ranges::any_of(generation.slots, [&](const Slot& slot) {
      return slot.replica && slot.replica->running() && slot.replica->name() == name;
    });
  };
  return (current_ && in(*current_)) ||
         std::ranges::any_of(finishing_, [&](const Generation* generation) { return in(*generation); });
}

void Supervisor::note_failure(const Replica& replica) { last_words_ = replica.last_words(kLastWords); }

void Supervisor::tell() { changed_(); }

}  // namespace nuclio::platform::process
