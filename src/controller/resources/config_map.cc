// SPDX-License-Identifier: Apache-2.0
#include <boost/json/value.hpp>

#include "controller/resources/desired.h"
#include "controller/resources/pod_template.h"
#include "platform/kube/names.h"

namespace nuclio::controller {

boost::json::object config_map(const FunctionInput& input) {
  return {{"apiVersion", k8s::kConfigMaps.api_version()},
          {"kind", k8s::kConfigMaps.kind},
          {"metadata", metadata(input, platform::kube::object_name(input.config.metadata.name))},
          {"data", {{"processor.yaml", processor_yaml(input)}}}};
}

}  // namespace nuclio::controller
