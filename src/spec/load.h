// SPDX-License-Identifier: Apache-2.0
// From text or JSON to what users wrote, and back. All functions are pure and may be called on any thread.
#pragma once
#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "schema/read.h"
#include "schema/type.h"
#include "schema/write.h"

namespace nuclio::spec {

struct FunctionConfig;
struct FunctionEvent;
struct ApiGateway;
struct PlatformConfig;
struct Project;
struct Trigger;

template <class T>
using Loaded = schema::Loaded<T>;
using schema::Scalars;
using schema::Secrets;
using schema::Unknown;

// A function.yaml, with or without apiVersion and kind, or a processor.yaml; as YAML or JSON. Each field is checked by
// itself; what fields demand of each other is validate()'s. Why::invalid holds every problem, one a line: when a field
// is wrong, also what is wrong between the others.
Result<Loaded<FunctionConfig>> parse_function(std::string_view text, Unknown unknown);

// A platform.yaml; the empty text gives the defaults.
Result<Loaded<PlatformConfig>> parse_platform_config(std::string_view text, Unknown unknown);

// The same from JSON that is read already. Scalars::as_in_yaml for what came from YAML.
Result<Loaded<FunctionConfig>> read_function(const boost::json::value& in, Unknown unknown,
                                             Scalars scalars = Scalars::exact);
Result<Loaded<Project>> read_project(const boost::json::value& in, Unknown unknown, Scalars scalars = Scalars::exact);
Result<Loaded<FunctionEvent>> read_function_event(const boost::json::value& in, Unknown unknown,
                                                  Scalars scalars = Scalars::exact);
Result<Loaded<ApiGateway>> read_api_gateway(const boost::json::value& in, Unknown unknown,
                                            Scalars scalars = Scalars::exact);

// The JSON of an object, without what has its default; reading it again gives the same object. Secrets::masked is for
// showing: passwords, keys and what Nuclio calls sensitive fields become "********".
boost::json::value to_json(const FunctionConfig& config, Secrets secrets);
boost::json::value to_json(const Trigger& trigger, Secrets secrets);
boost::json::value to_json(const Project& project);
boost::json::value to_json(const FunctionEvent& event);
boost::json::value to_json(const ApiGateway& gateway, Secrets secrets);
boost::json::value to_json(const PlatformConfig& config, Secrets secrets);

// What the processor is started with: the YAML of {metadata, spec, PlatformConfig: null}.
std::string to_processor_yaml(const FunctionConfig& config);

// Warnings for what is set and acts on another platform only; `platform` is a word of Meta::only.
std::vector<schema::Problem> without_effect(const FunctionConfig& config, std::string_view platform);
std::vector<schema::Problem> without_effect(const PlatformConfig& config, std::string_view platform);

// For --set and the generated files.
const schema::Type& function_type();
const schema::Type& platform_config_type();
const schema::Type& project_type();
const schema::Type& function_event_type();
const schema::Type& api_gateway_type();

}  // namespace nuclio::spec
