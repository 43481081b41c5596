// SPDX-License-Identifier: Apache-2.0
#include "controller/replicas_owner.h"

#include <algorithm>
#include <boost/json.hpp>

#include "k8s/resource.h"
#include "platform/kube/names.h"

namespace nuclio::controller {
namespace {

namespace json = boost::json;

// A member that no Deployment has: it is never sent.
constexpr std::string_view kNote = "nuclio.io/replicasOwnedByOthers";

bool is_of_others(const json::value& entry) {
  if (!entry.is_object()) return false;
  const json::object& fields = entry.get_object();
  const json::value* manager = fields.if_contains("manager");
  const std::string_view ours = platform::kube::kFieldManager;
  if (manager && *manager == json::string_view(ours.data(), ours.size())) return false;
  return k8s::at(fields, "fieldsV1.f:spec.f:replicas") != nullptr;
}

}  // namespace

void note_owner_of_replicas(json::object& deployment) {
  const json::value* entries = k8s::at(deployment, "metadata.managedFields");
  if (!entries || !entries->is_array()) return;
  deployment[kNote] = std::ranges::any_of(entries->get_array(), is_of_others);
}

bool others_own_replicas(const json::object& deployment) {
  const json::value* note = deployment.if_contains(kNote);
  return note && *note == json::value(true);
}

}  // namespace nuclio::controller
