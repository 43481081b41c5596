// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "schema/schema.h"

namespace nuclio::images {

struct Part {
  std::string from;
  std::string to;

  template <class P = Part>
  static constexpr auto fields() {
    using schema::field;
    return std::tuple{
        field("from", &P::from, {.doc = "File or folder of this machine.", .required = true}),
        field("to", &P::to, {.doc = "Its place in the image, without the first slash.", .required = true}),
    };
  }
};

// How an image is made, as catalogue.py has it written down for us.
struct Recipe {
  std::string base;
  std::vector<std::string> tars;
  std::vector<Part> parts;
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> labels;
  std::vector<int> ports;
  std::string user;
  std::string working_directory;
  std::int64_t created = 0;
  std::vector<std::string> tags;

  template <class R = Recipe>
  static constexpr auto fields() {
    using schema::field;
    return std::tuple{
        field("base", &R::base, {.doc = "Folder of a layout with one image, on which this one is put."}),
        field("tars", &R::tars, {.doc = "Each becomes a layer as it is."}),
        field("parts", &R::parts, {.doc = "Together they become a layer, behind those."}),
        field("entrypoint", &R::entrypoint, {.doc = "The base's when empty."}),
        field("command", &R::command, {.doc = "The base's when empty."}),
        field("environment", &R::environment, {.doc = "Beside the base's."}),
        field("labels", &R::labels, {.doc = "Beside the base's; the manifest's annotations, too."}),
        field("ports", &R::ports, {.doc = "TCP ports that are exposed.", .min = 1, .max = 65535}),
        field("user", &R::user, {.doc = "The base's when empty."}),
        field("workingDirectory", &R::working_directory, {.doc = "The base's when empty."}),
        field("created", &R::created, {.doc = "Seconds since 1970; of the image and the files in parts.", .min = 0}),
        field("tags", &R::tags, {.doc = "Names in the layout.", .required = true}),
    };
  }
};

}  // namespace nuclio::images
