// SPDX-License-Identifier: Apache-2.0
#include "processor/triggers/http_answer.h"

#include "base/log.h"
#include "http/status.h"

namespace nuclio::processor {
namespace {

constexpr std::string_view kFilePath = "X-nuclio-filestream-path";
constexpr std::string_view kFileDelete = "X-nuclio-filestream-delete-after-send";
constexpr std::string_view kPlain = "text/plain";
constexpr std::string_view kPlainUtf8 = "text/plain; charset=utf-8";

// A streamed body whose beginning came with its head.
class BegunBody final : public http::BodySource {
 public:
  BegunBody(std::string first, std::unique_ptr<http::BodySource> rest)
      : first_(std::move(first)), rest_(std::move(rest)) {}
  Task<Result<std::optional<std::string>>> next() override {
    if (!first_.empty()) co_return std::exchange(first_, {});
    co_return co_await rest_->next();
  }

 private:
  std::string first_;
  std::unique_ptr<http::BodySource> rest_;
};

http::Response no_answer(const Error& error, ExposeErrors expose) {
  auto line = [&](int status, std::string_view hidden) {
    return http::Response::text(status, expose == ExposeErrors::yes ? error.what : std::string{hidden}, kPlainUtf8);
  };
  switch (error.why) {
    case Why::busy: {
      http::Response response = http::Response::empty(503);
      response.headers.add("Retry-After", "1");
      return response;
    }
    case Why::timeout: return http::Response::text(408, R"({"error": "handler timed out"})", kPlainUtf8);
    case Why::unavailable: return line(502, "the worker ended before it answered the event; its log says more");
    case Why::too_large: return line(413, "the event is too large");
    default: return line(http::status_of(error.why), "the event could not be handled; the function's log says more");
  }
}

std::string shown(const HandlerFailure& failure, ExposeErrors expose) {
  if (expose == ExposeErrors::no) return "the function failed; its log says more";
  return failure.traceback.empty() ? failure.message : failure.message + ": " + failure.traceback;
}

http::Response unsendable(std::string reason, ExposeErrors expose) {
  log::error("A handler's answer could not be sent", {{"reason", reason}});
  std::string shown = expose == ExposeErrors::yes ? "the handler's answer cannot be sent: " + reason
                                                  : "the handler's answer cannot be sent; its log says more";
  return http::Response::text(500, std::move(shown), kPlainUtf8);
}

http::Response file_answer(http::Response answer, const std::string& path, http::DeleteAfterSend after,
                           ExposeErrors expose) {
  auto file = http::FileBody::open(path, after);
  if (file) {
    answer.body = std::move(*file);
    return answer;
  }
  log::warn("A handler answered with a file that cannot be sent", {{"reason", file.error().what}});
  if (file.error().why == Why::not_found || file.error().why == Why::invalid)
    return http::Response::text(404, expose == ExposeErrors::yes ? file.error().what : "file not found", kPlainUtf8);
  return unsendable(file.error().what, expose);
}

}  // namespace

http::Response http_answer(Result<Response>&& result, ExposeErrors expose) {
  if (!result) return no_answer(result.error(), expose);
  Response& from = *result;
  if (from.failure && from.body.empty() && !from.lent) {
    from.body = shown(*from.failure, expose);
    from.content_type = kPlain;
  }
  if (from.status < 200 || from.status > 999)
    return unsendable("status " + std::to_string(from.status) + " is not between 200 and 999", expose);

  http::Response answer = http::Response::empty(from.status);
  std::string file;
  auto after = http::DeleteAfterSend::no;
  bool has_type = !from.content_type.empty();
  if (has_type && !answer.headers.add("Content-Type", from.content_type))
    return unsendable("the content type " + log::json_string(from.content_type) + " is no header value", expose);
  for (const auto& [name, value] : from.headers) {
    if (http::same_ignoring_case(name, kFilePath)) {
      file = value;
    } else if (http::same_ignoring_case(name, kFileDelete)) {
      if (http::same_ignoring_case(value, "true")) after = http::DeleteAfterSend::yes;
    } else if (!http::same_ignoring_case(name, "Content-Type") || from.content_type.empty()) {
      has_type |= http::same_ignoring_case(name, "Content-Type");
      if (!answer.headers.add(name, value))
        return unsendable("the header " + log::json_string(name) + " has the value " + log::json_string(value), expose);
    }
  }
  if (!file.empty()) return file_answer(std::move(answer), file, after, expose);
  if (!has_type && (from.more || from.lent || !from.body.empty())) answer.headers.add("Content-Type", kPlainUtf8);
  if (from.more) {
    answer.body = std::make_unique<BegunBody>(std::move(from.body), std::move(from.more));
  } else if (from.lent) {
    answer.body = std::move(*from.lent);
  } else {
    answer.body = std::move(from.body);
  }
  return answer;
}

}  // namespace nuclio::processor
