// SPDX-License-Identifier: Apache-2.0
// Others who make images: docker's engine and buildah. They are asked to when a function's Dockerfile instructions are
// more than we do ourselves, or a user wants it so.
#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "builder/image_plan.h"
#include "builder/program.h"
#include "http/client.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/digest.h"
#include "oci/keychain.h"
#include "spec/build.h"

namespace nuclio::builder {

struct EngineBuild {
  std::string context;             // folder with `Dockerfile` and all that it adds
  std::vector<std::string> files;  // in it
  RemoteImage target;
  std::vector<std::string> environment;  // of buildah, and for docker where its socket is (DOCKER_HOST)
  LogLine log;
};

// Builds with docker's engine, over its socket, and has it push. Of logins only the one to the target is passed on.
// Why::unavailable, Why::forbidden: no engine answers us there; Why::invalid: the build or the push failed, with
// docker's words for it. Everything is borrowed until the task is done.
Task<Result<oci::Digest>> build_with_docker(Loop& loop, http::Client& client, const oci::Keychain& keychain,
                                            const spec::Build& build, const EngineBuild& engine, Deadline deadline);

// The same with `buildah --isolation chroot`, which needs no daemon and finds logins itself. Why::not_found: it is not
// installed.
Task<Result<oci::Digest>> build_with_buildah(Loop& loop, const spec::Build& build, const EngineBuild& engine,
                                             Deadline deadline);

}  // namespace nuclio::builder
