// SPDX-License-Identifier: Apache-2.0
#include "processor/cloud_event.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/base64.h"
#include "http/characters.h"
#include "http/router.h"
#include "schema/json.h"

namespace nuclio::processor {
namespace {

namespace json = boost::json;

constexpr std::string_view kStructured = "application/cloudevents";
constexpr std::string_view kBatch = "application/cloudevents-batch";
constexpr std::string_view kJson = "application/json";

std::unexpected<Error> wrong(std::string what) { return fail(Why::invalid, "bad CloudEvent: " + std::move(what)); }

bool begins_with(std::string_view text, std::string_view start) {
  return text.size() >= start.size() && http::same_ignoring_case(text.substr(0, start.size()), start);
}

bool is_json(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && http::is_blank(type.back())) type.remove_suffix(1);
  if (http::same_ignoring_case(type, kJson)) return true;
  return type.size() > 5 && http::same_ignoring_case(type.substr(type.size() - 5), "+json");
}

Result<void> read_time(std::string_view text, std::string_view name, CloudEvent& event) {
  if (text.empty()) return {};
  event.time = parse_rfc3339(text);
  if (!event.time)
    return wrong(std::string{name} + " must be a time such as 2024-05-06T07:08:09Z, is \"" + std::string{text} + "\"");
  return {};
}

// What 1.0 demands of each event. `prefix` is what stands before the attributes' names where they were looked for.
Result<void> check_required(const CloudEvent& event, std::string_view prefix) {
  if (event.version != "1.0")
    return wrong(std::string{prefix} + "specversion \"" + event.version + "\" is not known; 0.1 and 1.0 are");
  const std::pair<std::string_view, const std::string*> required[] = {
      {"id", &event.id}, {"source", &event.source}, {"type", &event.type}};
  for (auto [name, value] : required)
    if (value->empty()) return wrong(std::string{prefix} + std::string{name} + " is missing or empty");
  return {};
}

// Text of an attribute: "" for an absent one.
Result<std::string> text_of(const json::object& envelope, std::string_view name) {
  const json::value* value = envelope.if_contains(name);
  if (!value || value->is_null()) return "";
  if (!value->is_string()) return wrong(std::string{name} + " must be a string, is " + json::serialize(*value));
  return std::string{value->get_string()};
}

// Header values are percent-encoded where a header cannot hold the character.
std::string header_text(const http::HeaderViews& headers, std::string_view name) {
  std::string_view value = headers.get(name);
  return http::percent_decode(value).value_or(std::string{value});
}

Result<CloudEvent> read_binary(const http::HeaderViews& headers) {
  CloudEvent event;
  event.version = header_text(headers, "ce-specversion");
  event.id = header_text(headers, "ce-id");
  event.source = header_text(headers, "ce-source");
  event.type = header_text(headers, "ce-type");
  TRY_DO(check_required(event, "ce-"));
  TRY_DO(read_time(headers.get("ce-time"), "ce-time", event));
  return event;
}

Result<CloudEvent> read_binary_01(const http::HeaderViews& headers) {
  CloudEvent event;
  event.version = headers.get("CE-CloudEventsVersion");
  event.id = headers.get("CE-EventID");
  event.source = headers.get("CE-Source");
  event.type = headers.get("CE-EventType");
  event.type_version = headers.get("CE-EventTypeVersion");
  TRY_DO(read_time(headers.get("CE-EventTime"), "CE-EventTime", event));
  return event;
}

// A string is the body itself in 0.1, as Nuclio has it.
Result<CloudEvent> read_envelope_01(const json::object& envelope) {
  CloudEvent event;
  CloudEvent::Envelope& inner = event.envelope.emplace();
  TRY(event.version, text_of(envelope, "cloudEventsVersion"));
  TRY(event.id, text_of(envelope, "eventID"));
  TRY(event.source, text_of(envelope, "source"));
  TRY(event.type, text_of(envelope, "eventType"));
  TRY(event.type_version, text_of(envelope, "eventTypeVersion"));
  TRY(std::string time, text_of(envelope, "eventTime"));
  TRY_DO(read_time(time, "eventTime", event));
  TRY(inner.content_type, text_of(envelope, "contentType"));
  if (const json::value* data = envelope.if_contains("data")) {
    inner.body = data->is_string() ? std::string{data->get_string()} : json::serialize(*data);
    if (inner.content_type.empty() && !data->is_string()) inner.content_type = kJson;
  }
  return event;
}

Result<std::string> data_of(const json::object& envelope, std::string_view content_type) {
  const json::value* data = envelope.if_contains("data");
  const json::value* base64 = envelope.if_contains("data_base64");
  if (data && base64) return wrong("data and data_base64 exclude each other");
  if (base64) {
    if (!base64->is_string()) return wrong("data_base64 must be a string");
    auto decoded = decode_base64(std::string_view{base64->get_string()});
    if (!decoded) return wrong("data_base64: " + decoded.error().what);
    return decoded;
  }
  if (!data) return "";
  // Text of another type than JSON is the data itself; all else is data in JSON.
  if (data->is_string() && !is_json(content_type)) return std::string{data->get_string()};
  return json::serialize(*data);
}

Result<CloudEvent> read_envelope(const json::object& envelope) {
  CloudEvent event;
  CloudEvent::Envelope& inner = event.envelope.emplace();
  TRY(event.version, text_of(envelope, "specversion"));
  TRY(event.id, text_of(envelope, "id"));
  TRY(event.source, text_of(envelope, "source"));
  TRY(event.type, text_of(envelope, "type"));
  TRY_DO(check_required(event, ""));
  TRY(std::string time, text_of(envelope, "time"));
  TRY_DO(read_time(time, "time", event));
  TRY(inner.content_type, text_of(envelope, "datacontenttype"));
  if (inner.content_type.empty() && envelope.contains("data")) inner.content_type = kJson;
  TRY(inner.body, data_of(envelope, inner.content_type));
  for (const auto& [name, value] : envelope) {
    bool in_header = name != "data" && name != "data_base64" && name != "datacontenttype";
    if (!in_header || value.is_null()) continue;
    // As our http trigger spells all headers.
    std::string header = "Ce-" + std::string{name};
    if (header.size() > 3 && header[3] >= 'a' && header[3] <= 'z') header[3] = static_cast<char>(header[3] - 'a' + 'A');
    std::string text = value.is_string() ? std::string{value.get_string()} : json::serialize(value);
    inner.headers.emplace_back(std::move(header), std::move(text));
  }
  return event;
}

Result<CloudEvent> read_structured(std::string_view body) {
  auto envelope = schema::parse_json(body);
  if (!envelope) return wrong("body: " + envelope.error().what);
  if (!envelope->is_object()) return wrong("the body must be a JSON object");
  const json::object& object = envelope->get_object();
  if (object.contains("specversion")) return read_envelope(object);
  if (object.contains("cloudEventsVersion")) return read_envelope_01(object);
  return wrong("specversion is missing (cloudEventsVersion in version 0.1)");
}

}  // namespace

Result<std::optional<CloudEvent>> read_cloud_event(const http::Request& request) {
  std::string_view content_type = request.headers.get("Content-Type");
  if (begins_with(content_type, kBatch))
    return wrong("batches are not supported; send one event a request, as application/cloudevents+json");
  if (begins_with(content_type, kStructured)) return read_structured(request.body);
  if (request.headers.has("ce-specversion")) return read_binary(request.headers);
  if (request.headers.has("CE-CloudEventsVersion")) return read_binary_01(request.headers);
  return std::nullopt;
}

void apply(const CloudEvent& cloud_event, std::vector<wire::Pair>& headers, Event& event) {
  if (!cloud_event.id.empty()) event.id = cloud_event.id;
  if (!cloud_event.source.empty()) event.trigger_kind = cloud_event.source;
  event.type = cloud_event.type;
  event.type_version = cloud_event.type_version;
  event.version = cloud_event.version;
  if (cloud_event.time) event.timestamp = *cloud_event.time;
  if (!cloud_event.envelope) return;
  event.content_type = cloud_event.envelope->content_type;
  event.body = cloud_event.envelope->body;
  headers.clear();
  for (const auto& [name, value] : cloud_event.envelope->headers) headers.push_back({name, value});
  event.headers = headers;
}

std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text) {
  auto digits = [&](std::size_t count) -> std::optional<int> {
    if (text.size() < count || !std::ranges::all_of(text.substr(0, count), http::is_digit)) return std::nullopt;
    int number = 0;
    for (char digit : text.substr(0, count)) number = number * 10 + (digit - '0');
    text.remove_prefix(count);
    return number;
  };
  auto skip = [&](std::string_view any_of) {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
  };

  constexpr std::array<std::pair<std::size_t, std::string_view>, 6> kParts{
      {{4, "-"}, {2, "-"}, {2, "Tt "}, {2, ":"}, {2, ":"}, {2, ""}}};
  std::array<int, 6> parts;
  for (std::size_t i = 0; i < kParts.size(); ++i) {
    auto number = digits(kParts[i].first);
    if (!number || (!kParts[i].second.empty() && !skip(kParts[i].second))) return std::nullopt;
    parts[i] = *number;
  }
  std::chrono::year_month_day day{std::chrono::year{parts[0]}, std::chrono::month{static_cast<unsigned>(parts[1])},
                                  std::chrono::day{static_cast<unsigned>(parts[2])}};
  if (!day.ok() || parts[3] > 23 || parts[4] > 59 || parts[5] > 60) return std::nullopt;

  std::chrono::nanoseconds fraction{0};
  if (skip(".")) {
    std::chrono::nanoseconds unit = std::chrono::milliseconds{100};
    if (text.empty() || !http::is_digit(text.front())) return std::nullopt;
    for (; !text.empty() && http::is_digit(text.front()); text.remove_prefix(1), unit /= 10)
      fraction += (text.front() - '0') * unit;
  }
  std::chrono::minutes offset{0};
  if (!skip("Zz")) {
    int sign = skip("+") ? 1 : -1;
    if (sign < 0 && !skip("-")) return std::nullopt;
    auto hour = digits(2);
    if (!hour || !skip(":")) return std::nullopt;
    auto minute = digits(2);
    if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
    offset = sign * (std::chrono::hours{*hour} + std::chrono::minutes{*minute});
  }
  // Beyond these years nanoseconds since the epoch do not fit.
  if (!text.empty() || parts[0] < 1678 || parts[0] > 2261) return std::nullopt;
  return std::chrono::sys_days{day} + std::chrono::hours{parts[3]} + std::chrono::minutes{parts[4]} +
         std::chrono::seconds{parts[5]} + fraction - offset;
}

}  // namespace nuclio::processor
