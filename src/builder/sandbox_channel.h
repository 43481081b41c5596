// SPDX-License-Identifier: Apache-2.0
// How the program `builder` speaks to whoever started it to run commands: see sandbox_job.h for its descriptors.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "builder/sandbox_job.h"
#include "builder/sandbox_store.h"
#include "oci/changes.h"

namespace nuclio::builder {

// Reads the job, has it run, and reports what `run` complains about; what it returns is the program's exit code.
// SIGTERM is blocked from then on: see watch_until().
int speak_as_sandbox(const std::function<Result<int>(const SandboxJob&)>& run);

// A line of the log.
void say(std::string_view line);
void report(const SandboxOutcome& outcome);

Result<void> write_all(int to, std::string_view bytes);

// The layer's tar, in pieces of a size that suits a pipe.
class TarOut {
 public:
  Result<void> write(std::string_view bytes) {
    buffer_ += bytes;
    return buffer_.size() < kPiece ? Result<void>{} : flush();
  }
  Result<void> flush();

 private:
  static constexpr std::size_t kPiece = 64 << 10;
  std::string buffer_;
};

// As the layer of a job is written.
oci::ChangesOptions layer_options(const SandboxJob& job);

Result<std::vector<OpenLayer>> open_layers(const std::vector<std::string>& paths);

}  // namespace nuclio::builder
