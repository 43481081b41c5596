// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string_view>

#include "base/result.h"
#include "builder/sandbox_job.h"
#include "loop/deadline.h"
#include "loop/task.h"
#include "oci/sink.h"

namespace nuclio::builder {

// How commands run that think they are root and are not: all that they make is root's in the layer.
inline constexpr std::string_view kProot = "proot";

// Where an image's commands run: a child process of this machine (local_sandbox.h), or a pod of a cluster.
class CommandsSandbox {
 public:
  // What comes out of it, in order: the log's bytes, and the tar of what the commands changed, which counts when
  // nothing went wrong. An error of the tar's ends the run.
  struct Output {
    std::function<void(std::string_view)> log;
    oci::Sink tar;
  };

  virtual ~CommandsSandbox() = default;
  // How the commands run, when that can make another layer of the same job.
  virtual std::string_view kind() const = 0;
  // Runs a job to its end. The outcome is what the sandbox says, a stranger's word; the error is ours, when there was
  // none to hear: Why::timeout at the deadline. Whatever happens, nothing of the commands outlives the task for long.
  // Loop, job and output are borrowed until then.
  virtual Task<Result<SandboxOutcome>> run(const SandboxJob& job, const Output& output, Deadline deadline) = 0;
};

}  // namespace nuclio::builder
