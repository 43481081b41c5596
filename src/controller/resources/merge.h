// SPDX-License-Identifier: Apache-2.0
// One object over another, in the few ways in which that is meant.
#pragma once
#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <string_view>

namespace nuclio::controller {

boost::json::object to_object(const std::map<std::string, std::string>& texts);

// Members of `over` win; objects are merged key by key, everything else is replaced.
void merge_over(boost::json::object& base, const boost::json::object& over);

// As Kubernetes merges a patch: besides, null removes a member, and lists of things that have names (or, when they have
// none, ports or paths to mount at) are merged thing by thing.
void patch_over(boost::json::object& base, const boost::json::object& patch);

// What stands in a JSON object of somebody else's format: null and "" when it is missing or something else.
const boost::json::object* object_in(const boost::json::object& object, std::string_view key);
std::string_view text_in(const boost::json::object& object, std::string_view key);

}  // namespace nuclio::controller
