// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "http/client.h"
#include "http/proxies.h"
#include "http/retry.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/authorization.h"
#include "oci/keychain.h"
#include "oci/url.h"

namespace nuclio::oci {

enum class PlainHttp : bool { no, yes };

struct RegistryOptions {
  PlainHttp plain_http = PlainHttp::no;  // without TLS, passwords and all; never unless said, not on loopback either
  http::Proxies proxies;                 // of this user; none when empty
  std::string authorities;               // PEM file of authorities beside the system's; "" for none
  http::RetryPolicy retry = {};
  Bytes chunk{64u << 20};  // a longer blob is uploaded in pieces of this size, so that a break costs one piece
  // What one attempt may take: this long, and a second more for each `pace` bytes that it moves.
  std::chrono::milliseconds patience{30'000};
  Bytes pace{64u << 10};
};

// One request to a registry.
struct Call {
  std::string method = "GET";
  std::string url;
  Access access = {};
  http::Headers headers = {};
  std::string body = {};
  std::optional<http::FilePart> file = {};  // the body, instead of `body`
  Bytes moves{0};                           // about how much goes or comes; for the time that an attempt may take
  Bytes max_answer{256u << 10};
};

struct Answer {
  int status = 0;
  http::Headers headers;
  std::string body;
};

// Requests to one registry: logged in, redirected, tried again. Lives on its loop's thread and outlives its tasks; all
// that is given to it is borrowed.
class Exchange {
 public:
  Exchange(Loop& loop, http::Client& client, const Keychain& keychain, std::string host,
           const RegistryOptions& options);

  // "https://host/v2/" and the path.
  std::string url(std::string_view path) const;
  const Url& home() const { return home_; }
  const std::string& registry() const { return registry_; }
  const RegistryOptions& options() const { return options_; }
  Loop& loop() const { return loop_; }

  // One attempt: logs in when asked to, and follows the redirects of GET and HEAD. A redirect away from the registry is
  // followed without the login, not from TLS to plain text, and not to this machine unless the registry is there.
  Task<Result<http::ClientStream>> attempt(const Call& call, Deadline deadline);
  // attempt() and the whole body, once.
  Task<Result<Answer>> send_once(const Call& call, Deadline deadline);
  // The same, again while the registry is busy (429), fails (5xx) or the connection breaks, as the policy allows. Gives
  // the last answer, whatever its status.
  Task<Result<Answer>> send(Call call, Deadline deadline);

  // An answer that was not hoped for as an Error: "the registry r answered 404 to GET ...: manifest unknown".
  Error unexpected(const Call& call, const Answer& answer) const;

 private:
  Result<Url> follow(const Call& call, const Url& from, std::string_view location) const;
  Deadline attempt_deadline(const Call& call, Deadline deadline) const;
  Error explained(Error error) const;

  Loop& loop_;
  http::Client& client_;
  std::string registry_;
  RegistryOptions options_;
  Url home_;
  Authorization authorization_;
};

// What a registry says in an error's body, safe to be shown: "" when it says nothing that can be read.
std::string registry_words(std::string_view body);

// The rest of a stream as text. Why::too_large beyond `max`.
Task<Result<std::string>> read_all(http::ClientStream& stream, Bytes max);

}  // namespace nuclio::oci
