// SPDX-License-Identifier: Apache-2.0
// A language made of shell scripts, for tests of whoever builds.
#pragma once
#include <string>

#include "base/test_folder.h"

namespace nuclio::builder {

// Fills `folder`/runtimes with one runtime, "tale", for files that end in .tale: its code is fine unless it contains
// the word "broken", and what prepare was told stands in {out}/told.
inline std::string write_tale_runtime(const TestFolder& folder) {
  folder.write("runtimes/tale/runtime.json", R"({
    "name": "tale", "extensions": [".tale"], "comment": "#", "versions": ["1", "2"], "handler": "{module}:tell",
    "prepare": ["{runtime}/prepare", "--code", "{code}", "--out", "{out}", "--handler", "{handler}",
                "--version", "{version}", "--commands", "{commands}"],
    "worker": ["{runtime}/worker"], "env": {"TALE": "once upon a time"}})");
  folder.write_program("runtimes/tale/prepare", R"sh(#!/bin/sh
echo "$*" > "$4/told"
env > "$4/environment"
echo "Reading $(ls "$2" | tr '\n' ' ')"
if grep -rqs broken "$2"/*.tale; then
  echo "line 1 is broken; mend it" >&2
  exit 1
fi
)sh");
  return folder.at("runtimes");
}

}  // namespace nuclio::builder
