// SPDX-License-Identifier: Apache-2.0
// What the calls of the REST API have in common.
#pragma once
#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/named.h"
#include "base/result.h"
#include "dashboard/auth/audit_log.h"
#include "dashboard/auth/authenticator.h"
#include "dashboard/auth/authorized_platform.h"
#include "dashboard/auth/authorizer.h"
#include "dashboard/auth/caller.h"
#include "dashboard/auth/oidc.h"
#include "http/client.h"
#include "http/message.h"
#include "http/router.h"
#include "platform/platform.h"
#include "spec/platform_config.h"

namespace nuclio::dashboard {

class EventHub;
class MetricsHistory;
class FunctionTemplates;

// Where images of functions go, HOST[:PORT][/PATH], and where nodes get them from; "" where each function has to say.
struct Registries {
  std::string push;
  std::string run;
  std::string base;  // of base images, unless the platform names another for a runtime; "" for Docker Hub
};

// What all calls have in common; borrowed, outlives the server.
struct Served {
  platform::Platform& platform;
  http::Client& client;
  const spec::PlatformConfig& config;
  Namespace namespace_name;                     // where a request does not name one
  std::vector<std::string> external_addresses;  // where functions are reached from outside
  Authenticator& authenticator;
  Authorizer& authorizer;
  OidcLogin* oidc;  // null where nobody logs in at a provider
  AuditLog& audit_log;
  FunctionTemplates& templates;
  EventHub& events;
  const MetricsHistory& metrics;
  std::optional<Registries> registries = {};  // none where functions are no images
};

// What one call may use, which is what its caller may. Outlives the call's task, but not what that gives back.
struct Context {
  AuthorizedPlatform platform;
  const Caller& caller;
  http::Client& client;
  const spec::PlatformConfig& config;
  const Namespace& namespace_name;
  const std::vector<std::string>& external_addresses;
  Authenticator& authenticator;
  OidcLogin* oidc;
  FunctionTemplates& templates;
  EventHub& events;
  const MetricsHistory& metrics;
  const std::optional<Registries>& registries;
};

using http::PathParams;
using http::Request;
using http::Response;

// The request's body, a JSON object. Why::invalid says where it is none.
Result<boost::json::object> body_object(const Request& request);
// A member that is an object, empty when it is absent. Why::invalid when it is something else.
Result<boost::json::object> member_object(const boost::json::object& object, std::string_view name);
std::string member_text(const boost::json::object& object, std::string_view name);

// The name of what a call is about: the body's, the path's, or both when they are the same. Why::invalid for neither.
Result<std::string> name_of_both(std::string_view in_body, std::string_view in_path);

// The namespace of a call: the header's, else the dashboard's own.
Namespace namespace_of(const Context& context, const Request& request, std::string_view header);
// A header or query parameter that says "true".
bool is_true(std::string_view text);
bool wants_export(const Request& request);

// Adds what Nuclio's clients look for without asking whether it is there: metadata with annotations, spec with a
// description, status.
boost::json::value with_all_parts(boost::json::value object);

Response json_response(int status, const boost::json::value& value);

}  // namespace nuclio::dashboard
