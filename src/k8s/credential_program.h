// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "base/result.h"
#include "k8s/cluster.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio::k8s {

struct ProgramCredential {
  std::string token;
  std::string certificate;  // PEM
  std::string key;
  std::optional<std::chrono::system_clock::time_point> expires;
};

// Runs the cluster's credential program. The errors say what it wrote to its standard error, where such programs ask
// for a new login, and how to install it when it is not there.
Task<Result<ProgramCredential>> ask_credential_program(Loop& loop, const Cluster& cluster, Deadline deadline);

// What the program wrote to its standard output.
Result<ProgramCredential> understand_credential(std::string_view text, const std::string& api_version);

}  // namespace nuclio::k8s
