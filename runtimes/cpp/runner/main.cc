// SPDX-License-Identifier: Apache-2.0
// nuclio_cpp_runner: a C++ function in a process of its own. The processor starts it with a connected socket; see
// runtimes/wire/FORMAT.md for what they say to each other.
#include <sys/socket.h>

#include <charconv>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ring_connection.h"
#include "runner.h"
#include "socket_connection.h"

namespace {

constexpr std::string_view kUsage =
    "usage: nuclio_cpp_runner --fd N [--ring N,N,N,N] --object FILE --handler NAME\n"
    "         [--function-name NAME] [--trigger-kind KIND] [--trigger-name NAME] [--worker-id N] [--frame-limit "
    "BYTES]\n"
    "The processor starts it: --fd is a connected Unix stream socket that it inherits, --ring the descriptors of "
    "shared\n"
    "memory: channel, events, wake worker, wake processor.\n";

using Options = std::map<std::string_view, std::string_view>;

// Nothing when an option is unknown, has no value or is missing; the reason is printed.
std::optional<Options> parse_options(int argc, char** argv) {
  Options options = {{"--fd", ""},           {"--ring", ""},          {"--object", ""},
                     {"--handler", ""},      {"--function-name", ""}, {"--trigger-kind", ""},
                     {"--trigger-name", ""}, {"--worker-id", "0"},    {"--frame-limit", ""}};
  for (int i = 1; i < argc; i += 2) {
    const auto option = options.find(argv[i]);
    if (option == options.end() || i + 1 == argc) {
      std::fprintf(stderr, "nuclio_cpp_runner: %s %s\n", argv[i],
                   option == options.end() ? "is not an option" : "needs a value");
      return std::nullopt;
    }
    option->second = argv[i + 1];
  }
  for (std::string_view name : {"--fd", "--object", "--handler"}) {
    if (!options[name].empty()) continue;
    std::fprintf(stderr, "nuclio_cpp_runner: %s is missing\n", name.data());
    return std::nullopt;
  }
  return options;
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The ring of four descriptors, or null, and then the reason is printed.
nuclio_ring* attach(std::string_view text) {
  int descriptors[4];
  for (int i = 0; i < 4; ++i) {
    const std::size_t comma = text.find(',');
    const auto number = parse_number<int>(text.substr(0, comma));
    if (!number || (comma == std::string_view::npos) != (i == 3)) {
      std::fputs("nuclio_cpp_runner: --ring must be four numbers of descriptors\n", stderr);
      return nullptr;
    }
    descriptors[i] = *number;
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  nuclio_ring* ring = nuclio_ring_attach(descriptors[0], descriptors[1], descriptors[2], descriptors[3]);
  if (ring == nullptr) std::perror("nuclio_cpp_runner: the descriptors of --ring are no ring");
  return ring;
}

bool is_stream_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

}  // namespace

int main(int argc, char** argv) {
  auto options = parse_options(argc, argv);
  if (!options) {
    std::fputs(kUsage.data(), stderr);
    return 2;
  }
  const auto fd = parse_number<int>((*options)["--fd"]);
  const auto index = parse_number<std::int64_t>((*options)["--worker-id"]);
  const std::string_view limit_text = (*options)["--frame-limit"];
  const auto limit = limit_text.empty() ? std::optional<std::uint32_t>(NUCLIO_WIRE_DEFAULT_LIMIT)
                                        : parse_number<std::uint32_t>(limit_text);
  if (!fd || !index || !limit || *limit < 4096 || !is_stream_socket(*fd)) {
    std::fprintf(stderr,
                 "nuclio_cpp_runner: --fd must be a connected stream socket, "
                 "--worker-id a number and --frame-limit one from 4096\n");
    return 2;
  }
  // What the function prints should reach the log line by line, also through a pipe.
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);

  const nuclio::runner::Worker worker{.handler = std::string((*options)["--handler"]),
                                      .function_name = std::string((*options)["--function-name"]),
                                      .trigger_kind = std::string((*options)["--trigger-kind"]),
                                      .trigger_name = std::string((*options)["--trigger-name"]),
                                      .index = *index};
  std::unique_ptr<nuclio::runner::Connection> connection;
  if (const std::string_view ring_text = (*options)["--ring"]; ring_text.empty()) {
    connection = std::make_unique<nuclio::runner::SocketConnection>(*fd, *limit);
  } else {
    nuclio_ring* ring = attach(ring_text);
    if (ring == nullptr) return 2;
    connection = std::make_unique<nuclio::runner::RingConnection>(ring, *fd);
  }
  const int code = nuclio::runner::Runner(*connection).run(std::string((*options)["--object"]), worker);
  if (!connection->complaint().empty())
    std::fprintf(stderr, "nuclio_cpp_runner: %s\n", connection->complaint().c_str());
  return code;
}
