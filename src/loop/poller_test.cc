// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "loop/loop.h"

namespace nuclio {
namespace {

// Looks at a number that another thread raises, and is woken by a message when it said that it sleeps.
class Mailbox final : public Poller {
 public:
  explicit Mailbox(Loop& loop) : loop_(loop) { loop.add(*this); }

  bool poll() override {
    int here = arrived_.load();
    if (here == taken_) return false;
    taken_ = here;
    if (taken_ == kMails) loop_.stop();
    return true;
  }
  bool arm() override {
    ++arms;
    sleeping_.store(true);
    return arrived_.load() == taken_;
  }
  void disarm() override {
    ++disarms;
    sleeping_.store(false);
  }
  // Any thread.
  void send() {
    arrived_.fetch_add(1);
    if (sleeping_.exchange(false)) loop_.post([] {});
  }

  static constexpr int kMails = 1000;
  int arms = 0;
  int disarms = 0;

 private:
  Loop& loop_;
  int taken_ = 0;
  std::atomic<int> arrived_ = 0;
  std::atomic<bool> sleeping_ = false;
};

TEST(Poller, MissesNothingThatComesWhileTheLoopFallsAsleep) {
  Loop loop;
  Mailbox mailbox{loop};
  std::thread sender([&] {
    for (int i = 0; i < Mailbox::kMails; ++i) {
      mailbox.send();
      if (i % 50 == 0) std::this_thread::yield();
    }
  });
  loop.run();  // ends when all have been taken, and hangs when one was missed
  sender.join();
  EXPECT_EQ(mailbox.arms, mailbox.disarms);
}

}  // namespace
}  // namespace nuclio
