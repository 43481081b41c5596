// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <utility>

#include "builder/commands_sandbox.h"
#include "http/client.h"

namespace nuclio::builder {

// Runs commands where `builder serve` waits for one job. The client is borrowed.
class RemoteSandbox final : public CommandsSandbox {
 public:
  // `url` is "http://host:port".
  RemoteSandbox(http::Client& client, std::string url, std::string token)
      : client_(client), url_(std::move(url)), authorization_("Bearer " + std::move(token)) {}
  std::string_view kind() const override;
  Task<Result<SandboxOutcome>> run(const SandboxJob& job, const Output& output, Deadline deadline) override;

 private:
  Task<Result<std::string>> ask(http::ClientRequest request, Deadline deadline);
  Task<Result<void>> send_layer(std::string path, std::string number, Deadline deadline);
  Task<Result<void>> receive(std::string from, const oci::Sink& to, Deadline deadline);
  http::ClientRequest request_of(std::string method, const std::string& path) const;

  http::Client& client_;
  std::string url_;
  std::string authorization_;
};

}  // namespace nuclio::builder
