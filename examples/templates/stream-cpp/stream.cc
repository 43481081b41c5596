// SPDX-License-Identifier: Apache-2.0
// Counts down from the number in the body, a line at a time: the caller reads each line when it is written.
#include <nuclio/nuclio.h>

#include <chrono>
#include <cstdlib>
#include <thread>

nuclio::Response handler(nuclio::Context&, const nuclio::Event& event) {
  const int from = std::atoi(std::string(event.body()).c_str());
  if (from < 1 || from > 100) throw nuclio::Error(400, "send a number from 1 to 100 to count down from");
  const char* pause = std::getenv("PAUSE_MILLISECONDS");
  const std::chrono::milliseconds each{pause ? std::atoi(pause) : 100};
  return nuclio::Response::stream([from, each](nuclio::Writer& writer) {
    for (int n = from; n > 0 && writer.write(std::to_string(n) + "\n"); --n) std::this_thread::sleep_for(each);
    writer.write("liftoff\n");
  });
}
NUCLIO_HANDLER(handler)
