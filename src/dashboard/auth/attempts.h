// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "loop/clock.h"

namespace nuclio::dashboard {

// Slows down who guesses passwords: so many failures, then nothing is tried until some time has passed. They are
// counted for a user at an address, which stops a guesser and does not keep the user out elsewhere, and, with more
// room, for each address and each user. What it remembers is bounded: under a flood of new names the oldest are
// forgotten.
class Attempts {
 public:
  // How long nobody may try for this user from this address; 0 when they may.
  std::chrono::seconds wait(std::string_view user, std::string_view address, SteadyTime now) const;
  void failed(std::string_view user, std::string_view address, SteadyTime now);
  void succeeded(std::string_view user, std::string_view address);

 private:
  struct Failures {
    int count = 0;
    SteadyTime first{};
  };
  void count(const std::string& key, SteadyTime now);
  std::map<std::string, Failures> failures_;
};

}  // namespace nuclio::dashboard
