// SPDX-License-Identifier: Apache-2.0
// Answers every event with the greeting of the environment variable GREETING.
#include <nuclio/nuclio.h>

#include <cstdlib>

std::string handler(nuclio::Context& context, const nuclio::Event& event) {
  context.logger.info("Greeting a caller", {{"path", event.path()}});
  const char* greeting = std::getenv("GREETING");
  return greeting ? greeting : "Hello";
}
NUCLIO_HANDLER(handler)
