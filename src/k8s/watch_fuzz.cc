// SPDX-License-Identifier: Apache-2.0
// Any text as what a server, a credential program or a kubeconfig may say. A cache that was told what it says holds
// objects with names, and lines are the same however they were cut.
#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "k8s/cache.h"
#include "k8s/credential_program.h"
#include "k8s/kubeconfig.h"
#include "k8s/status.h"
#include "k8s/time.h"
#include "k8s/watch.h"

namespace nuclio::k8s {
namespace {

std::vector<std::string> lines_of(std::string_view text, std::size_t size) {
  std::vector<std::string> all;
  Lines lines{Bytes{1u << 20}};
  for (std::size_t at = 0; at < text.size(); at += size) {
    lines.add(text.substr(at, size));
    for (auto line = lines.next(); line && *line; line = lines.next()) all.emplace_back(**line);
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto lines = lines_of(text, 1 + size);
  CHECK(lines == lines_of(text, 3));
  Cache cache{kPods, {}};
  cache.list_begins();
  for (const std::string& line : lines) {
    auto event = parse_watch_line(line);
    if (!event) continue;
    if (event->type == WatchEvent::Type::changed) {
      static_cast<void>(cache.put(event->object));
      static_cast<void>(cache.changed(std::move(event->object)));
    } else if (event->type == WatchEvent::Type::deleted) {
      static_cast<void>(cache.deleted(event->object));
    } else {
      static_cast<void>(cache.bookmark(resource_version_of(event->object)));
    }
  }
  for (const auto& [name, object] : cache.objects()) CHECK(object && name_of(*object) == name && !name.name.empty());
  for (const Change& change : cache.list({"5", {}})) CHECK(change.before && !change.now);
  for (const char c : status_error(500, text).what) CHECK(static_cast<unsigned char>(c) >= ' ');
  static_cast<void>(understand_credential(text, "client.authentication.k8s.io/v1"));
  static_cast<void>(parse_time(text));
  Kubeconfig config;
  static_cast<void>(config.add(text, "/", "a kubeconfig"));  // what it means would be read from files that it names
  return 0;
}

}  // namespace nuclio::k8s
