// SPDX-License-Identifier: Apache-2.0
#pragma once
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

namespace nuclio::builder {

struct GitOptions {
  std::string folder;  // for what git needs meanwhile; exists, and is thrown away afterwards
  std::string tar;     // the file to make
  Asker asker = Asker::anyone;
  std::vector<std::string> environment;  // of git, beside what we tell it: "NAME=value", none of GIT_*
  Bytes max_pack;                        // of what is fetched
  Bytes max_tar;                         // of what is in it
};

// Gets one tree of a repository, without its history and without submodules, as a tar, by way of the system's git.
// Nothing that the repository holds is run or read as configuration, git never asks for a password, and goes only to
// the server that was reached when our own client asked first. No secret is in its arguments, or in an error.
// `code` and `log` are borrowed until the task is done.
Task<Result<void>> fetch_git(Loop& loop, http::Client& client, const GitCode& code, GitOptions options,
                             const LogLine& log, Deadline deadline);

}  // namespace nuclio::builder
