// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "builder/copy.h"
#include "builder/program.h"
#include "builder/source.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio::builder {

// Where the code is to run: on this machine, or in an image, whose folders and interpreter are others.
enum class ArtifactTarget { here, image };

struct ArtifactOptions {
  std::string code;   // the folder to fill; must not exist
  std::string cache;  // for what builds share, such as installed packages; made when it does not exist
  std::vector<std::string> environment;  // of the runtime's programs: "NAME=value"
  ArtifactTarget target = ArtifactTarget::here;
  std::string version;  // of the image's language
  CopyLimits limits = {};
  LogLine log;
};

// Puts the source's code into options.code and lets the runtime prepare it, so that a processor can run it from there.
// When it fails the folder is left as it is, for its owner to remove; the error is for the function's author: the
// runtime's own words where it has any. `source` is borrowed until the task is done.
Task<Result<void>> make_artifact(Loop& loop, const Source& source, ArtifactOptions options, Deadline deadline);

// spec.build.buildTimeoutSeconds as a deadline that begins now.
Deadline build_deadline(const spec::Build& build);

// Those of `environment` that a build may see: PATH, HOME, locale, proxies, PIP_* and the like, nothing that belongs to
// the program that builds.
std::vector<std::string> build_environment(const std::vector<std::string>& environment);

}  // namespace nuclio::builder
