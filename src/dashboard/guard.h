// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "http/message.h"

namespace nuclio::dashboard {

// By which names the dashboard is called: where it listens on this machine alone, only by names of this machine.
enum class Hosts { this_machine, any };

// Whether a request may come in at all. The dashboard asks nobody who they are, so what must be kept out is a web page
// in somebody's browser: one that made its own name mean 127.0.0.1 shows in Host, one from elsewhere in Origin.
// Why::forbidden says which.
Result<void> check_caller(const http::Request& request, Hosts hosts);

// Lets the requests through that may come in.
class Guard final : public http::Handler {
 public:
  Guard(http::Handler& behind, Hosts hosts) : behind_(behind), hosts_(hosts) {}
  Task<http::Response> handle(http::Request& request) override;

 private:
  http::Handler& behind_;
  Hosts hosts_;
};

// Whether an address can be reached from this machine alone.
bool is_loopback(std::string_view host);

}  // namespace nuclio::dashboard
