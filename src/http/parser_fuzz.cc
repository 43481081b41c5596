// SPDX-License-Identifier: Apache-2.0
// Any bytes, cut anywhere: nothing is read out of bounds, and the outcome does not depend on the cut.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/check.h"
#include "http/parser.h"

namespace nuclio::http {
namespace {

struct Outcome {
  int status = 0;
  std::size_t size = 0;  // of the whole request, when it is complete
  std::string path;
  std::string body;
  bool operator==(const Outcome&) const = default;
};

Outcome feed(std::string_view whole, std::size_t cut, const Limits& limits) {
  HeadParser parser{limits};
  ChunkedDecoder decoder{limits};
  bool in_body = false;
  std::size_t at = 0;
  std::string body;
  for (std::size_t end : {cut, whole.size()}) {
    std::vector<char> memory(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(end));  // exact, for ASan
    std::string_view received{memory.data(), memory.size()};
    if (!in_body) {
      auto progress = parser.parse(received);
      if (!progress) return {progress.error().status};
      if (*progress == Progress::more) continue;
      in_body = true;
      at = parser.size();
    }
    Request request;
    parser.fill(received, request);
    if (parser.framing() == Framing::chunked) {
      auto taken = decoder.decode(received.substr(at), body);
      if (!taken) return {taken.error().status};
      at += *taken;
      CHECK(body.size() <= limits.body_bytes.count);
      if (decoder.done()) return {0, at, std::string(request.path), body};
    } else if (received.size() >= at + parser.content_length()) {
      body = received.substr(at, parser.content_length());
      return {0, at + parser.content_length(), std::string(request.path), body};
    }
  }
  return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Limits limits;
  limits.header_bytes = Bytes{1024};
  limits.target_bytes = Bytes{256};
  limits.body_bytes = Bytes{2048};
  if (size < 2) return 0;
  // The first two bytes say where to cut the rest.
  std::string_view whole{reinterpret_cast<const char*>(data) + 2, size - 2};
  std::size_t cut = std::min<std::size_t>(data[0] | data[1] << 8, whole.size());
  CHECK(feed(whole, cut, limits) == feed(whole, whole.size(), limits));
  return 0;
}

}  // namespace nuclio::http
