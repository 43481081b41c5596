// SPDX-License-Identifier: Apache-2.0
#include "oci/exchange.h"

#include <boost/json.hpp>
#include <utility>

#include "base/check.h"
#include "oci/json.h"
#include "schema/json.h"

namespace nuclio::oci {
namespace {

constexpr int kMaxRedirects = 5;
// The first request learns how to log in, the second may be sent with a token that has just expired.
constexpr int kMaxRefusals = 2;
constexpr std::size_t kMaxWords = 300;

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Url home_of(const std::string& registry, PlainHttp plain_http) {
  // What everybody calls docker.io answers there as a web site, and here as a registry.
  const std::string host = registry == "docker.io" ? "registry-1.docker.io" : registry;
  auto url = parse_url((plain_http == PlainHttp::yes ? "http://" : "https://") + host + "/v2/");
  CHECK(url);  // it is the registry of an ImageReference
  return std::move(*url);
}

}  // namespace

std::string registry_words(std::string_view body) {
  std::string words;
  const auto document = schema::parse_json(body);
  const boost::json::object* object = document ? document->if_object() : nullptr;
  const boost::json::value* errors = object ? object->if_contains("errors") : nullptr;
  if (!errors || !errors->is_array()) return words;
  for (const boost::json::value& error : errors->get_array()) {
    if (!error.is_object()) continue;
    const std::string_view message = text_of(error.get_object(), "message");
    words += (words.empty() ? "" : ", ") + std::string(message.empty() ? text_of(error.get_object(), "code") : message);
  }
  if (words.size() > kMaxWords) words.resize(kMaxWords);
  for (char& c : words)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  return words;
}

Task<Result<std::string>> read_all(http::ClientStream& stream, Bytes max) {
  std::string text;
  for (;;) {
    CO_TRY(auto piece, co_await stream.body->next());
    if (!piece) co_return std::move(text);
    text += *piece;
    if (text.size() > max.count)
      co_return fail(Why::too_large, "the answer has more than " + std::to_string(max.count) + " bytes");
  }
}

Exchange::Exchange(Loop& loop, http::Client& client, const Keychain& keychain, std::string host,
                   const RegistryOptions& options)
    : loop_(loop),
      client_(client),
      registry_(std::move(host)),
      options_(options),
      home_(home_of(registry_, options.plain_http)),
      authorization_(loop, client, keychain, registry_, home_, options.authorities, options.proxies, options.retry) {}

std::string Exchange::url(std::string_view path) const { return home_.text() + std::string(path); }

Deadline Exchange::attempt_deadline(const Call& call, Deadline deadline) const {
  const std::chrono::seconds moving{call.moves.count / options_.pace.count};
  return earlier(deadline, Deadline::in(options_.patience + moving));
}

Result<Url> Exchange::follow(const Call& call, const Url& from, std::string_view location) const {
  auto to = resolve(from, location);
  const std::string what = call.method + " " + from.scheme + "://" + from.authority + " is redirected";
  if (!to) return fail(std::move(to).error().in(what));
  if (from.scheme == "https" && to->scheme == "http")
    return fail(Why::forbidden, what + " to http://" + to->authority + ", away from TLS; that is not followed");
  return to;
}

Error Exchange::explained(Error error) const {
  // Said by OpenSSL when the other side does not speak TLS at all.
  if (home_.scheme == "https" && error.what.find("wrong version number") != std::string::npos)
    error.what += "; it seems to speak plain HTTP, which must be allowed for this registry if that is meant";
  return std::move(error).in("the registry " + registry_);
}

Task<Result<http::ClientStream>> Exchange::attempt(const Call& call, Deadline deadline) {
  const Deadline end = attempt_deadline(call, deadline);
  auto parsed = parse_url(call.url);
  if (!parsed) co_return fail(explained(std::move(parsed).error()));
  Url url = std::move(*parsed);
  int refusals = 0;
  for (int redirects = 0;;) {
    const bool at_home = url.same_origin(home_);
    http::ClientRequest request;
    request.method = call.method;
    request.url = url.text();
    request.headers = call.headers;
    request.body = call.body;
    request.file = call.file;
    request.authorities = options_.authorities;
    if (!at_home) request.reach = reach_from(home_);
    http::go_through(request, options_.proxies);
    std::string login;
    if (at_home) {
      CO_TRY(login, co_await authorization_.header(call.access, end));
      if (!login.empty()) request.headers.set("Authorization", login);
    }
    auto stream = co_await client_.open(std::move(request), end, end);
    if (!stream) co_return fail(explained(std::move(stream).error()));
    if (at_home && stream->status == 401) {
      auto body = co_await read_all(*stream, call.max_answer);
      std::string words = body ? registry_words(*body) : std::string{};
      if (++refusals > kMaxRefusals) co_return fail(authorization_.denied(call.access, words));
      CO_TRY_DO(authorization_.refused(call.access, login, stream->headers, std::move(words)));
      continue;
    }
    const std::string location(stream->headers.get("Location"));
    const bool may_follow = call.method == "GET" || call.method == "HEAD";
    if (!is_redirect(stream->status) || location.empty() || !may_follow) co_return std::move(stream);
    if (++redirects > kMaxRedirects)
      co_return fail(explained({Why::unavailable, "it redirects " + call.method + " more than 5 times"}));
    auto next = follow(call, url, location);
    if (!next) co_return fail(explained(std::move(next).error()));
    url = std::move(*next);
  }
}

Task<Result<Answer>> Exchange::send_once(const Call& call, Deadline deadline) {
  CO_TRY(http::ClientStream stream, co_await attempt(call, deadline));
  auto body = co_await read_all(stream, call.max_answer);
  if (!body) co_return fail(explained(std::move(body).error()));
  Answer answer{stream.status, std::move(stream.headers), std::move(*body)};
  co_return std::move(answer);
}

Task<Result<Answer>> Exchange::send(Call call, Deadline deadline) {
  http::Backoff backoff{loop_, options_.retry, deadline};
  for (;;) {
    auto answer = co_await send_once(call, deadline);
    const bool may_pass = answer ? http::passes(answer->status) : http::passes(answer.error());
    if (!may_pass) co_return answer;
    std::optional<std::chrono::seconds> asked;
    if (answer) asked = http::retry_after(answer->headers);
    const bool again = co_await backoff.again(asked);
    if (!again) co_return answer;
  }
}

Error Exchange::unexpected(const Call& call, const Answer& answer) const {
  std::string words = authorization_.without_secrets(registry_words(answer.body));
  if (answer.status == 401 || answer.status == 403) return authorization_.denied(call.access, words);
  const std::string path = call.url.substr(0, call.url.find('?'));
  std::string text = "the registry " + registry_ + " answered with status " + std::to_string(answer.status) + " to " +
                     call.method + " " + path;
  if (!words.empty()) text += ": " + words;
  Why why = Why::unavailable;
  if (answer.status == 404) why = Why::not_found;
  if (answer.status == 413) why = Why::too_large;
  if (answer.status == 429) {
    why = Why::busy;
    text += "; it limits how often it may be asked, try again later or log in";
  }
  if (answer.status == 400 || answer.status == 405 || answer.status == 415) why = Why::invalid;
  return {why, std::move(text)};
}

}  // namespace nuclio::oci
