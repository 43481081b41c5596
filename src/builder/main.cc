// SPDX-License-Identifier: Apache-2.0
// builder sandbox: runs an image's commands for the program that starts it. Nothing for people to type; see README.md.
#include <cstdio>
#include <string_view>

#include "builder/sandbox.h"

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "sandbox") return nuclio::builder::run_sandbox();
  std::fputs("usage: builder sandbox, which other programs of nuclio start\n", stderr);
  return 2;
}
