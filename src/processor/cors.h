// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "spec/triggers/http.h"

namespace nuclio::processor {

// Cross-origin requests as the Fetch standard has them. Pure; owned by its http trigger.
//
// CORS tells browsers which answers a page may read. It keeps no request from the handler: one from an origin that is
// not allowed is handled and answered without CORS headers, so that the browser withholds the answer. (Nuclio answers
// these, and OPTIONS requests that are no preflight, with an empty 200 in the handler's place.)
class CorsPolicy {
 public:
  explicit CorsPolicy(const spec::Cors& config);

  // A browser asks whether it may send a request: the preflight method with Access-Control-Request-Method.
  bool is_preflight(const http::Request& request) const;
  // 200 with what is allowed, or 400 without when origin, method or a header is not; both vary by what was asked.
  http::Response answer_preflight(const http::Request& request) const;
  // Lets the origin's page read the answer, when it may. `origin` is the request's Origin header, "" without one.
  void add_to(http::Headers& headers, std::string_view origin) const;

 private:
  bool origin_allowed(std::string_view origin) const;
  bool method_allowed(std::string_view method) const;
  bool headers_allowed(std::string_view list) const;
  void add_origin(http::Headers& headers, std::string_view origin) const;

  spec::Cors config_;
  bool any_origin_;
  bool any_method_;
  bool any_header_;
  std::string methods_;  // as sent
  std::string allow_headers_;
  std::string expose_headers_;
};

}  // namespace nuclio::processor
