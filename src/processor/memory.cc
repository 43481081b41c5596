// SPDX-License-Identifier: Apache-2.0
#include "processor/memory.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 500ms;  // of who asks; then they get what was found before
constexpr auto kLeastPause = 5s;
constexpr int kPausesEach = 100;  // as long as it took
constexpr std::size_t kMostProcesses =
    4096;  // that are looked at; a function has some workers, each with few of its own

std::optional<Bytes> memory_of(const std::filesystem::path& process) {
  std::ifstream rollup(process / "smaps_rollup");
  std::uint64_t kibibytes = 0;
  for (std::string word; rollup >> word;)
    if (word == "Pss:" && rollup >> kibibytes) return Bytes{kibibytes << 10};
  return std::nullopt;
}

void add_children(const std::filesystem::path& process, std::vector<pid_t>& out) {
  std::error_code gone;
  for (auto thread = std::filesystem::directory_iterator(process / "task", gone);
       !gone && thread != std::filesystem::directory_iterator(); thread.increment(gone)) {
    std::ifstream children(thread->path() / "children");
    for (pid_t child = 0; children >> child;) out.push_back(child);
  }
}

}  // namespace

std::optional<Bytes> memory_of_tree(const std::string& proc, pid_t root) {
  const std::filesystem::path folder{proc};
  std::vector<pid_t> tree{root};
  Bytes sum;
  for (std::size_t at = 0; at < std::min(tree.size(), kMostProcesses); ++at) {
    const std::filesystem::path process = folder / std::to_string(tree[at]);
    const auto memory = memory_of(process);
    if (!memory && at == 0) return std::nullopt;
    if (memory) sum.count += memory->count;
    add_children(process, tree);
  }
  return sum;
}

Task<std::optional<Bytes>> MemoryMeter::measure() {
  take();
  if (!found_ && loop_.now() >= next_) {
    found_ = std::make_shared<Found>();
    thread_ = std::make_unique<SideThread>(loop_, [found = found_] {
      const auto began = std::chrono::steady_clock::now();
      found->memory = memory_of_tree("/proc", ::getpid());
      found->took = std::chrono::steady_clock::now() - began;
    });
  }
  (void)co_await finished(Deadline::in(kPatience));
  take();
  co_return last_;
}

Task<bool> MemoryMeter::finished(Deadline deadline) {
  if (!thread_) co_return true;
  co_return co_await thread_->finished(deadline);
}

// The thread stays until the next begins: several may wait for it, and are told one after the other.
void MemoryMeter::take() {
  if (!found_ || thread_->running()) return;
  last_ = found_->memory;
  next_ = loop_.now() + std::max<std::chrono::nanoseconds>(kLeastPause, kPausesEach * found_->took);
  found_.reset();
}

}  // namespace nuclio::processor
