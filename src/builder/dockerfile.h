// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "spec/build.h"

namespace nuclio::builder {

// What a Dockerfile is made of beside spec.build.
struct DockerfileParts {
  std::string base;                   // as docker reads it: "python:3.11-slim", "scratch"
  std::vector<std::string> archives;  // files of the context whose content becomes the image's, first to last
  std::vector<std::string> command;
  std::string title;
  int port = 0;
};

// The Dockerfile that says what kind `layers` does by itself. Directives go into it as they stand, so all of their
// kinds can be used. Why::invalid for a kind that is no word, or a place that is none.
Result<std::string> make_dockerfile(const spec::Build& build, const DockerfileParts& parts);

}  // namespace nuclio::builder
