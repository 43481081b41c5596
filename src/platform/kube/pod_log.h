// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "http/message.h"
#include "k8s/api.h"
#include "platform/platform.h"

namespace nuclio::platform::kube {

// What a function's container has logged, as the kubelet keeps it. Asked for when it is first read; `api` outlives it.
std::unique_ptr<http::BodySource> read_pod_log(k8s::Api& api, k8s::ObjectName pod, const LogRequest& request);

}  // namespace nuclio::platform::kube
