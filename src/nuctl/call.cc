// SPDX-License-Identifier: Apache-2.0
// `nuctl call`: one HTTP request, sent again until somebody has taken it. It asks neither dashboard nor cluster, so
// that a pod can run it: CronJobs of functions do (src/controller/resources/cron_jobs.cc).
#include <algorithm>
#include <chrono>
#include <optional>

#include "base/duration.h"
#include "base/random_text.h"
#include "http/retry.h"
#include "http/status.h"
#include "nuctl/commands.h"
#include "nuctl/session.h"
#include "spec/invocation.h"

namespace nuclio::nuctl {
namespace {

using namespace std::chrono_literals;

constexpr int kMostAttempts = 100;
constexpr Bytes kMaxShown{1 << 20};  // of the answer's body: what is printed ends up in a pod's log
constexpr std::chrono::milliseconds kFirstPause{500};
constexpr std::chrono::milliseconds kLongestPause{10'000};

// The same for all attempts of one call, so that who is called twice can tell.
constexpr std::string_view kEventId = "X-Nuclio-Event-Id";

// Not `quoted`: beside std::quoted a call would mean either.
std::string in_quotes(std::string_view text) { return "\"" + std::string(text.substr(0, 200)) + "\""; }

std::string status_text(int status) {
  std::string out = std::to_string(status);
  if (const std::string_view phrase = http::reason_phrase(status); !phrase.empty()) out += " " + std::string(phrase);
  return out;
}

std::string_view remedy(const Error& error) {
  switch (error.why) {
    case Why::timeout: return "see why it takes so long, or give it longer with --timeout";
    case Why::unavailable: return "see that it runs and is reached at this address";
    case Why::forbidden: return "--skip-tls calls it whatever its certificate is";
    default: return "mend the URL, --method or --header";
  }
}

std::string remedy(int status, const http::Headers& headers) {
  if (status >= 500 || status == 408 || status == 429) return "see its log for why";
  if (status < 400)
    return headers.has("Location") ? "redirects are not followed; call " + in_quotes(headers.get("Location"))
                                   : "a status from 200 to 299 was expected";
  return "mend the URL, --method, --header or --body";
}

class Call final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.argument("url", url_, "What to call, http://… or https://…");
    flags.text({"method", 'm'}, method_, "HTTP method (GET, or POST with a body)");
    flags.list({"header", 'H'}, headers_, "Header, \"Name: value\"; may be given several times");
    flags.text({"body", 'b'}, body_, "Body of the request, 64 KiB at most");
    flags.number({"attempts"}, attempts_,
                 "How often it is sent at most, 1 to 100 (10); again when there is no connection or no answer, or it "
                 "is 408, 429, 500, 502, 503 or 504");
    flags.text({"timeout", 't'}, timeout_, "How long each attempt may take, 1s to 1h");
    flags.yes({"skip-tls"}, skip_tls_, "Call who speaks HTTPS whatever the certificate is");
  }

  Task<Result<int>> run(Session& session) override {
    CO_TRY(const http::ClientRequest request, build_request());
    CO_TRY(const std::chrono::nanoseconds timeout, attempt_timeout());
    CO_TRY(const int most, most_attempts());
    const Deadline all = Deadline::in((timeout + kLongestPause) * most);
    const http::RetryPolicy policy{.attempts = most, .first = kFirstPause, .most = kLongestPause};
    http::Backoff backoff{session.loop(), policy, all};
    for (int number = 1;; ++number) {
      const std::string which = "attempt " + std::to_string(number) + " of " + std::to_string(most);
      const Deadline deadline = earlier(Deadline::in(timeout), all);
      Outcome outcome = co_await attempt(session, request, number == most, deadline);
      if (!outcome.failure) co_return 0;
      if (!outcome.may_pass) co_return fail(std::move(*outcome.failure));
      const bool again = co_await backoff.again(outcome.asked);
      if (!again && number == most) co_return fail(std::move(*outcome.failure).in("given up after " + which));
      if (!again) co_return fail(std::move(*outcome.failure).in("given up after " + which + out_of_time(outcome)));
      session.note(which + ": " + outcome.failure->what + "; trying again\n");
    }
  }

 private:
  struct Outcome {
    std::optional<Error> failure = {};
    bool may_pass = false;                           // another attempt is worth it
    std::optional<std::chrono::seconds> asked = {};  // the pause before it, by whom was called
  };

  // A status from 200 to 299 is the end of the story, whatever becomes of the body: what was done is not done twice.
  // Of other answers the last one is shown.
  Task<Outcome> attempt(Session& session, http::ClientRequest request, bool last, Deadline deadline) const {
    Outcome outcome;
    const std::string what = request.method + " " + shown_url();
    auto answer = co_await session.client().open(std::move(request), deadline, deadline);
    if (!answer) {
      outcome.failure = std::move(answer).error();
      outcome.may_pass = http::passes(*outcome.failure);
      outcome.failure->what += "; " + std::string(remedy(*outcome.failure));
      co_return outcome;
    }
    const std::string said = what + ": answered " + status_text(answer->status);
    const bool taken = answer->status >= 200 && answer->status < 300;
    outcome.may_pass = !taken && http::passes(answer->status);
    if (last || !outcome.may_pass) {
      session.note(said + "\n");
      co_await print_body(session, *answer->body);
    }
    if (taken) co_return outcome;
    outcome.failure = Error{Why::unavailable, said + "; " + remedy(answer->status, answer->headers)};
    outcome.asked = http::retry_after(answer->headers);
    co_return outcome;
  }

  static std::string out_of_time(const Outcome& outcome) {
    return outcome.asked ? ", since it asks for " + std::to_string(outcome.asked->count()) + " s until the next"
                         : ", since there is no time for another";
  }

  Result<http::ClientRequest> build_request() const {
    http::ClientRequest request;
    if (!url_.starts_with("http://") && !url_.starts_with("https://"))
      return fail(Why::invalid, "the URL must begin with http:// or https://, is " + in_quotes(url_));
    if (url_.size() > spec::kMaxCallUrl.count)
      return fail(Why::invalid, "the URL may have 8192 bytes, has " + std::to_string(url_.size()));
    if (std::ranges::any_of(url_, [](char c) { return c <= ' ' || c == 0x7f; }))
      return fail(Why::invalid, "the URL may have no spaces or control characters, is " + in_quotes(url_) +
                                    "; write them as %20 and so on");
    request.url = url_;
    if (body_.size() > spec::kMaxCallBody.count)
      return fail(Why::invalid, "--body may have 65536 bytes, has " + std::to_string(body_.size()));
    request.body = body_;
    request.method = !method_.empty() ? method_ : body_.empty() ? "GET" : "POST";
    if (request.method.size() > 32 || !http::is_header_name(request.method))
      return fail(Why::invalid, "--method must be a word such as POST, is " + in_quotes(request.method));
    if (headers_.size() > spec::kMaxCallHeaders)
      return fail(Why::invalid, "--header may be given 100 times, is given " + std::to_string(headers_.size()));
    for (const std::string& text : headers_) TRY_DO(add_header(request.headers, text));
    if (!request.headers.has(kEventId)) request.headers.add(kEventId, random_text(20));
    request.verify_peer = skip_tls_ ? http::VerifyPeer::no : http::VerifyPeer::yes;
    return request;
  }

  // What is wrong with a header is told without its value, which may be a password.
  static Result<void> add_header(http::Headers& headers, std::string_view text) {
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    if (colon == std::string_view::npos || !http::is_header_name(name))
      return fail(Why::invalid, "--header must be \"Name: value\"; the name of one is " +
                                    (colon == std::string_view::npos ? "missing" : in_quotes(name)));
    std::string_view value = text.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    while (value.ends_with(' ')) value.remove_suffix(1);
    if (text.size() > spec::kMaxCallHeader.count)
      return fail(Why::invalid,
                  "--header " + in_quotes(name) + " may have 8192 bytes, has " + std::to_string(text.size()));
    if (!http::is_header_value(value))
      return fail(Why::invalid, "--header " + in_quotes(name) + " has a value with control characters in it");
    headers.add(name, value);
    return {};
  }

  Result<int> most_attempts() const {
    const long most = attempts_.value_or(10);
    if (most < 1 || most > kMostAttempts)
      return fail(Why::invalid, "--attempts must be from 1 to 100, is " + std::to_string(most));
    return static_cast<int>(most);
  }

  Result<std::chrono::nanoseconds> attempt_timeout() const {
    auto timeout = parse_duration(timeout_);
    if (!timeout) return std::unexpected(std::move(timeout.error()).in("--timeout"));
    if (*timeout < 1s || *timeout > 1h) return fail(Why::invalid, "--timeout must be from 1s to 1h, is " + timeout_);
    return *timeout;
  }

  // Without what may be secret, as the client's errors show it.
  std::string shown_url() const {
    std::string out = url_.substr(0, url_.find('?'));
    const std::size_t host = out.find("://") + 3;
    const std::size_t at = out.substr(host, out.find('/', host) - host).rfind('@');
    if (at != std::string::npos) out.erase(host, at + 1);
    return out;
  }

  // An answer counts whatever becomes of its body.
  static Task<void> print_body(Session& session, http::BodySource& body) {
    std::size_t left = kMaxShown.count;
    for (;;) {
      auto piece = co_await body.next();
      if (!piece) session.note("the answer broke off: " + piece.error().what + "\n");
      if (!piece || !*piece) co_return;
      session.print(std::string_view(**piece).substr(0, left));
      if ((*piece)->size() > left) {
        session.note("the rest of the answer is left out: 1 MiB of it is shown\n");
        co_return;
      }
      left -= (*piece)->size();
    }
  }

  std::string url_, method_, body_;
  std::vector<std::string> headers_;
  std::optional<long> attempts_;
  std::string timeout_ = "10s";
  bool skip_tls_ = false;
};

}  // namespace

std::unique_ptr<Command> make_call() { return std::make_unique<Call>(); }

}  // namespace nuclio::nuctl
