// SPDX-License-Identifier: Apache-2.0
// Answers every event with a greeting.
#include <nuclio/nuclio.h>

std::string handler(nuclio::Context& context, const nuclio::Event& event) {
  context.logger.info("Greeting a caller", {{"path", event.path()}, {"body_size", event.body().size()}});
  return "Hello from C++";
}
NUCLIO_HANDLER(handler)
