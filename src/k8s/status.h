// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

#include "base/result.h"

namespace nuclio::k8s {

// What the server says, with a status of 300 and above or as a watch's ERROR: the message of its Status, else what can
// be shown of the text. A server that is none of Kubernetes may say anything.
Error status_error(int status, std::string_view body);

}  // namespace nuclio::k8s
