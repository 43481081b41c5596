// SPDX-License-Identifier: Apache-2.0
#include "builder/remote_sandbox.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "builder/commands_server.h"
#include "http/status.h"
#include "loop/descriptor.h"

namespace nuclio::builder {
namespace {

constexpr Bytes kMaxAnswer{64u << 10};
constexpr std::size_t kMaxComplaint = 2000;

// What a server says that does not do what it was asked.
Error refusal(const http::ClientRequest& request, int status, std::string text) {
  text.resize(std::min(text.size(), kMaxComplaint));
  return {http::why_of(status), request.method + " " + request.url + ": " + std::to_string(status) + " " + text};
}

}  // namespace

std::string_view RemoteSandbox::kind() const { return kProot; }

http::ClientRequest RemoteSandbox::request_of(std::string method, const std::string& path) const {
  http::ClientRequest request;
  request.method = std::move(method);
  request.url = url_ + path;
  request.headers.add("Authorization", authorization_);
  request.max_body = kMaxAnswer;
  request.protocol = http::Protocol::http1;
  return request;
}

Task<Result<std::string>> RemoteSandbox::ask(http::ClientRequest request, Deadline deadline) {
  CO_TRY(auto answer, co_await client_.fetch(request, deadline));
  if (answer.status >= 300) co_return fail(refusal(request, answer.status, std::move(answer.body)));
  co_return std::move(answer.body);
}

Task<Result<void>> RemoteSandbox::send_layer(std::string path, std::string number, Deadline deadline) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) co_return fail(errno_error("reading " + path, errno));
  const auto size = static_cast<std::uint64_t>(status.st_size);
  for (std::uint64_t from = 0; from < size; from += kLayerPiece.count) {
    auto request = request_of("PUT", "/layers/" + number + "?from=" + std::to_string(from));
    request.file = http::FilePart{file.get(), from, Bytes{std::min(kLayerPiece.count, size - from)}};
    CO_TRY_DO(co_await ask(std::move(request), deadline));
  }
  co_return Result<void>{};
}

Task<Result<void>> RemoteSandbox::receive(std::string from, const oci::Sink& to, Deadline deadline) {
  auto request = request_of("GET", from);
  const auto asked = request;
  CO_TRY(auto answer, co_await client_.open(std::move(request), deadline, deadline));
  std::string complaint;
  for (;;) {
    CO_TRY(auto piece, co_await answer.body->next());
    if (!piece) break;
    if (answer.status < 300) {
      CO_TRY_DO(to(*piece));
    } else if (complaint.size() < kMaxComplaint) {
      complaint += *piece;
    }
  }
  if (answer.status >= 300) co_return fail(refusal(asked, answer.status, std::move(complaint)));
  co_return Result<void>{};
}

Task<Result<SandboxOutcome>> RemoteSandbox::run(const SandboxJob& job, const Output& output, Deadline deadline) {
  SandboxJob sent = job;
  sent.cache.clear();
  std::size_t number = 0;
  for (std::vector<std::string>* layers : {&sent.job.layers, &sent.job.over}) {
    for (std::string& layer : *layers) {
      std::string name = std::to_string(number++);
      CO_TRY_DO(co_await send_layer(layer, name, deadline));
      layer = std::move(name);
    }
  }
  auto begin = request_of("POST", "/run");
  begin.headers.add("Content-Type", "application/json");
  begin.body = sandbox_job_text(sent);
  CO_TRY_DO(co_await ask(std::move(begin), deadline));
  const oci::Sink log = [&output](std::string_view bytes) -> Result<void> {
    output.log(bytes);
    return {};
  };
  CO_TRY_DO(co_await receive("/log", log, deadline));
  CO_TRY(const std::string text, co_await ask(request_of("GET", "/outcome"), deadline));
  CO_TRY(SandboxOutcome outcome, parse_sandbox_outcome(text));
  if (!outcome.error && !outcome.failed) CO_TRY_DO(co_await receive("/layer", output.tar, deadline));
  co_return outcome;
}

}  // namespace nuclio::builder
