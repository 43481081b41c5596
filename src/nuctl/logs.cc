// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "loop/group.h"
#include "nuctl/commands.h"
#include "nuctl/follow_logs.h"
#include "nuctl/function_client.h"

namespace nuclio::nuctl {
namespace {

using namespace std::chrono_literals;

// How often the list of replicas is asked for while logs are followed: a new replica's first lines are not lost, since
// its log is read from the beginning.
constexpr auto kLookForReplicas = 500ms;

struct Wanted {
  std::string replica = "";
  std::string since = "";
  std::string tail = "";
  bool follow = false;
};

Task<Result<void>> print_log(Session& session, std::string name, Wanted wanted) {
  Session::Api api{.method = "GET", .path = api_path("functions", name) + "/logs/" + wanted.replica};
  api.path += wanted.follow ? "?follow=true" : "?follow=false";
  if (!wanted.since.empty()) api.path += "&since=" + wanted.since;
  if (!wanted.tail.empty()) api.path += "&tailLines=" + wanted.tail;
  api.headers.emplace_back("X-Nuclio-Function-Namespace", session.name_space());
  CO_TRY(auto stream, co_await session.open(std::move(api), Deadline::in(60s)));
  for (;;) {
    CO_TRY(auto piece, co_await stream.body->next());
    if (!piece) co_return Result<void>{};
    session.print(*piece);
  }
}

Task<void> print_log_until_it_ends(Session& session, std::string name, Wanted wanted) {
  (void)co_await print_log(session, std::move(name), std::move(wanted));  // a replica that goes takes its log with it
}

// Follows each replica that there is and each that comes; the first ones as `wanted` says, later ones from their start.
Task<void> follow_all(Session& session, std::string name, Wanted wanted) {
  Group readers{session.loop()};
  std::map<std::string, bool> seen;
  for (bool first = true;; first = false) {
    auto replicas = co_await replicas_of(session, name);
    if (replicas) {
      for (const std::string& replica : *replicas) {
        if (!seen.emplace(replica, true).second) continue;
        Wanted one{.replica = replica, .follow = true};
        if (first) one.since = wanted.since;
        if (first) one.tail = wanted.tail;
        readers.spawn(print_log_until_it_ends(session, name, std::move(one)));
      }
    }
    co_await session.loop().sleep(kLookForReplicas);
  }
}

class Logs final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.argument("name", name_, "Name of the function");
    flags.yes({"follow", 'f'}, wanted_.follow, "Go on until interrupted, with replicas that come later too");
    flags.text({"since"}, wanted_.since, "Only lines of the last while: 10s, 5m, 1h");
    flags.text({"tail"}, wanted_.tail, "Only that many lines from the end");
    flags.text({"replica"}, wanted_.replica, "Only this replica");
  }

  Task<Result<int>> run(Session& session) override {
    CO_TRY_DO(co_await get_function(session, name_));  // one that does not exist is an error, followed or not
    if (!wanted_.replica.empty()) {
      CO_TRY_DO(co_await print_log(session, name_, wanted_));
      co_return 0;
    }
    if (wanted_.follow) {
      co_await follow_all(session, name_, wanted_);
      co_return 0;
    }
    CO_TRY(auto replicas, co_await replicas_of(session, name_));
    if (replicas.empty()) session.note("the function has no replica now, hence no log\n");
    for (const std::string& replica : replicas) {
      Wanted one = wanted_;
      one.replica = replica;
      CO_TRY_DO(co_await print_log(session, name_, std::move(one)));
    }
    co_return 0;
  }

 private:
  std::string name_;
  Wanted wanted_;
};

}  // namespace

Task<void> follow_logs(Session& session, std::string name) {
  Wanted everything{.follow = true};
  co_await follow_all(session, std::move(name), everything);
}

std::unique_ptr<Command> make_logs() { return std::make_unique<Logs>(); }

}  // namespace nuclio::nuctl
