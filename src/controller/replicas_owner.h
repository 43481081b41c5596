// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>

namespace nuclio::controller {

// Keeps in a Deployment, whose metadata.managedFields are about to be dropped, whether somebody else than we owns its
// number of replicas, as an autoscaler does from when it has set it. One without managedFields keeps what was noted.
void note_owner_of_replicas(boost::json::object& deployment);
bool others_own_replicas(const boost::json::object& deployment);

}  // namespace nuclio::controller
