// SPDX-License-Identifier: Apache-2.0
#include "nuctl/cluster_dashboard.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

#include "loop/listener.h"
#include "loop/stream.h"

namespace nuclio::nuctl {

Task<Result<std::unique_ptr<ClusterDashboard>>> ClusterDashboard::start(Loop& loop, Options options,
                                                                        Deadline deadline) {
  Descriptor quiet{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  CO_TRY(Pipe ready, make_pipe());
  constexpr int kReady = 3;
  const int log = options.verbose ? STDERR_FILENO : quiet.get();
  ChildOptions how;
  how.argv = {options.program, "--platform", "kube", "--listen-addr", "private", "--ready-fd", std::to_string(kReady)};
  how.argv.insert(how.argv.end(), options.arguments.begin(), options.arguments.end());
  how.env = options.environment;
  how.directory = "/";
  how.descriptors = {{log, 1}, {log, 2}, {ready.write.get(), kReady}};
  how.signal_when_parent_dies = SIGTERM;  // a build that is at work says so in its function before it ends
  how.no_new_privileges = false;          // docker and buildah may need theirs
  CO_TRY(Child child, Child::spawn(loop, how));
  std::unique_ptr<ClusterDashboard> out{new ClusterDashboard{std::move(child)}};
  ready.write.reset();
  CO_TRY(const std::string address, co_await wait_ready(loop, std::move(ready.read), "the cluster's dashboard",
                                                        "--verbose shows its log", deadline));
  CO_TRY(const Address where, parse_address(address));
  out->socket_ = where.unix_path;
  co_return out;
}

Task<void> ClusterDashboard::end(Deadline deadline) {
  child_.signal(SIGTERM);
  (void)co_await child_.exited(deadline);
}

Task<Result<std::string>> wait_ready(Loop& loop, Descriptor read_end, std::string name, std::string log,
                                     Deadline deadline) {
  Stream stream{loop, std::move(read_end)};
  std::string line;
  char buffer[512];
  while (line.find('\n') == std::string::npos) {
    auto count = co_await stream.read_some(buffer, deadline);
    if (!count) co_return fail(count.error().why, name + " did not start in time\n" + log);
    if (*count == 0) break;
    line.append(buffer, *count);
  }
  line = line.substr(0, line.find('\n'));
  if (line.starts_with("ready ")) co_return line.substr(6);
  if (line.empty()) line = "it ended without a word; " + log;
  co_return fail(Why::unavailable, name + " could not be started: " + line);
}

}  // namespace nuclio::nuctl
