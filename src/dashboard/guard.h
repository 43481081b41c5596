// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "http/message.h"

namespace nuclio::dashboard {

// Whether a request may come in at all. The dashboard listens on this machine only and asks nobody who they are, so
// what must be kept out is a web page in somebody's browser: one that made its own name mean 127.0.0.1 shows in Host,
// one from elsewhere in Origin. Why::forbidden says which.
Result<void> check_caller(const http::Request& request);

// Lets the requests through that may come in.
class Guard final : public http::Handler {
 public:
  explicit Guard(http::Handler& behind) : behind_(behind) {}
  Task<http::Response> handle(http::Request& request) override;

 private:
  http::Handler& behind_;
};

// Whether an address can be reached from this machine alone.
bool is_loopback(std::string_view host);

}  // namespace nuclio::dashboard
