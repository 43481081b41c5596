// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string>

namespace nuclio::builder {

// What `builder serve` does: the program of the pod in which a cluster's dashboard has commands run. Arguments are
// those after "serve"; `program` is where `builder` is. Returns the program's exit code.
int serve(std::span<const std::string> arguments, std::string program);

}  // namespace nuclio::builder
