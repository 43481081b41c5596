// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "builder/origin.h"
#include "builder/program.h"
#include "http/client.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/unpack.h"

namespace nuclio::builder {

struct FetchLimits {
  Bytes download{512u << 20};
  std::chrono::seconds time{600};
  // Of all that is in an archive or repository; what is built of it is bounded by CopyLimits.
  oci::UnpackLimits unpacked{.entries = 100'000, .depth = 64, .total = Bytes{1u << 30}};
};

struct FetchOptions {
  std::string folder;  // to be made and filled; must not exist
  Asker asker = Asker::anyone;
  std::vector<std::string> environment;  // of git, and whose proxies a local asker's code comes through: "NAME=value"
  FetchLimits limits = {};
  LogLine log;
};

// Gets the code into a folder of its own, and gives the path of the file or folder beneath it that find_source() takes
// in place of spec.build.path. When it fails the folder is left as it is, for its owner to remove. The error says what
// was asked for, and holds no secret. `origin` and `client` are borrowed until the task is done.
Task<Result<std::string>> fetch_code(Loop& loop, http::Client& client, const Origin& origin, FetchOptions options,
                                     Deadline deadline);

// The environment of a fetch: what a build sees and, for a user of this machine, the agent that has their keys.
std::vector<std::string> fetch_environment(const std::vector<std::string>& environment, Asker asker);

// An error in which code is named by where it came from, and no more by the path where it was put for a while.
Error named_for_people(Error error, const std::string& path, const Origin& origin);

}  // namespace nuclio::builder
