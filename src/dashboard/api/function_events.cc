// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <boost/json.hpp>
#include <random>

#include "base/names.h"
#include "dashboard/api/calls.h"
#include "platform/demands.h"
#include "spec/load.h"

namespace nuclio::dashboard {
namespace {

namespace json = boost::json;
using platform::FunctionEventId;
using platform::FunctionEventName;

constexpr std::string_view kNamespaceHeader = "X-Nuclio-Function-Event-Namespace";

// A random UUID, as RFC 9562 numbers them.
std::string new_name() {
  std::random_device random;
  const unsigned a = random(), b = random(), c = random(), d = random();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:04x}{:08x}", a, b >> 16, b & 0xfff, 0x8000 | (c >> 18), c & 0xffff,
                     d);
}

// The event in the body; without a name it has none yet.
Result<spec::FunctionEvent> event_in_body(const Context& context, const Request& request) {
  TRY(json::object body, body_object(request));
  TRY(auto loaded, spec::read_function_event(json::value(std::move(body)), spec::Unknown::warning));
  platform::log_warnings("function event", loaded.warnings);
  spec::Metadata& metadata = loaded.config.metadata;
  if (metadata.namespace_name.empty())
    metadata.namespace_name = namespace_of(context, request, kNamespaceHeader).value();
  TRY_DO(parse_namespace(metadata.namespace_name));
  return std::move(loaded.config);
}

}  // namespace

json::value shown(const spec::FunctionEvent& event) {
  json::value value = spec::to_json(event);
  for (const char* part : {"metadata", "spec"}) value.as_object().emplace(part, json::object{});
  return value;
}

Task<Response> get_function_events(Context& context, Request& request, const PathParams&) {
  std::optional<FunctionName> function;
  const std::string_view named = request.headers.get("X-Nuclio-Function-Name");
  if (!named.empty()) {
    auto name = parse_function_name(named);
    if (!name) co_return Response::error(std::move(name).error().in("X-Nuclio-Function-Name"));
    function = std::move(*name);
  }
  Namespace namespace_name = namespace_of(context, request, kNamespaceHeader);
  auto events = co_await context.platform.function_events(std::move(namespace_name), std::move(function));
  if (!events) co_return Response::error(events.error());
  json::object out;
  for (const spec::FunctionEvent& event : *events) out[event.metadata.name] = shown(event);
  co_return json_response(200, std::move(out));
}

Task<Response> get_function_event(Context& context, Request& request, const PathParams& params) {
  FunctionEventId id{namespace_of(context, request, kNamespaceHeader), params.as<FunctionEventName>("id")};
  auto event = co_await context.platform.function_event(std::move(id));
  if (!event) co_return Response::error(event.error());
  co_return json_response(200, shown(*event));
}

Task<Response> post_function_event(Context& context, Request& request, const PathParams&) {
  auto event = event_in_body(context, request);
  if (!event) co_return Response::error(event.error());
  auto function = platform::function_of(*event);
  if (!function) co_return Response::error(function.error());
  if (event->metadata.name.empty()) event->metadata.name = new_name();
  auto created = co_await context.platform.create_function_event(*event);
  if (!created) co_return Response::error(created.error());
  co_return json_response(201, shown(*event));
}

Task<Response> put_function_event(Context& context, Request& request, const PathParams&) {
  auto event = event_in_body(context, request);
  if (!event) co_return Response::error(event.error());
  auto function = platform::function_of(*event);
  if (!function) co_return Response::error(function.error());
  auto valid = check_label("metadata.name", event->metadata.name);
  if (!valid) co_return Response::error(valid.error());
  auto updated = co_await context.platform.update_function_event(std::move(*event));
  if (!updated) co_return Response::error(updated.error());
  co_return Response::empty(204);
}

Task<Response> delete_function_event(Context& context, Request& request, const PathParams&) {
  auto event = event_in_body(context, request);
  if (!event) co_return Response::error(event.error());
  auto valid = check_label("metadata.name", event->metadata.name);
  if (!valid) co_return Response::error(valid.error());
  auto deleted = co_await context.platform.delete_function_event(platform::id_of(*event));
  if (!deleted) co_return Response::error(deleted.error());
  co_return Response::empty(204);
}

}  // namespace nuclio::dashboard
