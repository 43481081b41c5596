// SPDX-License-Identifier: Apache-2.0
#include <nuclio/nuclio.h>

std::string handler(nuclio::Context&, const nuclio::Event&) { return "Hello from Nuclio"; }
NUCLIO_HANDLER(handler)
