// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <utility>

#include "builder/commands_sandbox.h"
#include "loop/loop.h"

namespace nuclio::builder {

// Runs commands in a child process, the program `builder`. By user namespaces they are apart from this machine and have
// root of their own (docs/dev/decisions/0009). Where these are forbidden, as in most pods, proot pretends as much: it
// keeps nobody in, so that it is for a pod or a machine that holds nothing but this one job
// (docs/dev/decisions/0012).
class LocalSandbox final : public CommandsSandbox {
 public:
  enum class Kind { user_namespace, proot };

  // `program` is where `builder` is. The loop is borrowed.
  LocalSandbox(Loop& loop, std::string program, Kind kind) : loop_(loop), program_(std::move(program)), kind_(kind) {}
  std::string_view kind() const override;
  Task<Result<SandboxOutcome>> run(const SandboxJob& job, const Output& output, Deadline deadline) override;

 private:
  Loop& loop_;
  std::string program_;
  Kind kind_;
};

}  // namespace nuclio::builder
