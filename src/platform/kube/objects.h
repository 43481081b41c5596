// SPDX-License-Identifier: Apache-2.0
// Between what users write and the objects that the API server keeps. Pure functions.
#pragma once
#include <boost/json/object.hpp>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/api_gateway.h"
#include "spec/function.h"
#include "spec/function_event.h"
#include "spec/project.h"

namespace nuclio::platform::kube {

// A function from its object. Fields that nobody knows are warnings; Why::invalid holds all problems, one a line.
Result<schema::Loaded<spec::FunctionConfig>> function_of(const boost::json::object& object);
Result<schema::Loaded<spec::Project>> project_of(const boost::json::object& object);
Result<schema::Loaded<spec::FunctionEvent>> function_event_of(const boost::json::object& object);
Result<schema::Loaded<spec::ApiGateway>> api_gateway_of(const boost::json::object& object);

// The object of a function with its spec and status. What `existing` has in its metadata beside labels and annotations
// stays; null for a new one.
// `function` is a function's JSON, {metadata, spec, status}.
boost::json::object object_of(boost::json::object function, const boost::json::object* existing);
boost::json::object object_of(const spec::Project& project, const boost::json::object* existing);
boost::json::object object_of(const spec::FunctionEvent& event, const boost::json::object* existing);
// With a reference in the place of its password: the caller has taken it out.
boost::json::object object_of(const spec::ApiGateway& gateway, const boost::json::object* existing);

// Whether a function has code that an image is made of, by whoever makes images.
bool has_code(const spec::FunctionSpec& spec);
// Changes with whatever its image is made of. Of an object as the API server gave it.
std::string build_inputs(const boost::json::object& object);
// Where a status says of which inputs the last build was, whether it went well or not.
inline constexpr std::string_view kBuiltFrom = "builtFrom";

// Who makes a function's image says so in status.builder, {"id", "renewed"}, again and again; the id is of this one
// build alone. Whoever is silent for longer than we are patient has lost it, and another may make the image.
inline constexpr std::string_view kBuilder = "builder";
inline constexpr std::chrono::seconds kBuilderRenews{10};
inline constexpr std::chrono::seconds kBuilderPatience{40};
boost::json::object builder_status(const std::string& id, std::chrono::system_clock::time_point now);
// The id of whoever makes it; "" for nobody, or for one who does not say, as Nuclio's own.
std::string_view builder_of(const boost::json::object& object);

}  // namespace nuclio::platform::kube
