// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "dashboard/api/context.h"
#include "http/router.h"

namespace nuclio::dashboard {

// What the description of the API (openapi.cc, which has the parameters and schemas by these names) says about a call.
struct Described {
  std::string_view takes = {};   // parameters, with blanks between: "Function-Namespace ?export"
  std::string_view body = {};    // schema of the request's body
  int status = 200;              // of the answer when all is well
  std::string_view answer = {};  // schema of it; "text" for text, "" for none
  std::string_view fails = {};   // statuses of errors that the caller can do something about: "400 404"
};

// Whether a call is for those alone who have shown who they are. What they may do of it is asked where it touches the
// platform.
enum class Asks { who, nobody };

// A line of the table of calls.
struct Line {
  std::string_view method;  // "*" for any
  std::string_view pattern;
  Task<Response> (*call)(Context&, Request&, const PathParams&);
  std::string_view doc;
  Described described;
  Asks asks = Asks::who;
};

// Every call of the REST API.
std::span<const Line> api_lines();

// The same for a router. `served` is borrowed for the routes' life.
std::vector<http::Route> api_routes(Served& served);

}  // namespace nuclio::dashboard
