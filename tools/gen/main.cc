// SPDX-License-Identifier: Apache-2.0
// Writes the files that are made from the descriptions in src/spec: reference pages and JSON Schemas.
// nuclio_gen --out DIR writes into DIR, which must exist.
#include <fmt/core.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "schema/json.h"
#include "schema/reference.h"
#include "spec/load.h"

namespace nuclio {
namespace {

constexpr std::string_view kFunctionIntroduction =
    "What a `function.yaml` may hold. Made by `./dev gen` from `src/spec`; change it there.\n\n"
    "A duration is written as `500ms`, `10s` or `1h30m`. A field that is marked as having no effect yet is read and "
    "kept, and\n"
    "setting it gives a warning. `function.schema.json` beside this page is the same for editors: put\n"
    "`# yaml-language-server: $schema=<path of function.schema.json>` on the first line of a `function.yaml`.";
constexpr std::string_view kPlatformIntroduction =
    "What a `platform.yaml` may hold: the settings of the processor, the dashboard and the builder. Made by `./dev "
    "gen` from\n"
    "`src/spec`; change it there. Every field may be left out.";

// A function.yaml may say what a Kubernetes object says, and a processor.yaml has a member for the platform's settings;
// the reader passes over both.
boost::json::value function_schema() {
  boost::json::value schema = schema::json_schema(spec::function_type(), "Nuclio function");
  boost::json::object& properties = schema.get_object()["properties"].get_object();
  properties["apiVersion"] = boost::json::object({{"type", "string"}});
  properties["kind"] = boost::json::object({{"type", "string"}});
  properties["PlatformConfig"] = boost::json::object({{"type", "null"}});
  return schema;
}

struct Generated {
  std::string_view name;
  std::string text;
};

int generate(const std::filesystem::path& directory) {
  const Generated files[] = {
      {"function.md", schema::reference_page(spec::function_type(), "function.yaml", kFunctionIntroduction)},
      {"platform.md", schema::reference_page(spec::platform_config_type(), "platform.yaml", kPlatformIntroduction)},
      {"function.schema.json", schema::to_pretty_json(function_schema())},
      {"platform.schema.json",
       schema::to_pretty_json(schema::json_schema(spec::platform_config_type(), "Nuclio platform"))},
  };
  for (const Generated& file : files) {
    std::ofstream out(directory / file.name, std::ios::binary | std::ios::trunc);
    out << file.text;
    out.close();
    if (!out) {
      fmt::print(stderr, "cannot write {}: does the directory exist, and may you write there?\n",
                 (directory / file.name).string());
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace nuclio

int main(int count, char** arguments) {
  if (count != 3 || std::string_view(arguments[1]) != "--out") {
    fmt::print(stderr, "usage: nuclio_gen --out DIR\n");
    return 1;
  }
  return nuclio::generate(arguments[2]);
}
