// SPDX-License-Identifier: Apache-2.0
#include "loop/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "base/check.h"

namespace nuclio {

Signals::Signals(Loop& loop, std::initializer_list<int> numbers) {
  sigset_t set;
  sigemptyset(&set);
  for (int number : numbers) sigaddset(&set, number);
  CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  descriptor_ = Descriptor{signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)};
  CHECK(descriptor_);
  watch_ = std::make_unique<Watch>(loop, descriptor_.get());
}

Task<int> Signals::next() {
  for (;;) {
    signalfd_siginfo info{};
    if (read(descriptor_.get(), &info, sizeof info) == sizeof info) co_return static_cast<int>(info.ssi_signo);
    watch_->drained(Watch::Direction::read);
    (void)co_await watch_->readable(Deadline::never());
  }
}

void ignore_broken_pipes() { ::signal(SIGPIPE, SIG_IGN); }

}  // namespace nuclio
