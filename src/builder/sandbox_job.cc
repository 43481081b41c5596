// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox_job.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "schema/json.h"

namespace nuclio::builder {
namespace {

namespace json = boost::json;

constexpr std::array kAllWhys{Why::invalid,     Why::not_found, Why::conflict,  Why::busy,         Why::timeout,
                              Why::unavailable, Why::forbidden, Why::too_large, Why::precondition, Why::internal};

json::array list_of(const std::vector<std::string>& texts) {
  json::array list;
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

std::unexpected<Error> unreadable() {
  return fail(Why::internal, "two parts of the builder do not understand each other; install all of the same version");
}

// The members of an object, where whatever is missing or of another kind is remembered rather than thrown.
class Members {
 public:
  explicit Members(const json::object* object) : object_(object), good_(object != nullptr) {}

  std::string text(std::string_view key) {
    const json::value* value = find(key);
    return value && value->is_string() ? std::string(value->get_string()) : missing<std::string>();
  }
  std::vector<std::string> texts(std::string_view key) {
    const json::value* value = find(key);
    if (!value || !value->is_array()) return missing<std::vector<std::string>>();
    std::vector<std::string> out;
    for (const json::value& each : value->get_array())
      out.push_back(each.is_string() ? std::string(each.get_string()) : missing<std::string>());
    return out;
  }
  std::int64_t number(std::string_view key) {
    const json::value* value = find(key);
    return value && value->is_int64() ? value->get_int64() : missing<std::int64_t>();
  }
  std::uint64_t count(std::string_view key) { return static_cast<std::uint64_t>(number(key)); }
  bool good() const { return good_; }

 private:
  const json::value* find(std::string_view key) const { return object_ ? object_->if_contains(key) : nullptr; }
  template <class T>
  T missing() {
    good_ = false;
    return {};
  }

  const json::object* object_;
  bool good_;
};

}  // namespace

std::string sandbox_job_text(const SandboxJob& it) {
  return json::serialize(json::object{{"layers", list_of(it.job.layers)},
                                      {"base", it.job.base},
                                      {"over", list_of(it.job.over)},
                                      {"overDigests", it.job.over_digests},
                                      {"commands", list_of(it.job.commands)},
                                      {"environment", list_of(it.job.environment)},
                                      {"workingDirectory", it.job.working_directory},
                                      {"user", it.job.user},
                                      {"network", it.job.network ? 1 : 0},
                                      {"cache", it.cache},
                                      {"modified", it.modified.time_since_epoch().count()},
                                      {"disk", static_cast<std::int64_t>(it.limits.disk.count)},
                                      {"file", static_cast<std::int64_t>(it.limits.file.count)},
                                      {"files", static_cast<std::int64_t>(it.limits.files)},
                                      {"processes", static_cast<std::int64_t>(it.limits.processes)},
                                      {"roots", static_cast<std::int64_t>(it.limits.roots)},
                                      {"rootsSize", static_cast<std::int64_t>(it.limits.roots_size.count)}});
}

Result<SandboxJob> parse_sandbox_job(const std::string& text) {
  const auto document = schema::parse_json(text);
  Members read{document ? document->if_object() : nullptr};
  SandboxJob it;
  it.job = {.layers = read.texts("layers"),
            .base = read.text("base"),
            .over = read.texts("over"),
            .over_digests = read.text("overDigests"),
            .commands = read.texts("commands"),
            .environment = read.texts("environment"),
            .working_directory = read.text("workingDirectory"),
            .user = read.text("user"),
            .network = read.number("network") != 0};
  it.cache = read.text("cache");
  it.modified = oci::ImageTime{std::chrono::seconds{read.number("modified")}};
  it.limits.disk = Bytes{read.count("disk")};
  it.limits.file = Bytes{read.count("file")};
  it.limits.files = read.count("files");
  it.limits.processes = read.count("processes");
  it.limits.roots = read.count("roots");
  it.limits.roots_size = Bytes{read.count("rootsSize")};
  if (!read.good()) return unreadable();
  return it;
}

std::string sandbox_outcome_text(const SandboxOutcome& outcome) {
  json::object text;
  if (outcome.error) {
    text["why"] = name(outcome.error->why);
    text["what"] = outcome.error->what;
  } else if (outcome.failed) {
    text["command"] = static_cast<std::int64_t>(outcome.failed->index);
    text["code"] = outcome.failed->status.code;
    text["signal"] = outcome.failed->status.signal;
  }
  std::string out = json::serialize(text);
  // A message may name a file whose name is no UTF-8, which JSON must be.
  if (!schema::parse_json(out)) std::ranges::replace_if(out, [](unsigned char c) { return c >= 0x80; }, '?');
  return out;
}

Result<SandboxOutcome> parse_sandbox_outcome(const std::string& text) {
  const auto document = schema::parse_json(text);
  const json::object* object = document ? document->if_object() : nullptr;
  if (!object) return unreadable();
  SandboxOutcome outcome;
  Members read{object};
  if (object->contains("why")) {
    const std::string why = read.text("why");
    outcome.error = Error{Why::internal, read.text("what")};
    for (const Why each : kAllWhys)
      if (name(each) == why) outcome.error->why = each;
  } else if (object->contains("command")) {
    outcome.failed = FailedCommand{read.count("command"),
                                   {static_cast<int>(read.number("code")), static_cast<int>(read.number("signal"))}};
  }
  if (!read.good()) return unreadable();
  return outcome;
}

}  // namespace nuclio::builder
