// SPDX-License-Identifier: Apache-2.0
// Runs test/vectors/spec; its README says what a case holds.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <sstream>

#include "schema/describe.h"
#include "schema/yaml.h"
#include "spec/cron_schedule.h"
#include "spec/enrich.h"
#include "spec/function.h"
#include "spec/inline_config.h"
#include "spec/load.h"
#include "spec/merge.h"
#include "spec/platform_config.h"
#include "spec/rules.h"

namespace nuclio::spec {
namespace {

namespace json = boost::json;
using Problems = std::vector<schema::Problem>;

std::vector<json::object> cases(const std::string& file) {
  std::ifstream in(NUCLIO_VECTORS "/spec/" + file);
  std::stringstream text;
  text << in.rdbuf();
  const auto parsed = schema::parse_yaml(text.str());
  EXPECT_TRUE(parsed) << file << ": " << (parsed ? "" : parsed.error().what);
  std::vector<json::object> out;
  if (parsed && parsed->is_array())
    for (const json::value& one : parsed->get_array()) out.push_back(one.as_object());
  EXPECT_FALSE(out.empty()) << file;
  return out;
}

std::string text_of(const json::object& one, std::string_view key) {
  const auto* value = one.if_contains(key);
  return value == nullptr ? "" : std::string(value->as_string());
}

std::string lines(const json::object& one, std::string_view key) {
  std::string out;
  if (const auto* list = one.if_contains(key))
    for (const json::value& line : list->as_array()) out += (out.empty() ? "" : "\n") + std::string(line.as_string());
  return out;
}

// The outcome of a case that has a complaint, or a result with warnings.
template <class T>
void expect_outcome(const json::object& one, const Result<Loaded<T>>& outcome, const json::value& written) {
  if (one.contains("complaints")) {
    ASSERT_FALSE(outcome) << json::serialize(written);
    EXPECT_EQ(outcome.error().what, lines(one, "complaints"));
    EXPECT_EQ(outcome.error().why, Why::invalid);
  } else if (one.contains("complaint_begins")) {
    ASSERT_FALSE(outcome);
    EXPECT_TRUE(outcome.error().what.starts_with(text_of(one, "complaint_begins"))) << outcome.error().what;
  } else {
    ASSERT_TRUE(outcome) << outcome.error().what;
    EXPECT_EQ(written, one.at("result")) << json::serialize(written);
    EXPECT_EQ(schema::text(outcome->warnings), lines(one, "warnings"));
  }
}

Result<Loaded<FunctionConfig>> run_function(const json::object& one) {
  const Unknown unknown = text_of(one, "unknown") == "warning" ? Unknown::warning : Unknown::problem;
  TRY(Loaded<FunctionConfig> loaded, parse_function(text_of(one, "input"), unknown));
  if (text_of(one, "check") == "rules") {
    schema::Report report = check_rules(loaded.config);
    if (!report.problems.empty()) return fail(Why::invalid, schema::text(report.problems));
    loaded.warnings = std::move(report.warnings);
  }
  if (text_of(one, "stage") == "read") return loaded;
  loaded.config = enrich(std::move(loaded.config), PlatformConfig{});
  TRY(Problems warnings, validate(loaded.config));
  loaded.warnings.insert(loaded.warnings.end(), warnings.begin(), warnings.end());
  return loaded;
}

class FunctionVectors : public testing::TestWithParam<const char*> {};

TEST_P(FunctionVectors, GiveTheResultOrEveryComplaint) {
  for (const json::object& one : cases(GetParam())) {
    SCOPED_TRACE(text_of(one, "name"));
    const auto outcome = run_function(one);
    const json::value written = outcome ? to_json(outcome->config, Secrets::shown) : json::value(nullptr);
    expect_outcome(one, outcome, written);
    if (outcome && one.contains("elsewhere"))
      EXPECT_EQ(schema::text(without_effect(outcome->config, "process")), lines(one, "elsewhere"));
  }
}

TEST_P(FunctionVectors, AreTheSameAfterBeingWrittenAndReadAgain) {
  for (const json::object& one : cases(GetParam())) {
    SCOPED_TRACE(text_of(one, "name"));
    const auto outcome = run_function(one);
    if (!outcome) continue;
    const json::value written = to_json(outcome->config, Secrets::shown);
    const auto again = read_function(written, Unknown::problem);
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(to_json(again->config, Secrets::shown), written);
    const auto from_yaml = parse_function(schema::to_yaml(written), Unknown::problem);
    ASSERT_TRUE(from_yaml) << from_yaml.error().what << "\n" << schema::to_yaml(written);
    EXPECT_EQ(to_json(from_yaml->config, Secrets::shown), written) << schema::to_yaml(written);
    const FunctionConfig enriched = enrich(outcome->config, PlatformConfig{});
    EXPECT_EQ(to_json(enrich(enriched, PlatformConfig{}), Secrets::shown), to_json(enriched, Secrets::shown));
  }
}

INSTANTIATE_TEST_SUITE_P(Files, FunctionVectors,
                         testing::Values("function-fields.yaml", "function-triggers.yaml", "function-rules.yaml"));

TEST(PlatformVectors, GiveTheResultOrEveryComplaint) {
  for (const json::object& one : cases("platform.yaml")) {
    SCOPED_TRACE(text_of(one, "name"));
    const auto outcome = parse_platform_config(text_of(one, "input"), Unknown::problem);
    expect_outcome(one, outcome, outcome ? to_json(outcome->config, Secrets::shown) : json::value(nullptr));
    if (outcome && one.contains("elsewhere")) {
      EXPECT_EQ(schema::text(without_effect(outcome->config, "process")), lines(one, "elsewhere"));
      EXPECT_TRUE(without_effect(outcome->config, kKubernetes).empty());
    }
  }
}

TEST(MergeVectors, GiveTheResult) {
  for (const json::object& one : cases("merge.yaml"))
    EXPECT_EQ(merge_function(one.at("base"), one.at("over")), one.at("result")) << text_of(one, "name");
}

TEST(InlineVectors, GiveTheBlockOrTheComplaint) {
  for (const json::object& one : cases("inline.yaml")) {
    SCOPED_TRACE(text_of(one, "name"));
    const auto found = find_inline_config(text_of(one, "source"), text_of(one, "sign"));
    if (one.contains("complaint")) {
      ASSERT_FALSE(found);
      EXPECT_TRUE(found.error().what.starts_with(text_of(one, "complaint"))) << found.error().what;
      continue;
    }
    ASSERT_TRUE(found) << found.error().what;
    ASSERT_EQ(found->has_value(), one.contains("result"));
    if (*found) EXPECT_EQ(**found, one.at("result"));
  }
}

CronSchedule::Time time_of(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  EXPECT_EQ(std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d", &year, &month, &day, &hour, &minute, &second), 6) << text;
  const std::chrono::sys_days date{std::chrono::year{year} / month / day};
  return date + std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second};
}

TEST(CronVectors, GiveTheNextTimesOrTheComplaint) {
  for (const json::object& one : cases("cron.yaml")) {
    SCOPED_TRACE(text_of(one, "name"));
    const auto schedule = CronSchedule::parse(text_of(one, "schedule"));
    if (one.contains("complaint")) {
      ASSERT_FALSE(schedule);
      EXPECT_TRUE(schedule.error().what.starts_with(text_of(one, "complaint"))) << schedule.error().what;
      continue;
    }
    ASSERT_TRUE(schedule) << schedule.error().what;
    CronSchedule::Time time = time_of(text_of(one, "after"));
    for (const json::value& next : one.at("next").as_array()) {
      time = schedule->next_after(time);
      EXPECT_EQ(time, time_of(std::string(next.as_string()))) << next;
    }
    if (const json::value* cron_job = one.if_contains("cronJob")) {
      const auto found = schedule->for_cron_job();
      EXPECT_EQ(found ? json::value(*found) : json::value(), *cron_job);
    }
  }
}

}  // namespace
}  // namespace nuclio::spec
