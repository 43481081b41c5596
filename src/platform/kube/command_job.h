// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "builder/commands_sandbox.h"
#include "http/client.h"
#include "k8s/api.h"
#include "loop/group.h"
#include "loop/loop.h"
#include "platform/platform.h"

namespace nuclio::platform::kube {

struct CommandJobOptions {
  std::string image;                   // has our `builder` and proot: the dashboard's own
  std::string program;                 // where `builder` is in it
  std::string service_account;         // "" for the namespace's default; the pod gets no token of either
  std::string pull_secret;             // "" for none
  boost::json::object resources = {};  // of the container
  int port = 8070;
  std::chrono::milliseconds start_time = std::chrono::minutes{5};    // until the pod serves
  std::chrono::milliseconds refused_time = std::chrono::seconds{3};  // until a Job without a pod is asked why
};

// Whose commands they are: the function's object, with which the Job goes at the latest.
struct CommandJobOwner {
  FunctionId function;
  std::string uid;
  ProjectName project;
};

// The Job, and the Secret with the token that its pod asks for, which is the Job's.
boost::json::object job_object(const CommandJobOptions& options, const CommandJobOwner& owner, std::string_view name,
                               std::chrono::seconds timeout);
boost::json::object token_secret(const CommandJobOwner& owner, std::string_view job, std::string_view job_uid,
                                 std::string_view token);

// What a Job's pod says of itself.
struct PodNews {
  std::string address;    // once its container runs; "" before
  std::string waits_for;  // why not; "" when nothing is wrong
  std::string ended;      // why it serves nobody any more; "" while it may
  bool lasting = false;   // what it waits for seldom passes by itself
};
PodNews news_of(const boost::json::object& pod);

// Runs commands in a pod of their own, `builder serve` in a Job, which is there for one run: see
// docs/dev/decisions/0012-commands-in-a-job.md. The Job is deleted whatever happens, by a task in `clearing`, which
// outlives this. Everything is borrowed.
class CommandJob final : public builder::CommandsSandbox {
 public:
  CommandJob(Loop& loop, k8s::Api& api, http::Client& client, Group& clearing, CommandJobOptions options,
             CommandJobOwner owner)
      : loop_(loop),
        api_(api),
        client_(client),
        clearing_(clearing),
        options_(std::move(options)),
        owner_(std::move(owner)) {}
  std::string_view kind() const override;
  Task<Result<builder::SandboxOutcome>> run(const builder::SandboxJob& job, const Output& output,
                                            Deadline deadline) override;

 private:
  class Clearing;
  Task<Result<void>> make(std::string job, std::string token, Deadline deadline);
  Task<Result<PodNews>> look(std::string job, Deadline deadline);
  Task<std::string> refusal(std::string job, Deadline deadline);
  Task<Result<std::string>> wait_for_pod(std::string job, const Output& output, Deadline deadline);

  Loop& loop_;
  k8s::Api& api_;
  http::Client& client_;
  Group& clearing_;
  CommandJobOptions options_;
  CommandJobOwner owner_;
};

}  // namespace nuclio::platform::kube
