// SPDX-License-Identifier: Apache-2.0
#include "processor/function_log.h"

#include <algorithm>
#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace nuclio::processor {
namespace {

// One field a variable, or the text as it is when it is no JSON object.
void add_fields(std::string_view variables, std::vector<log::Field>& fields) {
  boost::system::error_code error;
  std::array<unsigned char, 2048> room;  // enough for most
  boost::json::monotonic_resource memory{room.data(), room.size()};
  boost::json::value parsed = boost::json::parse(variables, error, &memory);
  if (error || !parsed.is_object()) {
    fields.emplace_back("variables", variables);
    return;
  }
  for (const auto& [key, value] : parsed.get_object())
    fields.push_back(log::Field::raw_json(std::string_view{key.data(), key.size()}, boost::json::serialize(value)));
}

bool is_object(std::string_view text) {
  boost::system::error_code error;
  return boost::json::parse(text, error).is_object() && !error;
}

}  // namespace

void CollectedLogs::begin(std::optional<log::Level> least) {
  least_ = least;
  lines_.clear();
  size_ = {};
}

void CollectedLogs::add(log::Level level, std::chrono::system_clock::time_point time, std::string_view message,
                        std::string_view variables) {
  size_.count += message.size() + variables.size() + sizeof(LogLine);
  if (size_ > kMost) return;
  lines_.push_back({time, level, std::string{message}, std::string{is_object(variables) ? variables : ""}});
}

void FunctionLog::line(const WorkerIdentity& worker, std::string_view event_id, CollectedLogs* shipped,
                       log::Level level, std::chrono::system_clock::time_point time, std::string_view message,
                       std::string_view variables) const {
  if (shipped && shipped->wants(level)) shipped->add(level, time, message, variables);
  if (level < least_ || !log::enabled(level)) return;
  std::vector<log::Field> fields;
  fields.reserve(8);  // ours and a few
  if (!variables.empty()) add_fields(variables, fields);
  // Where the function says something under one of our names, the field is the function's.
  auto add = [&](std::string_view key, const auto& value) {
    bool taken = std::ranges::any_of(fields, [&](const log::Field& field) { return field.key() == key; });
    if (!taken) fields.emplace_back(key, value);
  };
  add("trigger", worker.trigger_name);
  add("worker", worker.index.value());
  if (!event_id.empty()) add("event_id", event_id);
  log::write_as(logger_, level, time, message, fields);
}

void FunctionLog::failure(const WorkerIdentity& worker, std::string_view event_id, CollectedLogs* shipped,
                          const HandlerFailure& failure) const {
  std::string variables;
  if (!failure.traceback.empty()) variables = "{\"traceback\":" + log::json_string(failure.traceback) + "}";
  line(worker, event_id, shipped, log::Level::error, std::chrono::system_clock::now(), failure.message, variables);
}

}  // namespace nuclio::processor
