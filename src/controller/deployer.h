// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>

namespace nuclio::controller {

// The dashboard notes in a function who deployed it. Takes that away from a function whose spec somebody else has
// changed since, as kubectl does: its metadata.managedFields, which are about to be dropped, say so. Without them it
// stays as it is.
void forget_former_deployer(boost::json::object& function);

}  // namespace nuclio::controller
