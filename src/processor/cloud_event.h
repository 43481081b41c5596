// SPDX-License-Identifier: Apache-2.0
// CloudEvents over HTTP, versions 0.1 and 1.0, in the structured mode (an envelope of JSON as the body) and the binary
// one (attributes as headers).
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "processor/event.h"

namespace nuclio::processor {

// What a CloudEvent puts in place of what the request itself said. Owns its text. Pure.
struct CloudEvent {
  std::string version;  // of CloudEvents: "0.1" or "1.0"
  std::string id;       // "": the event gets one of ours
  std::string source;   // Nuclio's functions see it as event.trigger.kind
  std::string type;
  std::string type_version;  // 0.1 only
  std::optional<std::chrono::system_clock::time_point> time;

  // Of the structured mode. Its headers take the place of the request's: none in 0.1, as Nuclio has it; in 1.0 each
  // attribute as the header that it is in the binary mode, so that a handler need not know the difference.
  struct Envelope {
    std::string content_type;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
  };
  std::optional<Envelope> envelope;
};

// Nothing when the request is no CloudEvent. Why::invalid says what is wrong with it: no JSON, a version that is
// neither 0.1 nor 1.0, an attribute missing that 1.0 demands, a time that is none, a batch.
Result<std::optional<CloudEvent>> read_cloud_event(const http::Request& request);

// Lays it over an event that was made from the same request, which then borrows from both it and `headers`.
void apply(const CloudEvent& cloud_event, std::vector<wire::Pair>& headers, Event& event);

// "2024-05-06T07:08:09.123456Z", "2024-05-06 07:08:09+02:00". Nothing when it is no time of RFC 3339.
std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text);

}  // namespace nuclio::processor
