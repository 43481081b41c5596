// SPDX-License-Identifier: Apache-2.0
// Any text as a function.yaml, an inline block and a cron schedule: a result or an error, and what was read is the same
// after it was written and read again.
#include <boost/json/value.hpp>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "schema/document.h"
#include "schema/yaml.h"
#include "spec/cron_schedule.h"
#include "spec/enrich.h"
#include "spec/function.h"
#include "spec/inline_config.h"
#include "spec/load.h"
#include "spec/platform_config.h"
#include "spec/rules.h"

namespace nuclio {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto document = schema::parse_document(text)) {
    const auto again = schema::parse_yaml(schema::to_yaml(document->value));
    CHECK(again && *again == document->value);
  }
  if (auto loaded = spec::parse_function(text, spec::Unknown::warning)) {
    const auto written = spec::to_json(loaded->config, spec::Secrets::shown);
    const auto again = spec::read_function(written, spec::Unknown::problem);
    CHECK(again && spec::to_json(again->config, spec::Secrets::shown) == written);
    static_cast<void>(spec::validate(spec::enrich(std::move(loaded->config), spec::PlatformConfig{})));
  }
  static_cast<void>(spec::find_inline_config(text, "#"));
  if (const auto schedule = spec::CronSchedule::parse(text)) {
    const spec::CronSchedule::Time now{std::chrono::seconds{1700000000}};
    CHECK(schedule->next_after(now) > now);
  }
  return 0;
}

}  // namespace nuclio
