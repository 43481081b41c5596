// SPDX-License-Identifier: Apache-2.0
#include "k8s/watch.h"

#include <boost/json.hpp>
#include <utility>

#include "k8s/json.h"
#include "k8s/resource.h"
#include "k8s/status.h"

namespace nuclio::k8s {

void Lines::add(std::string_view piece) {
  text_.erase(0, std::exchange(taken_, 0));
  text_ += piece;
}

Result<std::optional<std::string_view>> Lines::next() {
  for (;;) {
    const std::size_t end = text_.find('\n', std::max(searched_, taken_));
    const std::size_t size = (end == std::string::npos ? text_.size() : end) - taken_;
    if (size > longest_.count)
      return fail(Why::too_large, "a line has more than " + std::to_string(longest_.count) + " bytes");
    if (end == std::string::npos) {
      // What is handed out goes with the next piece, and then the rest begins at 0.
      searched_ = text_.size() - taken_;
      if (taken_ > 0) text_.erase(0, std::exchange(taken_, 0));
      return std::optional<std::string_view>{};
    }
    const std::string_view line{text_.data() + taken_, size};
    taken_ = searched_ = end + 1;
    if (!line.empty() && line != "\r") return std::optional{line};
  }
}

Result<WatchEvent> parse_watch_line(std::string_view line) {
  TRY(boost::json::object said, parse_object(line));
  const std::string_view type = text_of(said, "type");
  boost::json::value* object = said.if_contains("object");
  if (!object || !object->is_object()) return fail(Why::unavailable, "an event of the watch has no object");
  if (type == "ERROR") {
    const auto code = static_cast<int>(number_of(object->get_object(), "code"));
    return fail(status_error(code == 0 ? 500 : code, boost::json::serialize(*object)));
  }
  WatchEvent event{WatchEvent::Type::changed, std::move(object->get_object())};
  if (type == "BOOKMARK") {
    event.type = WatchEvent::Type::bookmark;
    return event;
  }
  if (type == "DELETED") {
    event.type = WatchEvent::Type::deleted;
  } else if (type != "ADDED" && type != "MODIFIED") {
    return fail(Why::unavailable, "the watch says \"" + std::string(type.substr(0, 100)) + "\", which is no event");
  }
  if (text_in(event.object, "name").empty()) return fail(Why::unavailable, "an event's object has no name");
  return event;
}

}  // namespace nuclio::k8s
