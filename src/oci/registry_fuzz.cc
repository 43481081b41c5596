// SPDX-License-Identifier: Apache-2.0
// Any text as what a registry, or a file of logins, may say: a result or an error, and what was read is the same after
// it was written and read again.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/image_reference.h"
#include "http/retry.h"
#include "oci/challenge.h"
#include "oci/docker_config.h"
#include "oci/exchange.h"
#include "oci/image.h"
#include "oci/manifest.h"
#include "oci/range.h"
#include "oci/url.h"

namespace nuclio::oci {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto reference = parse_image_reference(text)) {
    const auto again = parse_image_reference(reference->text());
    CHECK(again && *again == *reference);
    CHECK(parse_url("https://" + reference->registry + "/v2/"));
  }
  const Url base = *parse_url("https://registry.example.com/v2/");
  if (const auto url = resolve(base, text)) {
    const auto again = parse_url(url->text());
    CHECK(again && again->text() == url->text());
    CHECK(url->scheme == "https" || url->scheme == "http");
    static_cast<void>(is_loopback_name(url->host()));
  }
  if (auto parsed = parse_manifest("", std::string(text))) {
    if (const auto* index = std::get_if<Index>(&*parsed)) {
      static_cast<void>(choose(*index, {"linux", "amd64", ""}));
    } else {
      const auto& manifest = std::get<Manifest>(*parsed);
      const Manifest made = make_manifest(manifest.config, manifest.layers);
      const auto again = parse_manifest(media::kManifest, made.text);
      CHECK(again && std::get<Manifest>(*again).layers == made.layers);
      static_cast<void>(check_config(manifest, std::string(text), {"linux", "amd64", ""}));
    }
  }
  const Image from_any{make_manifest({"", Digest::of(text), Bytes{size}}, {}), std::string(text)};
  if (const auto extended = extend_image(from_any, {}, {.environment = {{"A", "b"}}, .labels = {{"c", "d"}}}, kEpoch))
    CHECK(extend_image(*extended, {}, {}, kEpoch));
  if (const auto config = parse_docker_config(text, "config.json")) {
    static_cast<void>(config->find("docker.io", Repository{"library/python"}));
    static_cast<void>(config->find("a.example.com:5000", Repository{"team/app"}));
  }
  if (const auto challenge = parse_challenge(text)) static_cast<void>(parse_url(challenge->realm));
  for (const char c : registry_words(text)) CHECK(static_cast<unsigned char>(c) >= ' ');
  static_cast<void>(range_begin(text));
  static_cast<void>(range_received(text));
  http::Headers headers;
  if (http::is_header_value(text)) headers.add("Retry-After", text);
  static_cast<void>(http::retry_after(headers));
  return 0;
}

}  // namespace nuclio::oci
