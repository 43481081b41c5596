// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "http/server.h"
#include "http/tls.h"
#include "loop/group.h"
#include "processor/batcher.h"
#include "processor/cors.h"
#include "processor/event_id.h"
#include "processor/trigger.h"
#include "processor/triggers/context.h"
#include "spec/trigger.h"

namespace nuclio::processor {

// Serves HTTP/1.1 and HTTP/2, through TLS when its attributes say so: each request is an event, whatever its method and
// path. It listens once it is started; the workers are ready by then, so no client ever hears "not ready". Paths that
// begin with
// /__internal/health are answered 200 before any worker sees them.
class HttpTrigger final : public Trigger, private http::Handler {
 public:
  // `trigger` and `config` are borrowed until this returns.
  HttpTrigger(const spec::Trigger& trigger, const spec::HttpTrigger& config, TriggerContext context);

  const std::string& name() const override { return context_.source.name; }
  std::string_view kind() const override { return context_.source.kind; }
  Task<Result<void>> start() override;
  Task<void> stop_accepting(Deadline deadline) override;
  Task<void> drain(Deadline deadline) override;
  std::string address() const override;

 private:
  Task<http::Response> handle(http::Request& request) override;
  // Each gives back what it got: an answer is not moved for every little thing that is done to it.
  http::Response&& readable(const http::Request& request, http::Response&& response);
  http::Response&& counted(http::Response&& response);
  void add_logs(std::span<const LogLine> logs, http::Headers& headers);
  Result<Listener> listener();

  TriggerContext context_;
  std::string url_;
  EventIds ids_;
  std::optional<CorsPolicy> cors_;
  std::optional<Batcher> batcher_;  // before the server, whose requests wait in it
  std::optional<http::TlsOptions> tls_options_;
  std::unique_ptr<http::Tls> tls_;
  Group background_;  // follows the certificate's files
  http::Server server_;
};

}  // namespace nuclio::processor
