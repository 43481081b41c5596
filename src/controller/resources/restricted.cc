// SPDX-License-Identifier: Apache-2.0
#include "controller/resources/restricted.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "controller/resources/merge.h"

namespace nuclio::controller {
namespace {

namespace json = boost::json;

// "nonroot" of distroless images, and of nobody else.
constexpr int kNobody = 65532;

bool is(const json::object& object, std::string_view key, const json::value& value) {
  const json::value* found = object.if_contains(key);
  return found != nullptr && *found == value;
}

bool adds_sys_admin(const json::object& own) {
  const auto* capabilities = object_in(own, "capabilities");
  const auto* added = capabilities == nullptr ? nullptr : capabilities->if_contains("add");
  if (added == nullptr || !added->is_array()) return false;
  return std::ranges::any_of(added->get_array(),
                             [](const json::value& each) { return each == "SYS_ADMIN" || each == "CAP_SYS_ADMIN"; });
}

}  // namespace

json::object pod_security_context(const json::object& own) {
  json::object out{{"runAsNonRoot", true},
                   {"runAsUser", kNobody},
                   {"runAsGroup", kNobody},
                   {"fsGroup", kNobody},
                   // Else each start would go through all files of a volume.
                   {"fsGroupChangePolicy", "OnRootMismatch"},
                   {"seccompProfile", {{"type", "RuntimeDefault"}}}};
  // Who asks for root would get neither it nor a word about why.
  if (is(own, "runAsUser", 0)) out["runAsNonRoot"] = false;
  merge_over(out, own);
  return out;
}

json::object container_security_context(const json::object& own) {
  json::object out{{"allowPrivilegeEscalation", false}, {"capabilities", {{"drop", {"ALL"}}}}};
  // The API server refuses containers that have these and may not escalate.
  if (is(own, "privileged", true) || adds_sys_admin(own)) out.erase("allowPrivilegeEscalation");
  merge_over(out, own);
  return out;
}

}  // namespace nuclio::controller
