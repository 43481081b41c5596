// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <chrono>
#include <string>

#include "schema/schema.h"
#include "spec/metadata.h"
#include "spec/triggers/event.h"

namespace nuclio::spec {

enum class ConcurrencyPolicy { forbid, allow, replace };
constexpr auto choices(ConcurrencyPolicy) {
  using C = schema::Choice<ConcurrencyPolicy>;
  return std::array{C{ConcurrencyPolicy::forbid, "Forbid"}, C{ConcurrencyPolicy::allow, "Allow"},
                    C{ConcurrencyPolicy::replace, "Replace"}};
}

struct CronTrigger {
  static constexpr std::string_view kKind = "cron";
  std::string schedule;
  std::chrono::nanoseconds interval{0};
  TriggerEvent event;
  ConcurrencyPolicy concurrency_policy = ConcurrencyPolicy::forbid;
  int job_backoff_limit = 2;

  template <class C = CronTrigger>
  static constexpr auto fields() {
    return std::tuple{
        field(
            "schedule", &C::schedule,
            {.doc = "Cron expression with five fields, or six when seconds come first, or @every 5s, @hourly, @daily, "
                    "@weekly, @monthly, @yearly; in UTC."}),
        field("interval", &C::interval, {.doc = "Time between two events; wins over schedule."}),
        field("event", &C::event, {.doc = "The event to send."}),
        field("concurrencyPolicy", &C::concurrency_policy,
              {.doc = "What a CronJob does when the last run is not over.", .only = kKubernetes}),
        field("jobBackoffLimit", &C::job_backoff_limit,
              {.doc = "How many more pods a CronJob starts for a run that failed.", .min = 0, .only = kKubernetes}),
    };
  }
};

}  // namespace nuclio::spec
