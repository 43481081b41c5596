// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/fwd.hpp>

namespace nuclio::controller {

// Whether an object that the API server gave has all that we want of it, so that nothing is to be written: each of our
// fields is there with our value, whatever other fields are there besides. It knows what the API server does to
// objects: empty values are left out, quantities are written in their shortest form, and lists are kept in their order.
// Items of lists must be as many, and each cover its own, but for ownerReferences, where others may stand beside ours.
bool covers(const boost::json::value& actual, const boost::json::value& desired);

}  // namespace nuclio::controller
