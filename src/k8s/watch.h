// SPDX-License-Identifier: Apache-2.0
// What a watch says: a line of JSON for each event.
#pragma once
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace nuclio::k8s {

// Makes lines of pieces that are cut anywhere.
class Lines {
 public:
  explicit Lines(Bytes longest) : longest_(longest) {}
  void add(std::string_view piece);
  // The next whole line, without its end; nothing when it has not come yet. Why::too_large for a line that is longer
  // than it may be. Valid until the next call.
  Result<std::optional<std::string_view>> next();

 private:
  Bytes longest_;
  std::string text_;
  std::size_t taken_ = 0;     // in front, that was handed out
  std::size_t searched_ = 0;  // up to where there is no end of a line
};

struct WatchEvent {
  enum class Type { changed, deleted, bookmark } type;
  boost::json::object object;  // of a bookmark, metadata.resourceVersion alone
};

// Why::precondition when the server has forgotten the version that was asked for (410), and another Why for its other
// errors; Why::unavailable for what is no event.
Result<WatchEvent> parse_watch_line(std::string_view line);

}  // namespace nuclio::k8s
