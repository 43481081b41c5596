// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "builder/origin.h"
#include "http/client.h"
#include "http/proxies.h"
#include "loop/deadline.h"
#include "loop/task.h"
#include "oci/url.h"

namespace nuclio::builder {

inline constexpr int kMaxRedirects = 5;

struct WebRequest {
  std::string url;
  std::map<std::string, std::string> headers;  // may hold secrets
  Asker asker = Asker::anyone;
  http::Proxies proxies = {};     // of a local asker
  int redirects = kMaxRedirects;  // that are followed
  std::string authorities = {};   // PEM text of the only ones that count for this server; "" for the system's
};

struct WebAnswer {
  oci::Url url;  // where redirects led
  http::ClientStream stream;
  bool moved = false;  // to another server, which was not shown the request's headers
};

// Sends a GET. A redirect to another server is followed without the request's headers and authorities, never from https
// to http, and only to addresses that everybody reaches, whoever asks: the user did not name it. Any status is an
// answer, redirects beyond the last one too. Errors as those of http::Client.
Task<Result<WebAnswer>> ask(http::Client& client, WebRequest request, Deadline deadline);

// Writes the answer's body into a new file. Why::too_large beyond `max`; the file is then incomplete. `answer` is
// borrowed until the task is done.
Task<Result<void>> save(WebAnswer& answer, std::string file, Bytes max);

}  // namespace nuclio::builder
