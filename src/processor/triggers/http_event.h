// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <forward_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "processor/cloud_event.h"
#include "processor/event_id.h"

namespace nuclio::processor {

// A request as an event. Functions written for Nuclio see what its HTTP server makes of a request: the path decoded and
// without dot segments and doubled slashes, header names as in "X-My-Header" however they were sent, decoded fields of
// the query, of which badly encoded parts stay as they are. `url` is the request's target as received. What needs no
// change is borrowed from the request.
class HttpEvent {
 public:
  HttpEvent() = default;
  HttpEvent(const HttpEvent&) = delete;
  HttpEvent& operator=(const HttpEvent&) = delete;

  // Called once. Why::invalid for a CloudEvent that is wrong. The event borrows from all that is given here.
  Result<void> fill(const http::Request& request, std::string_view trigger_kind, std::string_view trigger_name,
                    EventIds& ids);
  const Event& event() const { return event_; }

 private:
  void add_headers(const http::HeaderViews& headers);
  void add_fields(std::string_view query);
  std::string_view own(std::string text) { return owned_.emplace_front(std::move(text)); }

  Event event_;
  EventIds::Text id_;
  std::vector<wire::Pair> headers_;
  std::vector<wire::Pair> fields_;
  std::forward_list<std::string> owned_;
  std::optional<CloudEvent> cloud_event_;
};

// "/a//b/./c%20d/../e" to "/a/b/e". Nothing when the path is that already.
std::optional<std::string> cleaned_path(std::string_view path);
// "x-my-header" to "X-My-Header". Nothing when the name is that already.
std::optional<std::string> canonical_header(std::string_view name);

}  // namespace nuclio::processor
