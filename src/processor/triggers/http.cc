// SPDX-License-Identifier: Apache-2.0
#include "processor/triggers/http.h"

#include <fmt/format.h>

#include "base/log.h"
#include "loop/listener.h"
#include "processor/log_shipping.h"
#include "processor/triggers/http_event.h"

namespace nuclio::processor {
namespace {

constexpr std::string_view kHealthPath = "/__internal/health";
constexpr std::string_view kDefaultUrl = ":8080";

http::Limits limits_of(const spec::HttpTrigger& config, const spec::ProcessorConfig& settings) {
  using std::chrono::milliseconds;
  const spec::HttpLimitsConfig& platform = settings.http;
  http::Limits limits;
  limits.header_bytes = config.read_buffer_size.value_or(platform.max_header_bytes);
  limits.header_count = static_cast<std::size_t>(platform.max_headers);
  limits.target_bytes = platform.max_target_bytes.value_or(limits.header_bytes);
  limits.body_bytes = config.max_request_body_size.value_or(Bytes{0});
  // Nuclio's server takes 0 for its own default.
  if (limits.body_bytes.count == 0) limits.body_bytes = platform.max_body_bytes;
  limits.header_timeout = milliseconds{platform.header_timeout_milliseconds};
  limits.idle_timeout = milliseconds{platform.idle_timeout_milliseconds};
  limits.transfer_rate = Bytes{static_cast<std::uint64_t>(platform.least_bytes_per_second)};
  limits.transfer_grace = milliseconds{platform.body_grace_milliseconds};
  limits.answer_grace = milliseconds{platform.answer_grace_milliseconds};
  limits.linger = milliseconds{platform.linger_milliseconds};
  limits.http2_streams = config.http2 ? static_cast<std::size_t>(platform.http2_streams) : 0;
  limits.http2_window = platform.http2_window_bytes;
  limits.http2_bodies = platform.http2_body_bytes;
  limits.http2_frames = {platform.http2_idle_frames, platform.http2_idle_frames_per_second};
  limits.http2_resets = {platform.http2_resets, platform.http2_resets_per_second};
  limits.http2_unread_acks = static_cast<std::size_t>(platform.http2_unread_acks);
  limits.connections = static_cast<std::size_t>(settings.max_connections);
  return limits;
}

std::optional<http::TlsOptions> tls_of(const spec::HttpTrigger& config) {
  if (!config.tls) return {};
  const spec::HttpTls& tls = *config.tls;
  return http::TlsOptions{.certificate = tls.path_of(tls.certificate),
                          .key = tls.path_of(tls.key),
                          .client_ca = tls.path_of(tls.client_ca),
                          .minimum_version = tls.minimum_version == spec::TlsMinimumVersion::v1_3
                                                 ? http::TlsVersion::v1_3
                                                 : http::TlsVersion::v1_2,
                          .http2 = config.http2};
}

// Not that there was no worker: under overload that is most events, and the metrics count them.
void log_unanswered(const Event& event, const Error& error) {
  if (error.why == Why::busy) return;
  log::warn("An event was not answered",
            {{"trigger", event.trigger_name}, {"event", event.id}, {"reason", error.what}});
}

// Where the time went, in milliseconds, as browsers read it: https://www.w3.org/TR/server-timing/.
std::string server_timing(const Response& response) {
  const auto milliseconds = [](std::chrono::nanoseconds time) {
    return std::chrono::duration<double, std::milli>(time).count();
  };
  return fmt::format("queue;dur={:.3f}, handler;dur={:.3f}", milliseconds(response.waited),
                     milliseconds(response.duration));
}

}  // namespace

HttpTrigger::HttpTrigger(const spec::Trigger& trigger, const spec::HttpTrigger& config, TriggerContext context)
    : context_(std::move(context)),
      url_(trigger.url.empty() ? kDefaultUrl : trigger.url),
      tls_options_(tls_of(config)),
      background_(context_.loop),
      server_(context_.loop, limits_of(config, context_.settings), *this, context_.body_pool) {
  if (config.cors && config.cors->enabled) cors_.emplace(*config.cors);
  if (trigger.batch.mode == spec::BatchMode::enable)
    batcher_.emplace(context_.loop, context_.handler, context_.source, trigger.batch);
}

Task<http::Response> HttpTrigger::handle(http::Request& request) {
  if (request.path.starts_with(kHealthPath)) co_return http::Response::empty(200);
  if (cors_ && cors_->is_preflight(request)) co_return counted(cors_->answer_preflight(request));

  HttpEvent made;
  auto filled = made.fill(request, kind(), name(), ids_);
  if (!filled) co_return counted(readable(request, http::Response::error(filled.error())));

  Call call{.deadline = context_.handler.event_deadline(),
            .ship_logs = log::parse_level(request.headers.get(kLogLevelHeader))};
  auto handling =
      batcher_ ? batcher_->handle(made.event(), call) : context_.handler.handle(context_.source, made.event(), call);
  Result<Response>& result = co_await handling.in_place();
  if (!result) log_unanswered(made.event(), result.error());
  std::vector<LogLine> logs;
  std::string timing;
  if (call.ship_logs && result) {
    logs = std::move(result->logs);
    timing = server_timing(*result);
  }
  http::Response response = http_answer(std::move(result), context_.expose_errors);
  if (call.ship_logs) add_logs(logs, response.headers);
  if (!timing.empty()) response.headers.add("Server-Timing", timing);
  co_return counted(readable(request, std::move(response)));
}

// A page that may read answers may read that it was refused, too.
http::Response&& HttpTrigger::readable(const http::Request& request, http::Response&& response) {
  if (cors_) cors_->add_to(response.headers, request.headers.get("Origin"));
  return std::move(response);
}

http::Response&& HttpTrigger::counted(http::Response&& response) {
  context_.metrics.answered(context_.source, response.status);
  return std::move(response);
}

void HttpTrigger::add_logs(std::span<const LogLine> logs, http::Headers& headers) {
  ShippedLogs shipped = ship_logs(logs, "processor." + context_.source.kind);
  if (shipped.left_out > 0)
    log::warn("Log lines were left out of X-Nuclio-Logs, which has room for 4095 bytes",
              {{"trigger", name()}, {"lines", logs.size()}, {"left_out", shipped.left_out}});
  headers.set(kLogsHeader, shipped.json);
}

Task<Result<void>> HttpTrigger::start() {
  if (tls_options_) {
    auto loaded = http::Tls::load(*tls_options_);
    if (!loaded) co_return fail(std::move(loaded.error()).in("trigger " + name() + ": tls"));
    tls_ = std::move(*loaded);
    background_.spawn(tls_->follow_files(context_.loop));
  }
  if (context_.stands_by) {
    server_.stand_by(tls_.get());
    context_.standing_by->push_back(&server_);
    co_return Result<void>{};
  }
  if (context_.standing_by) server_.share_with(*context_.standing_by);
  auto listening = listener();
  if (!listening) co_return fail(std::move(listening.error()).in("trigger " + name()));
  server_.serve(std::move(*listening), tls_.get());
  co_return Result<void>{};
}

Result<Listener> HttpTrigger::listener() {
  if (context_.listener) return Listener::adopt(context_.loop, std::move(context_.listener));
  TRY(Address address, parse_address(url_));
  return Listener::listen(context_.loop, address);
}

Task<void> HttpTrigger::stop_accepting(Deadline deadline) {
  if (batcher_) batcher_->hurry();
  co_await server_.stop_accepting(context_.drain_pause, deadline);
}

Task<void> HttpTrigger::drain(Deadline deadline) { (void)co_await server_.drain(deadline); }

std::string HttpTrigger::address() const {
  auto addresses = server_.addresses();
  return addresses.empty() ? "" : addresses.front().text();
}

}  // namespace nuclio::processor
