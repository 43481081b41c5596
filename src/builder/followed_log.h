// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"
#include "loop/loop.h"
#include "loop/wait_list.h"

namespace nuclio::builder {

// A log that is read while it grows, from its beginning, by whoever comes. Of a long one the newest part is kept; a
// reader who is so far behind is told that something is missing. Lives on its loop's thread, and outlives its readers.
class FollowedLog {
 public:
  explicit FollowedLog(Loop& loop, std::size_t most = 8 << 20) : most_(most), changed_(loop) {}

  void add(std::string_view bytes);
  void end();
  std::unique_ptr<http::BodySource> read() const;

 private:
  class Reader;
  std::size_t most_;
  std::string kept_;
  std::uint64_t gone_ = 0;  // bytes before what is kept
  bool ended_ = false;
  mutable WaitList changed_;
};

}  // namespace nuclio::builder
