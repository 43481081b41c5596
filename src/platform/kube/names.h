// SPDX-License-Identifier: Apache-2.0
// What functions and what is theirs are called on Kubernetes: Nuclio's names, which its users' scripts know.
#pragma once
#include <string>
#include <string_view>

#include "k8s/resource.h"

namespace nuclio::platform::kube {

// v1 has the status as a subresource; v1beta1, the same objects, is Nuclio's, whose clients write both at once.
inline constexpr k8s::Resource kFunctions{"nuclio.io", "v1", "nucliofunctions", "NuclioFunction"};
inline constexpr k8s::Resource kProjects{"nuclio.io", "v1", "nuclioprojects", "NuclioProject"};
inline constexpr k8s::Resource kFunctionEvents{"nuclio.io", "v1", "nucliofunctionevents", "NuclioFunctionEvent"};
inline constexpr k8s::Resource kApiGateways{"nuclio.io", "v1", "nuclioapigateways", "NuclioAPIGateway"};
// The way to write spec and status in one step.
inline constexpr k8s::Resource kWholeFunctions{"nuclio.io", "v1beta1", "nucliofunctions", "NuclioFunction"};
inline constexpr k8s::Resource kWholeApiGateways{"nuclio.io", "v1beta1", "nuclioapigateways", "NuclioAPIGateway"};

inline constexpr std::string_view kClassLabel = "nuclio.io/class";  // "function"
inline constexpr std::string_view kAppLabel = "nuclio.io/app";      // "functionres"
inline constexpr std::string_view kFunctionLabel = "nuclio.io/function-name";
inline constexpr std::string_view kVersionLabel = "nuclio.io/function-version";  // "latest"
inline constexpr std::string_view kProjectLabel = "nuclio.io/project-name";

// Of a function whose secret values are in a Secret: the name of it. Nuclio finds it by labels alone.
inline constexpr std::string_view kSecretAnnotation = "nuclio.io/function-secret";
// The same of an API gateway.
inline constexpr std::string_view kGatewaySecretAnnotation = "nuclio.io/apigateway-secret";
inline constexpr std::string_view kGatewayLabel = "nuclio.io/apigateway-name";

inline constexpr std::string_view kFieldManager = "nuclio-controller";
inline constexpr std::string_view kContainer = "nuclio";  // the function's container in its pod

// Of the Deployment, Service, ConfigMap, autoscaler and Ingress of a function.
inline std::string object_name(std::string_view function) { return "nuclio-" + std::string(function); }
// "nuclio.io/class=function" and the function's name: what is this function's.
inline std::string selector_of(std::string_view function) {
  return std::string(kClassLabel) + "=function," + std::string(kFunctionLabel) + "=" + std::string(function);
}

}  // namespace nuclio::platform::kube
