// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace nuclio::dashboard {

// By which names the dashboard is called: where it listens on this machine alone, only by names of this machine.
enum class Hosts { this_machine, any };

struct GuardOptions {
  Hosts hosts = Hosts::this_machine;
  std::vector<std::string> allowed_origins = {};  // of pages elsewhere that may call, as in "https://flows.example.com"
};

// Whether a request may come in at all, whoever sends it. What must be kept out here is a web page in somebody's
// browser: one that made its own name mean 127.0.0.1 shows in Host, one from elsewhere in Origin. Why::forbidden says
// which.
Result<void> check_caller(const http::Request& request, const GuardOptions& options);

// Lets the requests through that may come in, tells browsers what answers are (pages of nobody, for nobody's frame),
// and answers what browsers ask before they let pages of allowed origins call. Those never get cookies along: they call
// with tokens.
class Guard final : public http::Handler {
 public:
  Guard(http::Handler& behind, GuardOptions options) : behind_(behind), options_(std::move(options)) {}
  Task<http::Response> handle(http::Request& request) override;

 private:
  http::Handler& behind_;
  GuardOptions options_;
};

// Whether an address can be reached from this machine alone.
bool is_loopback(std::string_view host);

}  // namespace nuclio::dashboard
