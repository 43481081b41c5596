// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/json.hpp>

#include "platform/demands.h"
#include "platform/kube/deploying.h"
#include "platform/kube/names.h"
#include "platform/kube/revision_objects.h"

namespace nuclio::platform::kube {
namespace {

using namespace std::chrono_literals;
constexpr auto kCallTime = 30s;

}  // namespace

// Asked for each time: few want to see them, and they may hold much code.
Task<Result<std::vector<RevisionSummary>>> KubePlatform::revisions(FunctionId id) {
  CO_TRY_DO(object(id));
  k8s::ListOptions options;
  options.label_selector = selector_of(id.name.value());
  options.trim = [](boost::json::object& revision) { revision.erase("data"); };
  CO_TRY(auto list, co_await api_.list(k8s::kControllerRevisions, id.namespace_name.value(), std::move(options),
                                       Deadline::in(kCallTime)));
  // The function as it is after that: as we saw it last it may be older than its newest revision.
  auto function = co_await api_.get(kFunctions, name_of(id), Deadline::in(kCallTime));
  if (!function && function.error().why == Why::not_found) co_return fail(missing_function(id));
  if (!function) co_return std::unexpected(std::move(function).error());
  std::erase_if(list.items, [&](const auto& each) { return !is_of(each, k8s::uid_of(*function)); });
  std::ranges::sort(list.items, std::greater{}, number_of);
  co_return summaries(*function, list.items);
}

Task<Result<spec::FunctionConfig>> KubePlatform::revision(FunctionId id, Revision number) {
  CO_TRY(const k8s::Object function, object(id));
  k8s::ObjectName name = revision_prefix(name_of(id));
  name.name += std::to_string(number.value());
  auto found = co_await api_.get(k8s::kControllerRevisions, name, Deadline::in(kCallTime));
  const bool missing = found ? !is_of(*found, k8s::uid_of(*function)) : found.error().why == Why::not_found;
  if (missing) co_return fail(missing_revision(id, number));
  if (!found) co_return std::unexpected(std::move(found).error());
  co_return function_in(*found);
}

}  // namespace nuclio::platform::kube
