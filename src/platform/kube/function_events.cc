// SPDX-License-Identifier: Apache-2.0
// Events that are kept to invoke functions with. They are not watched, as nothing happens when one changes: each call
// asks the API server.
#include <boost/json.hpp>

#include "base/names.h"
#include "platform/demands.h"
#include "platform/kube/deploying.h"
#include "platform/kube/names.h"
#include "platform/kube/objects.h"

namespace nuclio::platform::kube {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
constexpr auto kCallTime = 30s;

k8s::ObjectName name_of(const FunctionEventId& id) { return {id.namespace_name.value(), id.name.value()}; }

}  // namespace

Task<Result<std::vector<json::object>>> KubePlatform::event_objects(Namespace namespace_name,
                                                                    std::optional<FunctionName> function,
                                                                    Deadline deadline) {
  CO_TRY_DO(watched(namespace_name));
  k8s::ListOptions options;
  if (function) options.label_selector = std::string(kFunctionLabel) + "=" + function->value();
  CO_TRY(k8s::ObjectList list,
         co_await api_.list(kFunctionEvents, namespace_name.value(), std::move(options), deadline));
  co_return std::move(list.items);
}

Task<Result<json::object>> KubePlatform::event_object(FunctionEventId id, Deadline deadline) {
  CO_TRY_DO(watched(id.namespace_name));
  auto found = co_await api_.get(kFunctionEvents, name_of(id), deadline);
  if (!found && found.error().why == Why::not_found) co_return fail(missing_function_event(id));
  co_return found;
}

Task<Result<std::vector<spec::FunctionEvent>>> KubePlatform::function_events(Namespace namespace_name,
                                                                             std::optional<FunctionName> function) {
  const Deadline deadline = Deadline::in(kCallTime);
  CO_TRY(const auto objects, co_await event_objects(std::move(namespace_name), std::move(function), deadline));
  std::vector<spec::FunctionEvent> out;
  for (const json::object& object : objects) {
    auto event = function_event_of(object);
    // One that somebody applied and that cannot be read must not hide the others.
    if (event) out.push_back(std::move(event->config));
  }
  co_return out;
}

Task<Result<spec::FunctionEvent>> KubePlatform::function_event(FunctionEventId id) {
  CO_TRY(const json::object found, co_await event_object(std::move(id), Deadline::in(kCallTime)));
  CO_TRY(auto loaded, function_event_of(found));
  co_return std::move(loaded.config);
}

Task<Result<void>> KubePlatform::create_function_event(spec::FunctionEvent event) {
  CO_TRY_DO(check_label("function event name", event.metadata.name));
  const FunctionEventId id = id_of(event);
  CO_TRY_DO(watched(id.namespace_name));
  event.metadata.resource_version.clear();
  auto made = co_await api_.create(kFunctionEvents, object_of(event, nullptr), Deadline::in(kCallTime));
  if (!made && made.error().why == Why::conflict) co_return fail(existing_function_event(id));
  if (!made) co_return std::unexpected(std::move(made).error());
  co_return Result<void>{};
}

Task<Result<void>> KubePlatform::update_function_event(spec::FunctionEvent event) {
  const Deadline deadline = Deadline::in(kCallTime);
  FunctionEventId id = id_of(event);
  CO_TRY(const json::object existing, co_await event_object(std::move(id), deadline));
  if (event.metadata.resource_version.empty())
    event.metadata.resource_version = std::string(k8s::resource_version_of(existing));
  CO_TRY_DO(co_await api_.replace(kFunctionEvents, object_of(event, &existing), deadline));
  co_return Result<void>{};
}

Task<Result<void>> KubePlatform::delete_function_event(FunctionEventId id) {
  const Deadline deadline = Deadline::in(kCallTime);
  const k8s::ObjectName name = name_of(id);
  CO_TRY(const json::object existing, co_await event_object(std::move(id), deadline));
  k8s::DeleteOptions options;
  options.uid = std::string(k8s::uid_of(existing));
  co_return co_await api_.remove(kFunctionEvents, name, options, deadline);
}

Task<Result<void>> KubePlatform::delete_events_of(FunctionId id, Deadline deadline) {
  CO_TRY(const auto objects, co_await event_objects(id.namespace_name, id.name, deadline));
  const k8s::DeleteOptions options;
  for (const json::object& object : objects)
    CO_TRY_DO(co_await api_.remove(kFunctionEvents, k8s::name_of(object), options, deadline));
  co_return Result<void>{};
}

}  // namespace nuclio::platform::kube
