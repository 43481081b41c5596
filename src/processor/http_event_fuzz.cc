// SPDX-License-Identifier: Apache-2.0
// Any path, query, header and body: what comes out is clean, and nothing is read out of bounds.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "processor/triggers/http_event.h"

namespace nuclio::processor {
namespace {

void check_path(std::string_view input) {
  std::string path = "/" + std::string{input};
  std::string cleaned = cleaned_path(path).value_or(path);
  CHECK(cleaned.starts_with('/'));
  CHECK(cleaned.find("//") == std::string::npos);
  CHECK((cleaned + "/").find("/../") == std::string::npos);
  CHECK((cleaned + "/").find("/./") == std::string::npos);
}

void check_header(std::string_view input) {
  std::string once = canonical_header(input).value_or(std::string{input});
  CHECK(once.size() == input.size());
  CHECK(!canonical_header(once));
}

void make_event(const nuclio::http::Request& request) {
  EventIds ids;
  HttpEvent made;
  if (!made.fill(request, "http", "web", ids)) return;
  std::size_t sum = made.event().body.size() + made.event().content_type.size();
  for (const auto& pair : made.event().headers) sum += pair.name.size() + pair.value.size();
  for (const auto& pair : made.event().fields) sum += pair.name.size() + pair.value.size();
  CHECK(sum < 100 * (1 + request.query.size() + request.body.size() + 100));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input{reinterpret_cast<const char*>(data), size};
  check_path(input);
  check_header(input);
  (void)parse_rfc3339(input);

  nuclio::http::Request structured;
  structured.target = structured.path = "/";
  structured.query = structured.body = input;
  structured.headers.add({"Content-Type", "application/cloudevents+json"});
  make_event(structured);

  nuclio::http::Request binary;
  binary.target = binary.path = "/";
  binary.headers.add({"ce-specversion", "1.0"});
  for (std::string_view name : {"ce-id", "ce-source", "ce-type"}) binary.headers.add({name, "x"});
  binary.headers.add({"ce-time", input});
  binary.headers.add({input, input});
  make_event(binary);
  return 0;
}

}  // namespace nuclio::processor
