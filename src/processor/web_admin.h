// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "http/router.h"
#include "processor/metrics.h"
#include "spec/function.h"

namespace nuclio::processor {

// What an administrator can see of a running processor: its triggers, without their secrets, and how they fare. Lives
// on its loop's thread; outlives its server.
class WebAdmin final : public http::Handler {
 public:
  // The function is borrowed.
  WebAdmin(const spec::FunctionConfig& function, GetReports reports);
  Task<http::Response> handle(http::Request& request) override { return routes_.handle(request); }

 private:
  Task<http::Response> all();
  Task<http::Response> one(const http::PathParams& params);
  Task<http::Response> statistics(const http::PathParams& params);

  const spec::FunctionConfig& function_;
  GetReports reports_;
  http::Router routes_;
};

}  // namespace nuclio::processor
