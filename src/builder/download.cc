// SPDX-License-Identifier: Apache-2.0
#include "builder/download.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>

#include "loop/descriptor.h"

namespace nuclio::builder {
namespace {

using namespace std::chrono_literals;

constexpr auto kHeadTime = 60s;

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Result<oci::Url> next_url(const oci::Url& from, std::string_view location) {
  const std::string where = "the redirect of " + shown_url(from.text());
  auto to = oci::resolve(from, location);
  if (!to) return std::unexpected(std::move(to).error().in(where));
  if (from.scheme == "https" && to->scheme == "http")
    return fail(Why::forbidden, where + " leads from https to http, to " + shown_url(to->text()));
  return to;
}

Error too_large(const std::string& name, Bytes max) {
  return {Why::too_large, name + " has more than " + std::to_string(max.count >> 20) +
                              " MiB, which is the limit of what is fetched for a function"};
}

}  // namespace

Task<Result<WebAnswer>> ask(http::Client& client, WebRequest request, Deadline deadline) {
  CO_TRY(oci::Url url, oci::parse_url(request.url));
  const oci::Url first = url;
  bool moved = false;
  for (int followed = 0;; ++followed) {
    moved = moved || !url.same_origin(first);
    http::ClientRequest get{.url = url.text()};
    if (request.asker != Asker::local || moved) get.reach = http::Reach::beyond_this_machine;
    if (request.asker == Asker::local) http::go_through(get, request.proxies);
    if (!moved) {
      for (const auto& [name, value] : request.headers) get.headers.set(name, value);
      get.authority_text = request.authorities;
    }
    CO_TRY(http::ClientStream stream,
           co_await client.open(std::move(get), earlier(deadline, Deadline::in(kHeadTime)), deadline));
    const std::string location(stream.headers.get("Location"));
    if (!is_redirect(stream.status) || location.empty() || request.redirects == 0)
      co_return WebAnswer{std::move(url), std::move(stream), moved};
    if (followed == request.redirects)
      co_return fail(Why::invalid,
                     shown_url(request.url) + " redirects more than " + std::to_string(request.redirects) + " times");
    CO_TRY(url, next_url(url, location));
  }
}

Task<Result<void>> save(WebAnswer& answer, std::string file, Bytes max) {
  const std::string name = shown_url(answer.url.text());
  std::uint64_t announced = 0;
  const std::string_view length = answer.stream.headers.get("Content-Length");
  std::from_chars(length.data(), length.data() + length.size(), announced);
  if (announced > max.count) co_return fail(too_large(name, max));
  Descriptor out{::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!out) co_return fail(errno_error("making " + file, errno));
  std::uint64_t left = max.count;
  for (;;) {
    CO_TRY(auto piece, co_await answer.stream.body->next());
    if (!piece) co_return Result<void>{};
    if (piece->size() > left) co_return fail(too_large(name, max));
    left -= piece->size();
    for (std::string_view rest = *piece; !rest.empty();) {
      const ssize_t put = ::write(out.get(), rest.data(), rest.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) co_return fail(errno_error("writing " + file, errno));
      rest.remove_prefix(static_cast<std::size_t>(put));
    }
  }
}

}  // namespace nuclio::builder
