// SPDX-License-Identifier: Apache-2.0
// Runs an image's commands: builder sandbox and builder proot for the program that starts it, builder serve for one
// elsewhere, in a pod. Nothing for people to type; see README.md.
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "builder/proot_sandbox.h"
#include "builder/sandbox.h"
#include "builder/serve.h"

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "sandbox" && argc == 2) return nuclio::builder::run_sandbox();
  if (what == "proot" && argc == 2) return nuclio::builder::run_proot_sandbox();
  if (what == "serve") {
    const std::vector<std::string> arguments(argv + 2, argv + argc);
    std::error_code error;
    return nuclio::builder::serve(arguments, std::filesystem::read_symlink("/proc/self/exe", error).string());
  }
  std::fputs("usage: builder sandbox | proot, which other programs of nuclio start\n       builder serve [flags]\n",
             stderr);
  return 2;
}
