// SPDX-License-Identifier: Apache-2.0
// How much memory something took at its most, for the tests.
#pragma once
#include <fstream>
#include <string>

namespace nuclio::oci {

#ifndef __has_feature
#define __has_feature(x) 0
#endif
// A sanitizer keeps what was freed, and counts as much as what it looks at.
inline constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);

class MemoryPeak {
 public:
  MemoryPeak() : before_kib_(kib("VmRSS:")) { std::ofstream("/proc/self/clear_refs") << "5"; }  // the peak begins anew
  // Above what was there before, in KiB.
  long growth_kib() const { return kib("VmHWM:") - before_kib_; }

 private:
  static long kib(const std::string& name) {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
      if (long number = 0; word == name && status >> number) return number;
    return 0;
  }
  long before_kib_;
};

}  // namespace nuclio::oci
