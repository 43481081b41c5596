// SPDX-License-Identifier: Apache-2.0
// The platform with processes that are shell scripts: "tales" whose text says how they behave.
#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/json/value.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "builder/test_tale.h"
#include "loop/run.h"
#include "platform/process/process_platform.h"

namespace nuclio::platform::process {

std::string log_keeper_program();  // the real one

// Descriptor 4 is for its status. It gives up 3, the listening socket: a child of a shell that was told to end could
// hold it a moment longer than the shell lives, and the platform holds it too. The word
// of the tale: refuse, mute (never ready), crash (once), linger (told to end, it says that it takes nothing new, and
// goes on until the test lets it go), deaf (likewise, without a word), or anything else.
inline constexpr std::string_view kTaleProcessor = R"sh(#!/bin/sh
exec 3<&-
while [ $# -gt 0 ]; do
  case $1 in --code) code=$2 ;; esac
  shift
done
tale=$(cat "$code"/main.tale)
echo "the tale is $tale, $GREETING"
let_go() {
  while [ ! -f "$code/let-go" ]; do sleep 0.02; done
}
end() {
  case $tale in
    linger) sleep 0.3; touch "$code/takes-nothing"; echo '{"state":"draining"}' >&4; let_go ;;
    deaf) let_go ;;
  esac
  echo drained
  exit 0
}
trap end TERM
case $tale in
  refuse) echo '{"state":"failed","message":"this tale is not for you"}' >&4; exit 1 ;;
  vanish) echo "so long"; exit 5 ;;
  mute) ;;
  crash)
    echo '{"state":"ready"}' >&4
    if [ ! -f "$code/crashed" ]; then touch "$code/crashed"; exit 3; fi ;;
  *) echo '{"state":"ready"}' >&4 ;;
esac
while :; do sleep 1000 & wait $!; done
)sh";

inline bool accepts(int port) {
  int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  Descriptor socket{descriptor};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

class ProcessPlatformTest : public ::testing::Test {
 protected:
  ProcessPlatformTest() {
    builder::write_tale_runtime(folder_);
    folder_.write_program("bin/processor", kTaleProcessor);
    open();
  }
  ~ProcessPlatformTest() override { close(); }

  void open() {
    ProcessPlatformOptions options;
    options.home = folder_.at("home");
    options.processor = folder_.at("bin/processor");
    options.log_keeper = log_keeper_program();
    options.runtimes = folder_.at("runtimes");
    options.environment = {"PATH=/usr/bin:/bin", "SECRET=ours"};
    auto opened = ProcessPlatform::open(loop_, std::move(options));
    ASSERT_TRUE(opened) << opened.error().what;
    platform_ = std::move(*opened);
  }
  void close() {
    if (!platform_) return;
    struct ShutDown {
      static Task<bool> run(ProcessPlatform& platform) {
        co_await platform.shut_down(Deadline::in(std::chrono::seconds{10}));
        co_return true;
      }
    };
    run_until_done(loop_, ShutDown::run(*platform_));
    platform_.reset();
  }

  static FunctionId id(const std::string& name) { return {Namespace{"nuclio"}, FunctionName{name}}; }
  static boost::json::value tale(const std::string& name, const std::string& text, boost::json::object spec = {},
                                 boost::json::object metadata = {}) {
    metadata["name"] = name;
    metadata["namespace"] = "nuclio";
    spec["runtime"] = "tale";
    spec["handler"] = "main:tell";
    spec["build"] = boost::json::object{{"functionSourceCode", encode_base64(text)}};
    return boost::json::object{{"metadata", std::move(metadata)}, {"spec", std::move(spec)}};
  }
  Result<void> deploy(boost::json::value given, Deploy mode = Deploy::new_or_existing) {
    return run_until_done(loop_, platform_->deploy(std::move(given), mode));
  }
  Result<void> settled(const std::string& name) {
    return run_until_done(loop_, platform_->settled(id(name), Deadline::in(std::chrono::seconds{20})));
  }
  Result<void> deploy_and_wait(boost::json::value given, const std::string& name = "f") {
    TRY_DO(deploy(std::move(given)));
    return settled(name);
  }
  Result<void> want(const std::string& name, DesiredState state) {
    TRY_DO(run_until_done(loop_, platform_->set_desired_state(id(name), state)));
    return settled(name);
  }
  Result<void> remove(const std::string& name, const std::string& version = "", Force force = Force::no,
                      WithGateways gateways = WithGateways::no) {
    return run_until_done(loop_, platform_->delete_function(id(name), ResourceVersion{version}, force, gateways));
  }
  spec::FunctionStatus status(const std::string& name = "f") { return platform_->function(id(name))->status; }
  std::vector<ReplicaName> replicas(const std::string& name = "f") { return *platform_->replicas(id(name)); }
  std::string log_of(const ReplicaName& replica) {
    return folder_.read("home/logs/nuclio/f/" + replica.value() + ".log");
  }
  // Waits for a condition that a process outside brings about, at most ten seconds.
  template <class Condition>
  bool eventually(Condition condition) {
    struct Wait {
      static Task<bool> run(Loop& loop, Condition& condition) {
        for (Deadline end = Deadline::in(std::chrono::seconds{10}); !condition() && !end.passed();)
          co_await loop.sleep(std::chrono::milliseconds{5});
        co_return condition();
      }
    };
    return run_until_done(loop_, Wait::run(loop_, condition));
  }

  TestFolder folder_;
  Loop loop_;
  std::unique_ptr<ProcessPlatform> platform_;
};

}  // namespace nuclio::platform::process
