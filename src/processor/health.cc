// SPDX-License-Identifier: Apache-2.0
#include "processor/health.h"

#include "base/log.h"

namespace nuclio::processor {

Health::Health(Obstacle obstacle)
    : obstacle_(std::move(obstacle)),
      routes_({
          {"GET", "/ready", [this](http::Request&, const http::PathParams&) { return ready(); }, "Takes it events?"},
          {"GET", "/live", [this](http::Request&, const http::PathParams&) { return live(); }, "Is it there?"},
      }) {}

Task<http::Response> Health::ready() {
  std::optional<std::string> reason = reason_;
  if (!reason) reason = co_await obstacle_();
  if (!reason) co_return http::Response::json(200, "{}");
  co_return http::Response::json(503, "{\"error\": " + log::json_string("not ready: " + *reason) + "}");
}

Task<http::Response> Health::live() { co_return http::Response::json(200, "{}"); }

}  // namespace nuclio::processor
