// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>

#include "http/router.h"

namespace nuclio::processor {

// What is asked whether the processor is well: GET /live is 200 as long as it answers at all, GET /ready 200 when it
// takes events, else 503 with the reason. Starts not ready. Lives on its loop's thread; outlives its server.
class Health final : public http::Handler {
 public:
  Health();
  void set_ready() { reason_.reset(); }
  void set_not_ready(std::string reason) { reason_ = std::move(reason); }

  Task<http::Response> handle(http::Request& request) override { return routes_.handle(request); }

 private:
  Task<http::Response> ready();
  Task<http::Response> live();

  std::optional<std::string> reason_ = "the workers are starting";
  http::Router routes_;
};

}  // namespace nuclio::processor
