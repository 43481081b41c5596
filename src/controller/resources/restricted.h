// SPDX-License-Identifier: Apache-2.0
// What pods and containers need so that a namespace with Pod Security "restricted" takes them. Whatever the user says
// wins: then it is the namespace that says no.
#pragma once
#include <boost/json/object.hpp>

namespace nuclio::controller {

boost::json::object pod_security_context(const boost::json::object& own);
boost::json::object container_security_context(const boost::json::object& own);

}  // namespace nuclio::controller
