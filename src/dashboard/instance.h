// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "base/result.h"
#include "loop/descriptor.h"
#include "platform/process/home.h"

namespace nuclio::dashboard {

// The right to be the one dashboard of a NUCLIO_HOME, for as long as this lives. dashboard.pid and dashboard.address
// tell others who has it and where.
class Instance {
 public:
  // Why::conflict names the one that runs already.
  static Result<Instance> claim(const platform::process::Home& home);
  Instance(Instance&&) noexcept = default;
  Instance& operator=(Instance&&) = delete;
  ~Instance();

  Result<void> publish(const std::string& address);

 private:
  Instance(platform::process::Home home, Descriptor lock) : home_(std::move(home)), lock_(std::move(lock)) {}
  platform::process::Home home_;
  Descriptor lock_;
};

}  // namespace nuclio::dashboard
