// SPDX-License-Identifier: Apache-2.0
// A folder of a test's own, and a language made of shell scripts, for tests of whoever builds.
#pragma once
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace nuclio::builder {

// Removed with everything in it at the end.
class TestFolder {
 public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nuclio-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }

  const std::string& path() const { return path_; }
  std::string at(std::string_view name) const { return path_ + "/" + std::string(name); }

  std::string write(std::string_view name, std::string_view text) const {
    std::filesystem::path path = at(name);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  std::string write_program(std::string_view name, std::string_view text) const {
    std::string path = write(name, text);
    EXPECT_EQ(::chmod(path.c_str(), 0755), 0);
    return path;
  }
  std::string read(std::string_view name) const {
    std::ifstream file(at(name), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
  }
  bool has(std::string_view name) const { return std::filesystem::exists(at(name)); }

 private:
  std::string path_;
};

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
