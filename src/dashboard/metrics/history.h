// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dashboard/metrics/point.h"
#include "dashboard/metrics/series.h"
#include "dashboard/metrics/trigger_point.h"
#include "platform/platform.h"

namespace nuclio::dashboard {

inline constexpr std::chrono::seconds kFineStep{10};     // for the last hour
inline constexpr std::chrono::seconds kCoarseStep{300};  // for the last day
inline constexpr std::chrono::hours kFineLength{1};
inline constexpr std::chrono::hours kCoarseLength{24};

// How functions have fared over the last day, and their triggers in the last step. In memory, and bounded: see Series.
// No I/O, no clock.
class MetricsHistory {
 public:
  // What happened in a fine step that has ended.
  void add(const platform::FunctionId& function, Step fine, const Point& point);
  // No function has replicas in that step, but those of which something was added.
  void add_quiet(Step fine);
  // What happened in the last fine step to the triggers of all functions of which a replica has told.
  void set_triggers(Step fine, std::map<platform::FunctionId, TriggerPoints> triggers);
  void forget(const platform::FunctionId& function) { functions_.erase(function); }
  std::vector<platform::FunctionId> functions() const;
  bool knows(const platform::FunctionId& function) const { return functions_.contains(function); }

  struct Window {
    std::chrono::sys_seconds begin;
    std::chrono::seconds step{0};
    std::vector<Point> points;  // one a step, unknown ones too
  };
  // The time before `now`, in steps of at least the length that is wanted.
  Window window(const platform::FunctionId& function, std::chrono::sys_seconds now, std::chrono::seconds length,
                std::chrono::seconds step) const;

  struct LastTriggers {
    std::chrono::sys_seconds begin;
    TriggerPoints triggers;  // none when no replica has told
  };
  // Nothing before the first step.
  std::optional<LastTriggers> triggers(const platform::FunctionId& function) const;

  std::size_t bytes() const;
  // All of it, for a file, and back. False when the text is none of ours.
  std::string write() const;
  bool read(std::string_view text);

 private:
  struct History {
    Series fine{kFineLength / kFineStep, 36};
    Series coarse{kCoarseLength / kCoarseStep, 24};
  };
  std::map<platform::FunctionId, History> functions_;
  std::optional<Step> triggers_step_;
  std::map<platform::FunctionId, TriggerPoints> triggers_;
};

}  // namespace nuclio::dashboard
