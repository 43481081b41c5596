// SPDX-License-Identifier: Apache-2.0
#include "k8s/status.h"

#include <boost/json.hpp>
#include <string>

#include "k8s/json.h"

namespace nuclio::k8s {
namespace {

constexpr std::size_t kMostWords = 1000;

Why why_of(int status) {
  switch (status) {
    case 400:
    case 405:
    case 406:
    case 415:
    case 422: return Why::invalid;
    case 401:
    case 403: return Why::forbidden;
    case 404: return Why::not_found;
    case 408:
    case 504: return Why::timeout;
    case 409: return Why::conflict;
    case 410:
    case 412: return Why::precondition;
    case 413: return Why::too_large;
    case 429: return Why::busy;
    case 502:
    case 503: return Why::unavailable;
    default: return status < 500 ? Why::unavailable : Why::internal;  // a redirect leads to no API server
  }
}

}  // namespace

Error status_error(int status, std::string_view body) {
  const auto said = parse_object(body);
  std::string words{said ? text_of(*said, "message") : body};
  if (words.size() > kMostWords) words.resize(kMostWords);
  for (char& c : words)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  while (words.ends_with(' ')) words.pop_back();
  if (words.empty()) words = "the server answered with status " + std::to_string(status) + " and no message";
  if (status == 401) words += "; it does not know who asks: the credentials may have expired";
  return {why_of(status), std::move(words)};
}

}  // namespace nuclio::k8s
