// SPDX-License-Identifier: Apache-2.0
#include "controller/resources/cron_jobs.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <sstream>

#include "base/duration.h"
#include "controller/resources/augment.h"
#include "controller/resources/merge.h"
#include "controller/resources/ports.h"
#include "controller/resources/restricted.h"
#include "http/headers.h"
#include "oci/digest.h"
#include "platform/kube/names.h"
#include "spec/cron_schedule.h"
#include "spec/invocation.h"

namespace nuclio::controller {
namespace {

namespace json = boost::json;
namespace kube = platform::kube;
using namespace std::chrono_literals;

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

std::optional<spec::CronSchedule> parsed(const spec::CronTrigger& cron) {
  if (cron.interval.count() > 0) return spec::CronSchedule::every(cron.interval);
  auto schedule = spec::CronSchedule::parse(cron.schedule);  // validate() has seen to it that it is one
  return schedule ? std::optional{*schedule} : std::nullopt;
}

std::optional<std::string> exact_schedule(const spec::CronTrigger& cron) {
  const auto schedule = parsed(cron);
  return schedule ? schedule->for_cron_job() : std::nullopt;
}

// Of one that a CronJob cannot keep, what comes next to it: each minute that it names, and each interval's minute.
std::string nearest_schedule(const spec::CronTrigger& cron) {
  if (cron.interval.count() > 0) return "@every " + format_duration(cron.interval);
  if (cron.schedule.starts_with('@')) return cron.schedule;
  std::istringstream fields{cron.schedule};
  std::vector<std::string> words;
  for (std::string word; fields >> word;) words.push_back(word);
  if (words.size() == 6) words.erase(words.begin());
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

bool is_masked(std::string_view text) { return text.starts_with("$ref:"); }

bool holds_masked(const spec::TriggerEvent& event) {
  return is_masked(event.body) || is_masked(event.path) || is_masked(event.method) ||
         std::ranges::any_of(event.headers, [](const auto& header) { return is_masked(header.second); });
}

// A path as a URL may have it.
std::string url_path(std::string_view path) {
  std::string out = path.starts_with('/') ? "" : "/";
  for (const char c : path) {
    if (c > ' ' && c < 0x7f && c != '#') {
      out += c;
      continue;
    }
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

// The headers of ours come before those of the event.
constexpr std::size_t kOwnHeaders = 3;
constexpr std::size_t kRestOfUrl = 256;  // "https://nuclio-", two names of 63 characters, the cluster's own

bool is_too_large(const spec::TriggerEvent& event) {
  return event.body.size() > spec::kMaxCallBody.count || event.headers.size() + kOwnHeaders > spec::kMaxCallHeaders ||
         url_path(event.path).size() + kRestOfUrl > spec::kMaxCallUrl.count ||
         std::ranges::any_of(event.headers, [](const auto& header) {
           return header.first.size() + header.second.size() + 2 > spec::kMaxCallHeader.count;
         });
}

// In a processor an event may hold what in a command line or in HTTP cannot be.
bool is_unspeakable(const spec::TriggerEvent& event) {
  return (!event.method.empty() && !http::is_header_name(event.method)) || event.body.find('\0') != std::string::npos ||
         std::ranges::any_of(event.headers, [](const auto& header) {
           return !http::is_header_name(header.first) || !http::is_header_value(header.second);
         });
}

struct Obstacle {
  std::string why;
  std::string remedy;
};

// Why no pod beside the function's can send its event, whenever that is.
std::optional<Obstacle> cannot_be_sent(const spec::FunctionSpec& function, const spec::CronTrigger& cron) {
  const spec::HttpTrigger* http = spec::http_trigger(function);
  if (!http) return Obstacle{"the function has no http trigger to be called by", "give it one"};
  if (http->tls && !http->tls->client_ca.empty())
    return Obstacle{"the function's http trigger serves only clients with a certificate (tls.clientCA)",
                    "leave that out"};
  if (holds_masked(cron.event))
    return Obstacle{"its event holds what is kept in a Secret, and a CronJob shows what it sends",
                    "let the handler read it from its environment"};
  if (is_too_large(cron.event))
    return Obstacle{"its event is larger than a CronJob's may be: 64 KiB of body, 97 headers of 8 KiB, a path of 7 KiB",
                    "make it smaller"};
  if (is_unspeakable(cron.event))
    return Obstacle{
        "its event cannot be sent over HTTP: the method, a header or the body has characters that cannot be",
        "leave them out"};
  return std::nullopt;
}

constexpr std::string_view kNoSuchSchedule =
    "its schedule is none that a CronJob keeps: whole minutes, and days of the month or of the week but not both at "
    "once";

// What fires it, and what is to be said of that.
struct Firing {
  bool by_cron_job = false;
  std::optional<CronComplaint> complaint = {};  // its message without the trigger's name
};

Firing firing_of(const spec::FunctionSpec& function, const spec::PlatformConfig& platform,
                 const spec::CronTrigger& cron) {
  const bool always = platform.cron_trigger_creation_mode == spec::CronTriggerCreationMode::kube;
  const bool several = replica_bounds(function).most > 1;
  if (!always && !several) return {};
  const auto each_replica = [&](std::string_view why, std::string_view remedy) -> Firing {
    if (!several) return {};
    return {.complaint = CronComplaint{"FiresInEachReplica", "fires in each replica, because " + std::string(why) +
                                                                 "; " + std::string(remedy) +
                                                                 ", or let the function have one replica"}};
  };
  if (const auto obstacle = cannot_be_sent(function, cron)) return each_replica(obstacle->why, obstacle->remedy);
  if (exact_schedule(cron)) return {.by_cron_job = true};
  if (!always) return each_replica(kNoSuchSchedule, "choose such a one");
  return {
      .by_cron_job = true,
      .complaint = CronComplaint{"FiresOnceAMinute", "fires otherwise than it says, once a minute at most, because " +
                                                         std::string(kNoSuchSchedule) +
                                                         "; choose such a one, or let the platform's "
                                                         "cronTriggerCreationMode be processor"}};
}

template <class Each>
void for_each_cron(const spec::FunctionConfig& config, Each each) {
  if (config.spec.disable || config.status.state == spec::FunctionState::imported) return;
  for (const auto& [name, trigger] : config.spec.triggers)
    if (const auto* cron = std::get_if<spec::CronTrigger>(&trigger.kind); cron && !trigger.disabled) each(name, *cron);
}

// So long an attempt may take: as long as the handler may. One that has no limit would be called again after this.
std::chrono::nanoseconds patience(const spec::FunctionSpec& function) {
  constexpr std::chrono::nanoseconds kLongest = 1h;  // that nuctl waits
  constexpr auto kOnTheWay = 10s;                    // for a worker, and for the answer
  if (function.event_timeout.count() == 0) return kLongest;
  const std::chrono::nanoseconds needed = std::chrono::ceil<std::chrono::seconds>(function.event_timeout) + kOnTheWay;
  return std::min(kLongest, needed);
}

// Kubernetes puts variables into the words of a command, of which none is meant.
std::string literal(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '$' ? "$$" : std::string(1, c);
  return out;
}

constexpr std::string_view kEventId = "NUCLIO_EVENT_ID";

// A vector of arguments, never a text for a shell: what the event's sender wrote is in it.
json::array command(const FunctionInput& input, const spec::TriggerEvent& event) {
  const spec::Metadata& function = input.config.metadata;
  const spec::HttpTrigger* http = spec::http_trigger(input.config.spec);
  const bool secure = http && http->tls;
  const std::string host = kube::object_name(function.name) + "." + function.namespace_name + ".svc.cluster.local";
  const std::string url =
      (secure ? "https://" : "http://") + host + ":" + std::to_string(kHttpPort) + url_path(event.path);
  json::array out{"nuctl", "call", json::value(literal(url))};
  const auto add = [&](const char* flag, const std::string& value) {
    out.emplace_back(flag);
    out.push_back(json::value(value));
  };
  add("--method", literal(event.method.empty() ? (event.body.empty() ? "GET" : "POST") : event.method));
  add("--header", "X-Nuclio-Invoke-Trigger: cron");
  add("--header", "X-Nuclio-Target: " + literal(function.name));
  add("--header", "X-Nuclio-Event-Id: $(" + std::string(kEventId) + ")");
  for (const auto& [name, value] : event.headers) add("--header", literal(name + ": " + value));
  if (!event.body.empty()) add("--body", literal(event.body));
  add("--attempts", "10");
  add("--timeout", format_duration(patience(input.config.spec)));
  // Its certificate is for those outside, and names another host.
  if (secure) out.emplace_back("--skip-tls");
  return out;
}

json::object pod_template(const FunctionInput& input, const spec::CronTrigger& cron, json::object labels) {
  // Without the function's class, or the function's Service would send requests here.
  labels.erase(kube::kClassLabel);
  labels.erase(kube::kAppLabel);
  labels["nuclio.io/function-cron-job-pod"] = "true";
  // Of the CronJob's name and the tick's minute, so that all pods and attempts of a tick have the same.
  const json::object job{{"fieldRef", {{"fieldPath", "metadata.labels['batch.kubernetes.io/job-name']"}}}};
  json::object container{{"name", "call"},
                         {"image", input.platform.kube.cron_trigger_cron_job_image},
                         {"command", command(input, cron.event)},
                         {"env", json::array{json::object{{"name", kEventId}, {"valueFrom", job}}}},
                         {"resources", {{"requests", {{"cpu", "25m"}, {"memory", "16Mi"}}}}},
                         {"securityContext", container_security_context({})}};
  json::object spec{{"restartPolicy", "Never"},
                    {"automountServiceAccountToken", false},
                    {"securityContext", pod_security_context({})},
                    {"containers", json::array{std::move(container)}}};
  if (const std::string& secret = input.platform.kube.image_pull_secrets; !secret.empty())
    spec["imagePullSecrets"] = json::array{json::object{{"name", secret}}};
  return {{"metadata", {{"labels", std::move(labels)}}}, {"spec", std::move(spec)}};
}

json::object cron_job(const FunctionInput& input, const std::string& trigger, const spec::CronTrigger& cron) {
  const spec::Metadata& function = input.config.metadata;
  const oci::Digest id = oci::Digest::of(function.namespace_name + "/" + function.name + "/" + trigger);
  json::object about = metadata(input, "nuclio-cron-job-" + std::string(id.hex().substr(0, 20)));
  json::object& labels = about["labels"].get_object();
  labels["nuclio.io/component"] = "cron-trigger";
  labels["nuclio.io/function-cron-trigger-name"] = label_value(trigger);
  json::object job{{"backoffLimit", cron.job_backoff_limit}, {"template", pod_template(input, cron, labels)}};
  const auto exact = exact_schedule(cron);
  return {{"apiVersion", k8s::kCronJobs.api_version()},
          {"kind", k8s::kCronJobs.kind},
          {"metadata", std::move(about)},
          {"spec",
           {{"schedule", exact ? *exact : nearest_schedule(cron)},
            {"timeZone", "UTC"},  // as everywhere; the cluster's own otherwise
            {"concurrencyPolicy", schema::name_of(cron.concurrency_policy)},
            {"successfulJobsHistoryLimit", 1},
            {"failedJobsHistoryLimit", 1},
            {"jobTemplate", {{"spec", std::move(job)}}}}}};
}

}  // namespace

bool is_cron_job(const spec::FunctionSpec& function, const spec::PlatformConfig& platform,
                 const spec::CronTrigger& cron) {
  return firing_of(function, platform, cron).by_cron_job;
}

std::optional<CronComplaint> cron_complaint(const spec::FunctionConfig& config, const spec::PlatformConfig& platform) {
  std::optional<CronComplaint> out;
  const spec::FunctionConfig whole = augmented(config, platform);
  for_each_cron(whole, [&](const std::string& name, const spec::CronTrigger& cron) {
    const auto complaint = firing_of(whole.spec, platform, cron).complaint;
    if (!complaint) return;
    const std::string message = "cron trigger \"" + name + "\" " + complaint->message;
    if (out)
      out->message += "\n" + message;
    else
      out = CronComplaint{complaint->reason, message};
  });
  return out;
}

std::vector<json::object> cron_jobs(const FunctionInput& input) {
  std::vector<json::object> out;
  for_each_cron(input.config, [&](const std::string& name, const spec::CronTrigger& cron) {
    if (is_cron_job(input.config.spec, input.platform, cron)) out.push_back(cron_job(input, name, cron));
  });
  return out;
}

}  // namespace nuclio::controller
