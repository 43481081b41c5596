// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "http/router.h"

namespace nuclio::processor {

// What is asked whether the processor is well: GET /live is 200 as long as it answers at all, GET /ready 200 when it
// takes events, else 503 with the reason. Starts not ready; once it is ready, `obstacle` is asked each time whether
// something keeps the events from being handled just now. Lives on its loop's thread; outlives its server.
class Health final : public http::Handler {
 public:
  using Obstacle = std::function<Task<std::optional<std::string>>()>;
  explicit Health(Obstacle obstacle);
  void set_ready() { reason_.reset(); }
  void set_not_ready(std::string reason) { reason_ = std::move(reason); }

  Task<http::Response> handle(http::Request& request) override { return routes_.handle(request); }

 private:
  Task<http::Response> ready();
  Task<http::Response> live();

  Obstacle obstacle_;
  std::optional<std::string> reason_ = "the workers are starting";
  http::Router routes_;
};

}  // namespace nuclio::processor
