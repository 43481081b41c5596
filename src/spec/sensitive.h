// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/fwd.hpp>

namespace nuclio::spec {

// Masks what is sensitive by its key and so not marked in the description of a field: annotations that carry Kafka
// credentials, and the access keys of flex volumes. `function` is the JSON of a function.
void mask_sensitive_keys(boost::json::object& function);

// The same for a trigger's annotations alone.
void mask_sensitive_annotations(boost::json::object& annotated);

}  // namespace nuclio::spec
