// SPDX-License-Identifier: Apache-2.0
// What spec.build.commands change in an image, as a layer: run in a sandbox, without a daemon. See
// docs/dev/decisions/0009-how-commands-run.md.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "builder/program.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/layer.h"
#include "oci/layout.h"
#include "oci/names.h"

namespace nuclio::builder {

struct CommandsJob {
  // Files of the image's layers so far, bottom first. A root file system that is unpacked of them stays for the next
  // run.
  std::vector<std::string> layers;
  std::string base;  // what they are, for the caches: the manifest's digest, or those of all layers
  // Further ones on top, which often change: they are unpacked over that root for this run alone.
  std::vector<std::string> over;
  std::string over_digests;              // what these are, for the layers that are remembered
  std::vector<std::string> commands;     // each for /bin/sh -c, in order, until one fails
  std::vector<std::string> environment;  // "NAME=value"; PATH and HOME have defaults
  std::string working_directory;         // made when it is missing; "" is "/"
  std::string user;                      // "", "name", "uid", each with ":group" or not, as an image's config has it
  bool network = true;                   // this machine's; without it there is only a loopback of their own
};

struct CommandsLimits {
  Bytes disk{16ull << 30};  // of what the commands write, together
  Bytes file{8ull << 30};   // and of each file
  std::size_t files = 500'000;
  std::size_t processes = 4096;
  Bytes log{8u << 20};  // what is more is not logged
  // The caches: unpacked bases, and layers that are remembered. Of more than that the oldest are removed.
  std::size_t roots = 6;
  Bytes roots_size{24ull << 30};
  std::size_t remembered = 200;
  Bytes remembered_size{16ull << 30};
};

class CommandsSandbox;

struct CommandsOptions {
  std::string cache;                      // a folder of the builder's own; made when it is missing
  std::string program;                    // where the program `builder` is
  CommandsSandbox* sandbox = nullptr;     // where they run, borrowed; null for user namespaces of this machine
  bool fresh = false;                     // run them whether or not they ran before (noCache)
  oci::ImageTime modified = oci::kEpoch;  // of everything in the layer
  LogLine log;
  CommandsLimits limits = {};
};

// Runs the commands over an image's layers, and puts what they changed into the layout as a layer. What ran before,
// with the same layers, commands, environment, folder, user and network, does not run again: its layer is remembered.
// Each line that the commands print goes to `log` as it comes, after a line "RUN <command>"; the environment is not
// logged. Why::invalid: a command failed, the message has it and its last lines, or the base cannot run any;
// Why::timeout at the deadline; Why::too_large: a limit; Why::forbidden, Why::unavailable: this machine allows no
// sandbox, or has no space. Whatever happens, nothing that the commands started outlives this task.
Task<Result<oci::Layer>> run_commands(Loop& loop, const oci::Layout& layout, CommandsJob job, CommandsOptions options,
                                      Deadline deadline);

}  // namespace nuclio::builder
