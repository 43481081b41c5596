// SPDX-License-Identifier: Apache-2.0
// log_keeper FILE OLDER BYTES: keeps what comes on standard input in FILE, of at most so many bytes, and moves it to
// OLDER when it is full. See README.md.
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <string_view>

#include "log_keeper/kept_log.h"

namespace {

// What a pipe holds.
constexpr std::size_t kPiece = 64 << 10;
char piece[kPiece];

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t limit = 0;
  if (argc == 4) {
    std::string_view text = argv[3];
    std::from_chars(text.data(), text.data() + text.size(), limit);
  }
  if (limit < 1024) {
    std::fputs("usage: log_keeper FILE OLDER BYTES (at least 1024)\n", stderr);
    return 2;
  }
  // A signal to everybody, as at the end of a session, means the writers: we go when they have gone. A size limit (see
  // setrlimit) is an error of the write, as a full disk is.
  for (int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ}) std::signal(number, SIG_IGN);
  nuclio::log_keeper::KeptLog log{argv[1], argv[2], nuclio::Bytes{limit}};
  for (;;) {
    ssize_t count = ::read(STDIN_FILENO, piece, sizeof piece);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return 1;
    if (count == 0) return 0;
    log.add({piece, static_cast<std::size_t>(count)});
  }
}
