// SPDX-License-Identifier: Apache-2.0
#include "wire/cpus.h"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <string>

namespace nuclio::wire {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream in{path};
  std::string line;
  std::getline(in, line);
  return line;
}

// Of this process's group and those above it: each may be the narrowest.
double quota() {
  constexpr std::string_view kUnified = "0::";
  double least = quota_of(first_line("/sys/fs/cgroup/cpu.max"));
  std::ifstream groups{"/proc/self/cgroup"};
  for (std::string line; std::getline(groups, line);) {
    if (!line.starts_with(kUnified)) continue;
    std::string path = line.substr(kUnified.size());
    for (; path.size() > 1; path.resize(path.rfind('/')))
      least = std::min(least, quota_of(first_line("/sys/fs/cgroup" + path + "/cpu.max")));
  }
  return least;
}

bool look() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  return sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) >= 2 && quota() >= 2;
}

}  // namespace

double quota_of(std::string_view cpu_max) {
  constexpr double kNone = std::numeric_limits<double>::infinity();
  auto space = cpu_max.find(' ');
  if (space == std::string_view::npos) return kNone;
  double time = 0;
  double period = 0;
  const char* end = cpu_max.data() + cpu_max.size();
  if (std::from_chars(cpu_max.data(), cpu_max.data() + space, time).ec != std::errc{}) return kNone;
  if (std::from_chars(cpu_max.data() + space + 1, end, period).ec != std::errc{} || !(period > 0)) return kNone;
  return time / period;
}

bool several_cpus() {
  static const bool several = look();
  return several;
}

}  // namespace nuclio::wire
