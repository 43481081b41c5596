// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <sstream>

#include "base/duration.h"
#include "controller/resources/desired.h"
#include "controller/resources/merge.h"
#include "controller/resources/ports.h"
#include "controller/resources/restricted.h"
#include "oci/digest.h"
#include "platform/kube/names.h"

namespace nuclio::controller {
namespace {

namespace json = boost::json;
namespace kube = platform::kube;

// Names of triggers may be anything, values of labels may not.
std::string label_value(std::string_view text) {
  std::string out{text.substr(0, 63)};
  const auto is_good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  for (char& c : out)
    if (!is_good(c) && c != '-' && c != '_' && c != '.') c = '-';
  while (!out.empty() && !is_good(out.back())) out.pop_back();
  out.erase(out.begin(), std::ranges::find_if(out, is_good));
  return out;
}

// A CronJob's finest step is a minute, except for intervals: the field for seconds goes.
std::string schedule_of(const spec::CronTrigger& cron) {
  if (cron.interval.count() > 0) return "@every " + format_duration(cron.interval);
  std::istringstream fields{cron.schedule};
  std::vector<std::string> words;
  for (std::string word; fields >> word;) words.push_back(word);
  if (words.size() == 6) words.erase(words.begin());
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

// A vector of arguments, never a text for a shell: what the event's sender wrote is in it.
json::array command(const FunctionInput& input, const spec::TriggerEvent& event) {
  const spec::Metadata& function = input.config.metadata;
  std::string path = event.path;
  if (!path.starts_with('/')) path.insert(0, 1, '/');
  json::array out{"nuctl", "call",
                  json::value("http://" + kube::object_name(function.name) + "." + function.namespace_name +
                              ".svc.cluster.local:" + std::to_string(kHttpPort) + path)};
  const auto add = [&](const char* flag, const std::string& value) {
    out.emplace_back(flag);
    out.push_back(json::value(value));
  };
  add("--method", event.method.empty() ? (event.body.empty() ? "GET" : "POST") : event.method);
  add("--header", "X-Nuclio-Invoke-Trigger: cron");
  add("--header", "X-Nuclio-Target: " + function.name);
  for (const auto& [name, value] : event.headers) add("--header", name + ": " + value);
  if (!event.body.empty()) add("--body", event.body);
  add("--attempts", "10");
  add("--timeout", "10s");
  return out;
}

json::object pod_template(const FunctionInput& input, const spec::CronTrigger& cron, json::object labels) {
  // Without the function's class, or the function's Service would send requests here.
  labels.erase(kube::kClassLabel);
  labels.erase(kube::kAppLabel);
  labels["nuclio.io/function-cron-job-pod"] = "true";
  json::object container{{"name", "call"},
                         {"image", input.platform.kube.cron_trigger_cron_job_image},
                         {"command", command(input, cron.event)},
                         {"resources", {{"requests", {{"cpu", "25m"}, {"memory", "16Mi"}}}}},
                         {"securityContext", container_security_context({})}};
  return {{"metadata", {{"labels", std::move(labels)}}},
          {"spec",
           {{"restartPolicy", "Never"},
            {"automountServiceAccountToken", false},
            {"securityContext", pod_security_context({})},
            {"containers", json::array{std::move(container)}}}}};
}

json::object cron_job(const FunctionInput& input, const std::string& trigger, const spec::CronTrigger& cron) {
  const spec::Metadata& function = input.config.metadata;
  const oci::Digest id = oci::Digest::of(function.namespace_name + "/" + function.name + "/" + trigger);
  json::object about = metadata(input, "nuclio-cron-job-" + std::string(id.hex().substr(0, 20)));
  json::object& labels = about["labels"].get_object();
  labels["nuclio.io/component"] = "cron-trigger";
  labels["nuclio.io/function-cron-trigger-name"] = label_value(trigger);
  json::object job{{"backoffLimit", cron.job_backoff_limit}, {"template", pod_template(input, cron, labels)}};
  return {{"apiVersion", k8s::kCronJobs.api_version()},
          {"kind", k8s::kCronJobs.kind},
          {"metadata", std::move(about)},
          {"spec",
           {{"schedule", schedule_of(cron)},
            {"concurrencyPolicy", schema::name_of(cron.concurrency_policy)},
            {"successfulJobsHistoryLimit", 1},
            {"failedJobsHistoryLimit", 1},
            {"jobTemplate", {{"spec", std::move(job)}}}}}};
}

}  // namespace

std::vector<json::object> cron_jobs(const FunctionInput& input) {
  std::vector<json::object> out;
  if (input.platform.cron_trigger_creation_mode != spec::CronTriggerCreationMode::kube) return out;
  if (input.config.spec.disable || input.config.status.state == spec::FunctionState::imported) return out;
  for (const auto& [name, trigger] : input.config.spec.triggers)
    if (const auto* cron = std::get_if<spec::CronTrigger>(&trigger.kind); cron && !trigger.disabled)
      out.push_back(cron_job(input, name, *cron));
  return out;
}

}  // namespace nuclio::controller
