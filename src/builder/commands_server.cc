// SPDX-License-Identifier: Apache-2.0
#include "builder/commands_server.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "base/log.h"
#include "oci/digest.h"
#include "oci/file.h"

namespace nuclio::builder {
namespace {

constexpr std::size_t kMostLayers = 500;  // an image has less than 130
constexpr std::size_t kPiece = 256 << 10;
constexpr std::string_view kBearer = "Bearer ";

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<void> append(const std::string& path, std::string_view bytes) {
  const Descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
  if (!file) return fail_errno("writing " + path);
  while (!bytes.empty()) {
    const ssize_t put = ::write(file.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno("writing " + path);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

std::uint64_t size_of(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

}  // namespace

// Somebody who may ask is here. While there is one, and for some time afterwards, it is not over.
class CommandsServer::Visit {
 public:
  explicit Visit(CommandsServer& server) : server_(server) { ++server_.visitors_; }
  Visit(const Visit&) = delete;
  ~Visit() {
    --server_.visitors_;
    server_.last_seen_ = server_.loop_.now();
    server_.changed_.notify_all();
  }

 private:
  CommandsServer& server_;
};

// They stay until they have the whole answer.
class CommandsServer::VisitedBody final : public http::BodySource {
 public:
  VisitedBody(CommandsServer& server, std::unique_ptr<http::BodySource> body)
      : visit_(server), body_(std::move(body)) {}
  Task<Result<std::optional<std::string>>> next() override { return body_->next(); }

 private:
  Visit visit_;
  std::unique_ptr<http::BodySource> body_;
};

class CommandsServer::LayerFile final : public http::BodySource {
 public:
  LayerFile(CommandsServer& server, Descriptor file) : server_(server), file_(std::move(file)) {}
  Task<Result<std::optional<std::string>>> next() override {
    std::string piece(kPiece, '\0');
    const ssize_t size = ::read(file_.get(), piece.data(), piece.size());
    if (size < 0) co_return fail(errno_error("reading the layer", errno));
    if (size == 0) {
      server_.fetched();
      co_return std::nullopt;
    }
    piece.resize(static_cast<std::size_t>(size));
    co_return piece;
  }

 private:
  CommandsServer& server_;
  Descriptor file_;
};

CommandsServer::CommandsServer(Loop& loop, CommandsSandbox& sandbox, CommandsServerOptions options)
    : loop_(loop),
      sandbox_(sandbox),
      options_(std::move(options)),
      log_(loop),
      last_seen_(loop.now()),
      changed_(loop),
      router_(routes()),
      running_(loop) {}

CommandsServer::~CommandsServer() = default;

std::vector<http::Route> CommandsServer::routes() {
  using http::PathParams;
  using http::Request;
  return {
      {"PUT", "/layers/{number}",
       [this](Request& request, const PathParams& params) { return put_layer(request, params); },
       "Adds a piece to a layer's file, from the byte ?from=N (0) on, which is how much there is of it."},
      {"POST", "/run", [this](Request& request, const PathParams&) { return post_run(request); },
       "Begins with the job, whose layers are the numbers of those that were sent."},
      {"GET", "/log", [this](Request&, const PathParams&) { return get_log(); },
       "What the commands print, as it comes, until all is over."},
      {"GET", "/outcome", [this](Request&, const PathParams&) { return get_outcome(); }, "How it went; {} when well."},
      {"GET", "/layer", [this](Request&, const PathParams&) { return get_layer(); },
       "The tar of what the commands changed."},
  };
}

Task<http::Response> CommandsServer::handle(http::Request& request) {
  if (request.path == "/ready") co_return http::Response::text(200, "ready\n");
  if (!may_ask(request)) {
    auto refused = http::Response::error({Why::forbidden, "this needs the build's token: Authorization: Bearer …"});
    refused.status = 401;
    co_return refused;
  }
  const Visit visit{*this};
  co_return co_await router_.handle(request);
}

bool CommandsServer::may_ask(const http::Request& request) const {
  std::string_view shown = request.headers.get("Authorization");
  if (!shown.starts_with(kBearer)) return false;
  shown.remove_prefix(kBearer.size());
  // Digests have one length, so that the time that it takes tells nothing, not even the token's.
  const auto right = oci::Digest::of(options_.token);
  const auto given = oci::Digest::of(shown);
  return ::CRYPTO_memcmp(right.text().data(), given.text().data(), right.text().size()) == 0;
}

Task<http::Response> CommandsServer::put_layer(http::Request& request, const http::PathParams& params) {
  const auto size = keep_piece(params.get("number"), request);
  if (!size) co_return http::Response::error(size.error());
  co_return http::Response::json(200, "{\"size\": " + std::to_string(*size) + "}");
}

Result<std::uint64_t> CommandsServer::keep_piece(const std::string& text, const http::Request& request) {
  const auto number = number_of(text);
  if (!number || *number >= kMostLayers)
    return fail(Why::invalid,
                "a layer's number must be from 0 to " + std::to_string(kMostLayers - 1) + ", is \"" + text + "\"");
  const auto from = number_of(http::query_param(request.query, "from").value_or("0"));
  if (!from) return fail(Why::invalid, "?from= must be a number of bytes");
  if (begun_) return fail(Why::conflict, "the commands run already; layers come before");
  const std::string path = layer_path(std::to_string(*number));
  const std::uint64_t size = size_of(path);
  if (*from != size)
    return fail(Why::conflict, "of layer " + std::to_string(*number) + " there are " + std::to_string(size) +
                                   " bytes, and the next piece must begin there (?from=" + std::to_string(size) + ")");
  received_ += request.body.size();
  if (received_ > options_.layers.count)
    return fail(Why::too_large,
                "layers must have at most " + std::to_string(options_.layers.count) + " bytes together");
  TRY_DO(append(path, request.body));
  return size + request.body.size();
}

Task<http::Response> CommandsServer::post_run(http::Request& request) {
  const auto started = start(std::string(request.body));
  if (!started) co_return http::Response::error(started.error());
  co_return http::Response::json(202, "{}");
}

Result<void> CommandsServer::start(const std::string& text) {
  if (begun_) return fail(Why::conflict, "this pod runs the commands of one job, which has begun");
  auto job = parse_sandbox_job(text);
  if (!job) return fail(Why::invalid, "the job: " + job.error().what);
  job->cache = options_.folder;
  TRY_DO(use_layers(job->job.layers));
  TRY_DO(use_layers(job->job.over));
  begun_ = true;
  running_.spawn(run(std::move(*job)));
  return {};
}

// Files instead of numbers.
Result<void> CommandsServer::use_layers(std::vector<std::string>& layers) const {
  for (std::string& layer : layers) {
    const auto number = number_of(layer);
    const std::string path = number ? layer_path(std::to_string(*number)) : "";
    if (!number || ::access(path.c_str(), R_OK) != 0)
      return fail(Why::invalid,
                  "the job's layer \"" + layer + "\" was not sent; PUT /layers/" + layer + " comes before");
    layer = path;
  }
  return {};
}

Task<void> CommandsServer::run(SandboxJob job) {
  auto tar = oci::NewFile::create(tar_path());
  if (!tar) {
    outcome_ = SandboxOutcome{.error = tar.error()};
  } else {
    CommandsSandbox::Output output;
    output.log = [this](std::string_view bytes) { log_.add(bytes); };
    output.tar = [&tar](std::string_view bytes) { return tar->write(bytes); };
    auto outcome = co_await sandbox_.run(job, output, options_.deadline);
    if (outcome && !outcome->error && !outcome->failed)
      if (auto kept = tar->keep(); !kept) outcome = std::unexpected(kept.error());
    outcome_ = outcome ? std::move(*outcome) : SandboxOutcome{.error = std::move(outcome).error()};
  }
  log::info("The commands are done", {{"outcome", sandbox_outcome_text(*outcome_)}});
  log_.end();
}

Task<http::Response> CommandsServer::get_log() {
  http::Response response;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.body = std::make_unique<VisitedBody>(*this, log_.read());
  co_return response;
}

Task<http::Response> CommandsServer::get_outcome() {
  if (!outcome_)
    co_return http::Response::error(
        {Why::conflict, begun_ ? "the commands still run; GET /log ends when they do" : "no job was given yet"});
  if (outcome_->error || outcome_->failed) fetched();
  co_return http::Response::json(200, sandbox_outcome_text(*outcome_));
}

Task<http::Response> CommandsServer::get_layer() {
  Descriptor file{::open(tar_path().c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) co_return http::Response::error({Why::conflict, "there is no layer; GET /outcome says why"});
  http::Response response;
  response.headers.add("Content-Type", "application/x-tar");
  response.body = std::make_unique<VisitedBody>(*this, std::make_unique<LayerFile>(*this, std::move(file)));
  co_return response;
}

void CommandsServer::fetched() {
  fetched_ = true;
  changed_.notify_all();
}

Task<CommandsServer::Over> CommandsServer::over() {
  while (!fetched_) {
    if (visitors_ > 0) {
      (void)co_await changed_.wait();
      continue;
    }
    const Deadline idle = Deadline::at(last_seen_ + options_.idle);
    if (idle.passed()) co_return Over::nobody_came;
    (void)co_await changed_.wait(idle);
  }
  co_return Over::fetched;
}

}  // namespace nuclio::builder
