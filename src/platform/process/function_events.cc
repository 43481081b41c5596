// SPDX-License-Identifier: Apache-2.0
// Events that are kept to invoke functions with. Nothing runs for them: they are the store's.
#include "base/names.h"
#include "platform/process/managed.h"

namespace nuclio::platform::process {

Task<Result<std::vector<spec::FunctionEvent>>> ProcessPlatform::function_events(Namespace namespace_name,
                                                                                std::optional<FunctionName> function) {
  co_return store_.function_events(namespace_name, function);
}

Task<Result<spec::FunctionEvent>> ProcessPlatform::function_event(FunctionEventId id) {
  co_return store_.function_event(id);
}

Task<Result<void>> ProcessPlatform::create_function_event(spec::FunctionEvent event) {
  CO_TRY_DO(parse_namespace(event.metadata.namespace_name));
  CO_TRY_DO(check_label("function event name", event.metadata.name));
  const FunctionEventId id = id_of(event);
  auto existing = store_.function_event(id);
  if (existing) co_return fail(existing_function_event(id));
  if (existing.error().why != Why::not_found) co_return std::unexpected(std::move(existing).error());
  event.metadata.resource_version.clear();
  co_return store_.save(event);
}

Task<Result<void>> ProcessPlatform::update_function_event(spec::FunctionEvent event) {
  CO_TRY_DO(store_.function_event(id_of(event)));
  event.metadata.resource_version.clear();
  co_return store_.save(event);
}

Task<Result<void>> ProcessPlatform::delete_function_event(FunctionEventId id) {
  CO_TRY_DO(store_.function_event(id));
  co_return store_.delete_function_event(id);
}

}  // namespace nuclio::platform::process
