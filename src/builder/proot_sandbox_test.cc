// SPDX-License-Identifier: Apache-2.0
#include "builder/proot_sandbox.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "builder/commands.h"
#include "builder/local_sandbox.h"
#include "builder/test_base.h"

namespace nuclio::builder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

bool runs_on_this_machine(const std::string& arguments) {
  for (const auto& process : fs::directory_iterator("/proc")) {
    std::ifstream file(process.path() / "cmdline", std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (text.str().find(arguments) != std::string::npos) return true;
  }
  return false;
}

class ProotSandbox : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access("/usr/bin/proot", X_OK) != 0) GTEST_SKIP() << "needs proot";
  }
  Result<oci::Layer> run(std::vector<std::string> commands, Deadline deadline = Deadline::in(60s)) {
    job_.commands = std::move(commands);
    CommandsOptions options{.cache = folder_.at("cache"),
                            .program = NUCLIO_BUILDER,
                            .sandbox = &sandbox_,
                            .log = [this](std::string_view line) { log_ += std::string(line) + "\n"; },
                            .limits = limits_};
    return run_until_done(loop_, run_commands(loop_, layout_, job_, std::move(options), deadline));
  }
  std::map<std::string, std::string> listing(const Result<oci::Layer>& layer) {
    EXPECT_TRUE(layer) << layer.error().what << "\n" << log_;
    return layer ? listing_of(layout_.path(layer->blob.digest)) : std::map<std::string, std::string>{};
  }

  TestFolder folder_;
  oci::Layout layout_ = *oci::Layout::create(folder_.at("layout"));
  CommandsJob job_{.layers = {folder_.write("base.tar", tar_of(small_base()))}, .base = "base"};
  CommandsLimits limits_;
  std::string log_;
  Loop loop_;
  LocalSandbox sandbox_{loop_, NUCLIO_BUILDER, LocalSandbox::Kind::proot};
};

TEST_F(ProotSandbox, LeavesALayerOfWhatCommandsChangedWhichIsRoots) {
  auto layer = run({"echo hello > /opt/new", "chown 33:44 /opt/new && chmod 4750 /opt/new && ln -s new /opt/link",
                    "mkdir -m 1777 /opt/box; ln /opt/new /opt/twin"});
  EXPECT_THAT(listing(layer),
              ElementsAre(Pair("opt/box/", "1777 0:0"), Pair("opt/link", "0777 0:0 -> new"),
                          Pair("opt/new", "4750 0:0 hello\n"), Pair("opt/twin", "4750 0:0 -> opt/new")));
  EXPECT_THAT(log_, HasSubstr("RUN echo hello > /opt/new\nRUN chown 33:44"));
  EXPECT_THAT(log_, Not(HasSubstr("proot")));
}

TEST_F(ProotSandbox, LeavesWhiteoutsOfWhatWasDeleted) {
  EXPECT_THAT(listing(run({"rm /etc/shadow", "rm -r /opt/data; mkdir /opt/data; echo 3 > /opt/data/three"})),
              ElementsAre(Pair("etc/.wh.shadow", "0644 0:0 "), Pair("opt/data/", "0755 0:0"),
                          Pair("opt/data/.wh.one", "0644 0:0 "), Pair("opt/data/.wh.two", "0644 0:0 "),
                          Pair("opt/data/three", "0644 0:0 3\n")));
  EXPECT_THAT(listing(run({"rm -r /opt/data"})), ElementsAre(Pair("opt/.wh.data", "0644 0:0 ")));
}

TEST_F(ProotSandbox, LeavesNothingOfItsOwn) {
  EXPECT_THAT(listing(run({"test -s /etc/hosts && test -r /proc/self/stat && echo x > /dev/null",
                           "head -c 8 /dev/urandom > /dev/null; echo said > /dev/stderr"})),
              IsEmpty());
  EXPECT_THAT(log_, HasSubstr("said\n"));
  EXPECT_TRUE(fs::is_empty(folder_.at("cache/work")));
}

TEST_F(ProotSandbox, LetsCommandsBelieveThatTheyAreWhoTheImageSays) {
  EXPECT_TRUE(run({"test $(id -u):$(id -g) = 0:0 && test $HOME = /root"})) << log_;
  job_.user = "33:44";
  job_.working_directory = "/srv/new";
  job_.environment = {"GREETING=hi there"};
  EXPECT_THAT(listing(run({"test $(id -u):$(id -g) = 33:44", "echo \"$PWD $GREETING\" > said"})),
              ElementsAre(Pair("srv/", "0755 0:0"), Pair("srv/new/", "0755 0:0"),
                          Pair("srv/new/said", "0644 0:0 /srv/new hi there\n")));
}

TEST_F(ProotSandbox, SeesTheLayersOverTheBase) {
  job_.over = {folder_.write("over.tar", tar_of({{{.name = "opt/.wh.data"}, ""}, {{.name = "opt/code"}, "one"}}))};
  EXPECT_THAT(listing(run({"test ! -e /opt/data && test $(cat /opt/code) = one"})), IsEmpty());
}

TEST_F(ProotSandbox, SaysHowACommandFailedAndWhatItSaidLast) {
  auto failed = run({"echo first", "echo before; (exit 7) && echo never; echo why >&2; exit 3", "echo third"});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().why, Why::invalid);
  EXPECT_THAT(failed.error().what, HasSubstr("exit 3\" of spec.build.commands exited with code 3:\nbefore\nwhy"));
  EXPECT_THAT(log_, Not(HasSubstr("third")));
}

TEST_F(ProotSandbox, EndsWhatACommandLeftRunning) {
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(run({"(setsid sleep 4711 &) ; sleep 4712 & echo $! > /opt/pid"})) << log_;
  EXPECT_LT(std::chrono::steady_clock::now() - began, 20s);
  EXPECT_FALSE(runs_on_this_machine(std::string("sleep\0004711", 10)));
  EXPECT_FALSE(runs_on_this_machine(std::string("sleep\0004712", 10)));
}

TEST_F(ProotSandbox, EndsCommandsAtTheDeadline) {
  auto failed = run({"sleep 4713"}, Deadline::in(2s));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().why, Why::timeout);
  EXPECT_FALSE(runs_on_this_machine(std::string("sleep\0004713", 10)));
  EXPECT_TRUE(fs::is_empty(folder_.at("cache/work")));
}

TEST_F(ProotSandbox, BoundsWhatCommandsWriteAndStart) {
  limits_.disk = Bytes{8u << 20};
  auto much = run({"for i in $(seq 100); do dd if=/dev/zero of=/opt/$i bs=1048576 count=4 2> /dev/null; done"});
  ASSERT_FALSE(much);
  EXPECT_EQ(much.error().why, Why::too_large) << much.error().what;
  limits_ = {};
  limits_.file = Bytes{1u << 20};
  EXPECT_FALSE(run({"dd if=/dev/zero of=/opt/one bs=1048576 count=4"}));
  limits_ = {};
  limits_.processes = 20;
  auto many = run({"for i in $(seq 40); do sleep 4714 & done; wait"});
  ASSERT_FALSE(many);
  EXPECT_THAT(many.error().what, HasSubstr("at most 20 processes"));
  EXPECT_FALSE(runs_on_this_machine(std::string("sleep\0004714", 10)));
}

TEST_F(ProotSandbox, SaysWhatItCannotDo) {
  job_.network = false;
  auto offline = run({"true"});
  EXPECT_EQ(offline.error().why, Why::invalid);
  EXPECT_THAT(offline.error().what, HasSubstr("spec.build.offline cannot be had"));
  job_.network = true;
  job_.user = "nobody-of-that-name";
  EXPECT_THAT(run({"true"}).error().what, HasSubstr("nobody-of-that-name"));
  job_.user = "";
  job_.layers = {folder_.write("empty.tar", tar_of({{{.name = "file"}, "text"}}))};
  job_.base = "empty";
  EXPECT_THAT(run({"true"}).error().what, HasSubstr("has no /bin/sh"));
  job_.layers = {folder_.write("broken.tar", std::string(2000, 'x'))};
  job_.base = "broken";
  EXPECT_THAT(run({"true"}).error().what, HasSubstr("unpacking the base image"));
}

// The same commands make other owners in a user namespace, so that neither may have the other's layer.
TEST_F(ProotSandbox, RemembersItsLayersApart) {
  struct Other final : CommandsSandbox {
    std::string_view kind() const override { return "user namespace"; }
    Task<Result<SandboxOutcome>> run(const SandboxJob&, const Output&, Deadline) override {
      co_return fail(Why::internal, "the other was asked");
    }
  } other;
  EXPECT_TRUE(run({"echo hello > /opt/new"}));
  log_.clear();
  EXPECT_TRUE(run({"echo hello > /opt/new"}));
  EXPECT_EQ(log_, "CACHED echo hello > /opt/new\n");
  CommandsOptions options{.cache = folder_.at("cache"), .sandbox = &other, .limits = limits_};
  auto done = run_until_done(loop_, run_commands(loop_, layout_, job_, std::move(options), Deadline::in(60s)));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().what, "the other was asked");
}

}  // namespace
}  // namespace nuclio::builder
