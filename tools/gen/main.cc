// SPDX-License-Identifier: Apache-2.0
// Writes the files that are made from the descriptions in src/spec. nuclio_gen --out DIR writes the reference pages and
// JSON Schemas into DIR, which must exist; nuclio_gen --crds FILE writes the CustomResourceDefinitions.
#include <fmt/core.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "platform/kube/crds.h"
#include "schema/json.h"
#include "schema/reference.h"
#include "schema/yaml.h"
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

int write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (out) return 0;
  fmt::print(stderr, "cannot write {}: does the directory exist, and may you write there?\n", path.string());
  return 1;
}

int generate_crds(const std::filesystem::path& file) {
  std::string text =
      "# SPDX-License-Identifier: Apache-2.0\n"
      "# The kinds of objects that Nuclio adds to Kubernetes. Made by `./dev gen` from `src/spec`; change it there.\n";
  for (const boost::json::object& crd : platform::kube::crds()) text += "---\n" + schema::to_yaml(crd);
  return write_file(file, text);
}

int generate(const std::filesystem::path& directory) {
  const Generated files[] = {
      {"function.md", schema::reference_page(spec::function_type(), "function.yaml", kFunctionIntroduction)},
      {"platform.md", schema::reference_page(spec::platform_config_type(), "platform.yaml", kPlatformIntroduction)},
      {"function.schema.json", schema::to_pretty_json(function_schema())},
      {"platform.schema.json",
       schema::to_pretty_json(schema::json_schema(spec::platform_config_type(), "Nuclio platform"))},
  };
  for (const Generated& file : files)
    if (write_file(directory / file.name, file.text) != 0) return 1;
  return 0;
}

}  // namespace
}  // namespace nuclio

int main(int count, char** arguments) {
  const std::string_view what = count == 3 ? arguments[1] : "";
  if (what == "--out") return nuclio::generate(arguments[2]);
  if (what == "--crds") return nuclio::generate_crds(arguments[2]);
  fmt::print(stderr, "usage: nuclio_gen --out DIR | --crds FILE\n");
  return 1;
}
