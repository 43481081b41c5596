// SPDX-License-Identifier: Apache-2.0
#include "processor/health.h"

#include "base/log.h"

namespace nuclio::processor {

Health::Health()
    : routes_({
          {"GET", "/ready", [this](http::Request&, const http::PathParams&) { return ready(); }, "Takes it events?"},
          {"GET", "/live", [this](http::Request&, const http::PathParams&) { return live(); }, "Is it there?"},
      }) {}

Task<http::Response> Health::ready() {
  if (!reason_) co_return http::Response::json(200, "{}");
  co_return http::Response::json(503, "{\"error\": " + log::json_string("not ready: " + *reason_) + "}");
}

Task<http::Response> Health::live() { co_return http::Response::json(200, "{}"); }

}  // namespace nuclio::processor
