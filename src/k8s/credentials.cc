// SPDX-License-Identifier: Apache-2.0
#include "k8s/credentials.h"

#include "base/base64.h"
#include "k8s/file.h"

namespace nuclio::k8s {
namespace {

// A person may have to answer a login's question in a browser.
constexpr std::chrono::minutes kProgramPatience{2};
constexpr std::chrono::seconds kBeforeItExpires{10};

std::string trimmed(std::string text) {
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.pop_back();
  return text;
}

Result<void> add_bearer(http::ClientRequest& request, const std::string& token) {
  // Checked here, since what is no header is shown in the log, where no token is to be.
  if (!http::is_header_value(token))
    return fail(Why::forbidden, "the token for the API server has characters that no token has");
  request.headers.set("Authorization", "Bearer " + token);
  return {};
}

}  // namespace

Result<void> Api::Credentials::read_token() {
  auto text = read_file(cluster_.token_file);
  std::string token = text ? trimmed(std::move(*text)) : std::string{};
  if (token.empty()) {
    if (!file_token_.empty()) return {};  // it is good for a while still; it is being renewed perhaps
    return fail(Why::forbidden, text ? cluster_.token_file + " holds no token" : text.error().what);
  }
  if (token != file_token_) ++generation_;
  file_token_ = std::move(token);
  return {};
}

bool Api::Credentials::runs_out() const {
  return given_->expires && std::chrono::system_clock::now() + kBeforeItExpires >= *given_->expires;
}

Task<void> Api::Credentials::renew() {
  auto got = co_await ask_credential_program(loop_, cluster_, Deadline::in(kProgramPatience));
  failure_.reset();
  if (got) {
    given_ = std::move(*got);
    ++generation_;
  } else {
    failure_ = std::move(got).error();
  }
  renewed_.notify_all();
}

// The program runs once for all who wait, and to its end, also when those who wait have given up.
Task<Result<void>> Api::Credentials::ask(Deadline deadline) {
  if (given_ && !runs_out()) co_return Result<void>{};
  if (renewal_.size() == 0) renewal_.spawn(renew());
  while (renewal_.size() > 0) {
    const bool renewed = co_await renewed_.wait(deadline);
    if (renewed) break;
    if (deadline.passed())
      co_return fail(Why::timeout, cluster_.program->argv.front() + " did not give credentials in time");
  }
  if (failure_) co_return fail(*failure_);
  if (!given_) co_return fail(Why::forbidden, "the server refused the credentials as soon as they were given");
  co_return Result<void>{};
}

Task<Result<Api::Credentials::Generation>> Api::Credentials::add_to(http::ClientRequest& request, Deadline deadline) {
  request.client_certificate = cluster_.client_certificate;
  request.client_key = cluster_.client_key;
  if (!cluster_.token_file.empty()) {
    CO_TRY_DO(read_token());
    CO_TRY_DO(add_bearer(request, file_token_));
  } else if (!cluster_.token.empty()) {
    CO_TRY_DO(add_bearer(request, cluster_.token));
  } else if (!cluster_.username.empty()) {
    request.headers.set("Authorization", "Basic " + encode_base64(cluster_.username + ":" + cluster_.password));
  } else if (cluster_.program) {
    CO_TRY_DO(co_await ask(deadline));
    if (!given_->token.empty()) {
      CO_TRY_DO(add_bearer(request, given_->token));
    }
    if (!given_->certificate.empty()) {
      request.client_certificate = given_->certificate;
      request.client_key = given_->key;
    }
  }
  co_return generation_;
}

bool Api::Credentials::refused(Generation generation) {
  if (generation != generation_) return true;
  if (!cluster_.token_file.empty()) return read_token() && generation != generation_;
  if (!cluster_.program || !given_) return false;
  given_.reset();
  return true;
}

}  // namespace nuclio::k8s
