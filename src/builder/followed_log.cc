// SPDX-License-Identifier: Apache-2.0
#include "builder/followed_log.h"

#include <algorithm>
#include <optional>

namespace nuclio::builder {
namespace {

constexpr std::size_t kPiece = 64 << 10;
constexpr std::string_view kMissing = "\n(a part of the log is left out here: it came faster than it was read)\n";

}  // namespace

class FollowedLog::Reader final : public http::BodySource {
 public:
  explicit Reader(const FollowedLog& log) : log_(log) {}
  Task<Result<std::optional<std::string>>> next() override {
    while (at_ == log_.gone_ + log_.kept_.size()) {
      if (log_.ended_) co_return std::nullopt;
      (void)co_await log_.changed_.wait();
    }
    std::string piece;
    if (at_ < log_.gone_) {
      piece = kMissing;
      at_ = log_.gone_;
    }
    const std::string_view left = std::string_view(log_.kept_).substr(at_ - log_.gone_, kPiece);
    piece += left;
    at_ += left.size();
    co_return piece;
  }

 private:
  const FollowedLog& log_;
  std::uint64_t at_ = 0;
};

void FollowedLog::add(std::string_view bytes) {
  kept_ += bytes;
  if (kept_.size() > most_) {
    // Half of it at a time, so that a line does not cost as much as all that is kept.
    const std::size_t less = kept_.size() - most_ / 2;
    kept_.erase(0, less);
    gone_ += less;
  }
  changed_.notify_all();
}

void FollowedLog::end() {
  ended_ = true;
  changed_.notify_all();
}

std::unique_ptr<http::BodySource> FollowedLog::read() const { return std::make_unique<Reader>(*this); }

}  // namespace nuclio::builder
