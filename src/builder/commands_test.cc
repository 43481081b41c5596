// SPDX-License-Identifier: Apache-2.0
#include "builder/commands.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "builder/test_base.h"
#include "builder/user_namespace.h"

namespace nuclio::builder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

// Whether a process has these arguments, with a zero behind each.
bool runs_on_this_machine(const std::string& arguments) {
  for (const auto& process : fs::directory_iterator("/proc")) {
    std::ifstream file(process.path() / "cmdline", std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (text.str().find(arguments) != std::string::npos) return true;
  }
  return false;
}

constexpr const char* kNoOwners = "files of several owners need a range of ids";
bool has_owners() {
  const auto maps = find_id_maps();
  return maps && maps->kind != IdMaps::Kind::single;
}

Task<int> nap(Loop& loop) {
  co_await loop.sleep(20ms);
  co_return 0;
}

Task<void> run_into(Loop& loop, const oci::Layout& layout, CommandsJob job, CommandsOptions options,
                    std::vector<Result<oci::Layer>>& into) {
  into.push_back(co_await run_commands(loop, layout, std::move(job), std::move(options), Deadline::in(60s)));
}

Task<bool> all_done(Group& group) { co_return co_await group.empty(Deadline::in(60s)); }

class Commands : public ::testing::Test {
 protected:
  Result<oci::Layer> run(std::vector<std::string> commands) {
    job_.commands = std::move(commands);
    return run_until_done(loop_, run_commands(loop_, layout_, job_, options(), Deadline::in(60s)));
  }
  CommandsOptions options() {
    return {.cache = folder_.at("cache"),
            .program = program_,
            .log = [this](std::string_view line) { log_ += std::string(line) + "\n"; },
            .limits = limits_};
  }
  std::map<std::string, std::string> listing(const Result<oci::Layer>& layer) {
    EXPECT_TRUE(layer) << layer.error().what << "\n" << log_;
    return layer ? listing_of(layout_.path(layer->blob.digest)) : std::map<std::string, std::string>{};
  }

  // Where work was done, which is the only store in the cache.
  fs::path work_folder() {
    fs::path store;
    for (const auto& each : fs::directory_iterator(folder_.at("cache/sandbox"))) store = each.path();
    return store / "work";
  }

  TestFolder folder_;
  std::string program_ = NUCLIO_BUILDER;
  oci::Layout layout_ = *oci::Layout::create(folder_.at("layout"));
  CommandsJob job_{.layers = {folder_.write("base.tar", tar_of(small_base()))}, .base = "base"};
  CommandsLimits limits_;
  std::string log_;
  Loop loop_;
};

TEST_F(Commands, LeaveALayerOfWhatTheyChanged) {
  if (!has_owners()) GTEST_SKIP() << kNoOwners;
  auto layer = run({"echo hello > /opt/new", "chown 33:44 /opt/new; chmod 4750 /opt/new; ln -s new /opt/link",
                    "mkdir -m 1777 /opt/box; ln /opt/new /opt/twin; chown -h 33 /opt/link"});
  EXPECT_THAT(listing(layer),
              ElementsAre(Pair("opt/", "0755 0:0"), Pair("opt/box/", "1777 0:0"), Pair("opt/link", "0777 33:0 -> new"),
                          Pair("opt/new", "4750 33:44 hello\n"), Pair("opt/twin", "4750 33:44 -> opt/new")));
  EXPECT_EQ(layer->blob.media_type, oci::media::kLayerGzip);
  EXPECT_THAT(log_, HasSubstr("RUN echo hello > /opt/new\nRUN chown 33:44"));
}

TEST_F(Commands, LeaveWhiteoutsForWhatTheyDeletedOrReplaced) {
  if (!has_owners()) GTEST_SKIP() << kNoOwners;
  EXPECT_THAT(listing(run({"rm /etc/shadow", "rm -r /opt/data; mkdir /opt/data; echo 3 > /opt/data/three"})),
              ElementsAre(Pair("etc/", "0755 0:0"), Pair("etc/.wh.shadow", "0644 0:0 "), Pair("opt/", "0755 0:0"),
                          Pair("opt/data/", "0755 0:0"), Pair("opt/data/.wh..wh..opq", "0644 0:0 "),
                          Pair("opt/data/three", "0644 0:0 3\n")));
  EXPECT_THAT(listing(run({"echo 1 > /opt/data/one; chmod 600 /opt/data/two"})),
              ElementsAre(Pair("opt/", "0755 0:0"), Pair("opt/data/", "0750 33:33"),
                          Pair("opt/data/one", "0644 0:0 1\n"), Pair("opt/data/two", "0600 0:0 2")));
}

TEST_F(Commands, SeeTheLayersOneUponTheOther) {
  using Kind = oci::TarEntry::Kind;
  job_.layers.push_back(folder_.write("second.tar", tar_of({{{.kind = Kind::folder, .name = "opt", .mode = 0755}, ""},
                                                            {{.name = "opt/.wh.data"}, ""}})));
  EXPECT_THAT(listing(run({"test ! -e /opt/data && echo gone > /opt/said"})),
              ElementsAre(Pair("opt/", "0755 0:0"), Pair("opt/said", "0644 0:0 gone\n")));
}

// Layers as code and earlier commands bring them: one file is replaced, one deleted, one folder deleted and made anew.
std::vector<std::vector<BaseEntry>> layers_over_the_base() {
  using Kind = oci::TarEntry::Kind;
  return {{{{.kind = Kind::folder, .name = "opt", .mode = 0755}, ""},
           {{.name = "opt/code", .mode = 0640, .owner = 33, .group = 33}, "one"},
           {{.name = "opt/dropped"}, "x"},
           {{.name = "etc/group", .mode = 0600}, "root:x:0:\n"},
           {{.kind = Kind::hard_link, .name = "opt/twin", .target = "etc/passwd"}, ""}},
          {{{.name = "opt/.wh.dropped"}, ""},
           {{.name = "etc/.wh.shadow"}, ""},
           {{.kind = Kind::folder, .name = "opt/data", .mode = 0755}, ""},
           {{.name = "opt/data/.wh..wh..opq"}, ""},
           {{.name = "opt/data/three"}, "3"}}};
}

TEST_F(Commands, SeeTheLayersOverTheBaseAndLeaveWhatTheyChangedAlone) {
  for (const auto& entries : layers_over_the_base())
    job_.over.push_back(folder_.write("over" + std::to_string(job_.over.size()), tar_of(entries)));
  EXPECT_THAT(listing(run({"cat /opt/code /opt/data/three; stat -c ' %a %u:%g' /opt/code /opt/data",
                           "test \"$(cat /etc/group)\" = root:x:0: && test $(stat -c %a /etc/group) = 600",
                           "test ! -e /etc/shadow && test ! -e /opt/dropped && test ! -e /opt/data/one",
                           "test \"$(ls -A /opt/data)\" = three && test \"$(ls -A /opt | wc -l)\" = 3",
                           "grep -q app /opt/twin && grep -q app /etc/passwd"})),
              ElementsAre());
  EXPECT_THAT(log_, HasSubstr(has_owners() ? "one3 640 33:33\n 755 0:0\n" : "one3 640 0:0\n 755 0:0\n"));
  // What comes from above, what from below, and what had been deleted.
  EXPECT_THAT(
      listing(run({"rm /opt/code /etc/hosts 2>/dev/null; rm /etc/passwd; echo new > /etc/shadow"})),
      ElementsAre(Pair("etc/", "0755 0:0"), Pair("etc/.wh.passwd", "0644 0:0 "), Pair("etc/shadow", "0644 0:0 new\n"),
                  Pair("opt/", "0755 0:0"), Pair("opt/.wh.code", "0644 0:0 ")));
  EXPECT_THAT(listing(run({"rm -r /opt/data; mkdir /opt/data; echo 4 > /opt/data/four"})),
              ElementsAre(Pair("opt/", "0755 0:0"), Pair("opt/data/", "0755 0:0"),
                          Pair("opt/data/.wh..wh..opq", "0644 0:0 "), Pair("opt/data/four", "0644 0:0 4\n")));
  EXPECT_TRUE(fs::is_empty(work_folder()));
  // The base that was kept has nothing of it.
  job_.over.clear();
  EXPECT_TRUE(run({"test ! -e /opt/code && test -e /etc/shadow && test -e /opt/data/one && grep extra /etc/group"}));
}

TEST_F(Commands, HaveMountsAlsoWhereALayerOverTheBaseTookTheirPlacesAway) {
  using Kind = oci::TarEntry::Kind;
  job_.over.push_back(
      folder_.write("over", tar_of({{{.name = "etc/.wh.hosts"}, ""},
                                    {{.name = ".wh.proc"}, ""},
                                    {{.kind = Kind::link, .name = "etc/resolv.conf", .target = "x"}, ""}})));
  EXPECT_THAT(listing(run({"cat /etc/hosts /etc/resolv.conf; test -e /proc/self"})), ElementsAre());
}

TEST_F(Commands, OverOtherLayersRunAnewAndUnpackTheBaseOnce) {
  ASSERT_TRUE(run({"true"}));
  EXPECT_THAT(log_, HasSubstr("unpacking the base\n"));
  log_.clear();
  for (const char* code : {"first", "second"}) {
    job_.over = {folder_.write("over", tar_of({{{.name = "opt/code"}, code}}))};
    job_.over_digests = code;
    EXPECT_THAT(listing(run({"cp /opt/code /opt/copy"})),
                ElementsAre(Pair("opt/", "0755 0:0"), Pair("opt/copy", std::string("0644 0:0 ") + code)));
  }
  EXPECT_EQ(log_.find("unpacking"), std::string::npos) << log_;
  log_.clear();
  ASSERT_TRUE(run({"cp /opt/code /opt/copy"}));
  EXPECT_THAT(log_, HasSubstr("CACHED"));
}

TEST_F(Commands, RefuseHostileLayersOverTheBase) {
  using Kind = oci::TarEntry::Kind;
  folder_.write("outside", "untouched");
  const std::pair<std::string, std::string> table[] = {
      {tar_of({{{.name = "../outside"}, "x"}}), "must not have \"..\""},
      {tar_of({{{.kind = Kind::link, .name = "opt/out", .target = folder_.path()}, ""},
               {{.kind = Kind::hard_link, .name = "opt/hard", .target = "opt/out/outside"}, ""}}),
       "is not there"},
      {tar_of({{{.kind = Kind::folder, .name = "opt", .mode = 0755}, ""}, {{.name = "proc"}, "x"}}),
       "its /proc must be a folder"},
      {std::string(2000, 'x'), "must be a tar"},
  };
  for (const auto& [tar, says] : table) {
    job_.over = {folder_.write("over.tar", tar)};
    auto layer = run({"true"});
    ASSERT_FALSE(layer);
    EXPECT_EQ(layer.error().why, Why::invalid) << layer.error().what;
    EXPECT_THAT(layer.error().what, HasSubstr(says));
    EXPECT_TRUE(fs::is_empty(work_folder()));
  }
  EXPECT_EQ(folder_.read("outside"), "untouched");
}

TEST_F(Commands, ThatChangeNothingLeaveNothingOfOurs) {
  EXPECT_THAT(listing(run({"cat /etc/hosts /etc/resolv.conf; ls /proc /dev /sys"})), ElementsAre());
  // A base that lacks them has them for the commands, and not for the image.
  EXPECT_FALSE(run({"echo x > /etc/hosts"}));
  EXPECT_FALSE(run({"rm /etc/resolv.conf"}));
}

TEST_F(Commands, LeaveOutWhatHasNoPlaceInALayer) {
  EXPECT_THAT(listing(run({"mkfifo /opt/pipe; touch /opt/file"})),
              ElementsAre(Pair("opt/", "0755 0:0"), Pair("opt/file", "0644 0:0 ")));
  EXPECT_THAT(log_, HasSubstr("left out of the layer: /opt/pipe"));
  auto layer = run({"touch /opt/.wh.data"});
  ASSERT_FALSE(layer);
  EXPECT_EQ(layer.error().why, Why::invalid);
  EXPECT_THAT(layer.error().what, HasSubstr("would delete a file of the image"));
}

TEST_F(Commands, AreRememberedByAllThatTheyDependOn) {
  const std::vector<std::string> random{"head -c 20 /dev/urandom > /opt/random"};
  const auto first = run(random);
  ASSERT_TRUE(first) << first.error().what;
  log_.clear();
  // Also for another layout, and with its blob gone.
  layout_ = *oci::Layout::create(folder_.at("other"));
  auto again = run(random);
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(again->blob, first->blob);
  EXPECT_EQ(again->diff_id, first->diff_id);
  EXPECT_TRUE(layout_.has(again->blob));
  EXPECT_EQ(log_, "CACHED " + random[0] + "\n");

  const CommandsJob same = job_;
  const std::function<void(CommandsJob&)> changes[] = {
      [](CommandsJob& job) { job.base = "another"; },      [](CommandsJob& job) { job.over_digests = "another"; },
      [](CommandsJob& job) { job.environment = {"A=1"}; }, [](CommandsJob& job) { job.working_directory = "/opt"; },
      [](CommandsJob& job) { job.user = "0:0"; },          [](CommandsJob& job) { job.network = false; },
  };
  for (const auto& change : changes) {
    job_ = same;
    change(job_);
    auto other = run(random);
    ASSERT_TRUE(other) << other.error().what;
    EXPECT_NE(other->blob, first->blob);
  }
  job_ = same;
  EXPECT_NE(run({random[0], "true"})->blob, first->blob);
  EXPECT_EQ(run(random)->blob, first->blob);
  auto fresh = options();
  fresh.fresh = true;
  EXPECT_NE(run_until_done(loop_, run_commands(loop_, layout_, job_, fresh, Deadline::in(60s)))->blob, first->blob);
}

TEST_F(Commands, RunAnewWhenWhatIsRememberedIsMissingOrDamaged) {
  const std::vector<std::string> commands{"echo once > /opt/said"};
  const auto first = run(commands);
  ASSERT_TRUE(first) << first.error().what;
  const std::string blob = layout_.path(first->blob.digest);
  const std::string kept = folder_.at("cache/commands/layers/blobs/sha256/" + std::string(first->blob.digest.hex()));
  const auto size = fs::file_size(kept);
  const std::string good = folder_.read(blob.substr(folder_.path().size() + 1));
  for (const bool damaged : {false, true}) {
    fs::remove(blob);
    fs::remove(kept);
    if (damaged) std::ofstream(kept) << std::string(size, 'x');
    log_.clear();
    auto again = run(commands);
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_THAT(log_, HasSubstr("RUN echo once"));
    EXPECT_EQ(again->blob, first->blob);
    EXPECT_EQ(folder_.read(blob.substr(folder_.path().size() + 1)), good);
  }
  log_.clear();
  ASSERT_TRUE(run(commands));
  EXPECT_THAT(log_, HasSubstr("CACHED"));
}

TEST_F(Commands, AreForgottenWhenThereAreTooMany) {
  limits_.remembered = 2;
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(run({std::string("touch /opt/") + name}));
  log_.clear();
  ASSERT_TRUE(run({"touch /opt/c"}));
  EXPECT_THAT(log_, HasSubstr("CACHED"));
  log_.clear();
  ASSERT_TRUE(run({"touch /opt/a"}));
  EXPECT_THAT(log_, HasSubstr("RUN"));
  std::size_t blobs = 0;
  for ([[maybe_unused]] const auto& blob : fs::directory_iterator(folder_.at("cache/commands/layers/blobs/sha256")))
    ++blobs;
  EXPECT_EQ(blobs, 2u);
}

TEST_F(Commands, SayWhichOneFailedAndItsLastLines) {
  auto layer = run({"echo fine", "echo one; echo 'it broke' >&2; exit 3", "echo never > /opt/never"});
  ASSERT_FALSE(layer);
  EXPECT_EQ(layer.error().why, Why::invalid);
  EXPECT_EQ(layer.error().what,
            "the command \"echo one; echo 'it broke' >&2; exit 3\" of spec.build.commands exited with code 3:\none\n"
            "it broke");
  EXPECT_EQ(log_.find("never"), std::string::npos);
  EXPECT_THAT(run({"kill -9 $$"}).error().what, HasSubstr("was killed by signal 9"));
  // A failure is not remembered, and nothing of it is left.
  log_.clear();
  EXPECT_FALSE(run({"kill -9 $$"}));
  EXPECT_THAT(log_, HasSubstr("RUN kill"));
  EXPECT_FALSE(fs::exists(layout_.folder() + "/blobs/sha256/new"));
  EXPECT_TRUE(fs::is_empty(layout_.folder() + "/blobs/sha256"));
}

TEST_F(Commands, RunWithTheImagesEnvironmentFolderAndUserAlone) {
  ::setenv("CANARY_OF_THE_HOST", "1", 1);
  job_.environment = {"GREETING=hello", "TOKEN=canary-7d1f"};
  job_.working_directory = "/srv/app";
  ASSERT_TRUE(run({"env", "pwd; id; hostname", "echo one > /dev/stdout; echo two > /dev/stderr"})) << log_;
  EXPECT_THAT(log_, HasSubstr("GREETING=hello\n"));
  EXPECT_THAT(log_, HasSubstr("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"));
  EXPECT_THAT(log_, HasSubstr("HOME=/root\n"));
  EXPECT_THAT(log_, HasSubstr("/srv/app\nuid=0(root) gid=0(root)"));
  EXPECT_THAT(log_, HasSubstr("\nlocalhost\n"));
  EXPECT_THAT(log_, HasSubstr("\none\n"));
  EXPECT_THAT(log_, HasSubstr("\ntwo\n"));
  EXPECT_EQ(log_.find("CANARY_OF_THE_HOST"), std::string::npos);

  log_.clear();
  job_.working_directory = "";
  ASSERT_TRUE(run({"test ${#TOKEN} = 11 && pwd"})) << log_;
  EXPECT_EQ(log_.find("canary-7d1f"), std::string::npos);
  auto failed = run({"exit 1"});
  EXPECT_EQ(log_.find("canary-7d1f"), std::string::npos);
  EXPECT_EQ(failed.error().what.find("canary-7d1f"), std::string::npos);
  for (const auto& file : fs::recursive_directory_iterator(folder_.at("cache/commands")))
    if (file.path().extension() == ".json")
      EXPECT_EQ(folder_.read(file.path().lexically_relative(folder_.path()).string()).find("canary-7d1f"),
                std::string::npos);
}

TEST_F(Commands, RunAsTheImagesUser) {
  if (!has_owners()) GTEST_SKIP() << kNoOwners;
  job_.user = "app";
  auto layer = run({"id; echo $HOME; echo mine > /tmp/mine", "! cat /etc/shadow", "! touch /opt/x"});
  EXPECT_THAT(listing(layer), ElementsAre(Pair("tmp/", "1777 0:0"), Pair("tmp/mine", "0644 1000:1000 mine\n")));
  EXPECT_THAT(log_, HasSubstr("uid=1000(app) gid=1000(app) groups=44(extra),1000(app)\n/home/app\n"));
  job_.user = "4711:www";
  EXPECT_THAT(listing(run({"id; echo mine > /tmp/mine"})),
              ElementsAre(Pair("tmp/", "1777 0:0"), Pair("tmp/mine", "0644 4711:33 mine\n")));
  job_.user = "nobody-here";
  EXPECT_THAT(run({"id"}).error().what, HasSubstr("\"nobody-here\", whom its /etc/passwd does not have"));
}

TEST_F(Commands, EndWithAllTheyStartedAtTheDeadline) {
  const std::string name = "4711" + std::to_string(::getpid());
  job_.commands = {"setsid sleep " + name + " & echo started; sleep " + name};
  const auto before = std::chrono::steady_clock::now();
  auto layer = run_until_done(loop_, run_commands(loop_, layout_, job_, options(), Deadline::in(1500ms)));
  ASSERT_FALSE(layer);
  EXPECT_EQ(layer.error().why, Why::timeout);
  EXPECT_EQ(layer.error().what, "the build took longer than spec.build.buildTimeoutSeconds allows");
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
  EXPECT_THAT(log_, HasSubstr("started\n"));
  EXPECT_FALSE(runs_on_this_machine(std::string("sleep\0", 6) + name));
  EXPECT_TRUE(fs::is_empty(work_folder()));
}

TEST_F(Commands, EndWithAllTheyStartedWhenTheTaskIsCancelled) {
  const std::string name = "4712" + std::to_string(::getpid());
  job_.commands = {"setsid sleep " + name + " & echo started; sleep " + name};
  auto cancelled = run_until_done(
      loop_, within(loop_, Deadline::in(1500ms), run_commands(loop_, layout_, job_, options(), Deadline::in(60s))));
  EXPECT_FALSE(cancelled);
  EXPECT_THAT(log_, HasSubstr("started\n"));
  // The kernel ends them when their parents' end is told to it, which may be a moment later.
  const auto end = Deadline::in(10s);
  while (runs_on_this_machine(std::string("sleep\0", 6) + name) && !end.passed()) run_until_done(loop_, nap(loop_));
  EXPECT_FALSE(runs_on_this_machine(std::string("sleep\0", 6) + name));
  // What was left is removed by whoever comes next.
  EXPECT_TRUE(run({"true"}));
  EXPECT_TRUE(fs::is_empty(work_folder()));
}

TEST_F(Commands, EndWhatACommandLeavesRunningBeforeTheNext) {
  EXPECT_TRUE(run({"sleep 4713 & sleep 4713 & echo $! > /tmp/pid", "! kill -0 $(cat /tmp/pid)"})) << log_;
}

TEST_F(Commands, OfTheSameBaseUnpackItOnce) {
  CommandsJob one = job_;
  CommandsJob two = job_;
  one.commands = {"echo 1 > /opt/one"};
  two.commands = {"echo 2 > /opt/two"};
  std::vector<Result<oci::Layer>> layers;
  Group group{loop_};
  group.spawn(run_into(loop_, layout_, one, options(), layers));
  group.spawn(run_into(loop_, layout_, two, options(), layers));
  run_until_done(loop_, all_done(group));
  ASSERT_EQ(layers.size(), 2u);
  for (const auto& layer : layers) EXPECT_TRUE(layer) << layer.error().what;
  const std::string line = "unpacking the base\n";
  const std::size_t first = log_.find(line);
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(log_.find(line, first + 1), std::string::npos) << log_;
}

TEST_F(Commands, OfManyBasesKeepTheLastOnes) {
  limits_.roots = 2;
  for (const char* base : {"a", "b", "c"}) {
    job_.base = base;
    ASSERT_TRUE(run({"true"}));
  }
  log_.clear();
  ASSERT_TRUE(run({"echo other"}));
  EXPECT_EQ(log_.find("unpacking"), std::string::npos);
  job_.base = "a";
  ASSERT_TRUE(run({"echo other"}));
  EXPECT_THAT(log_, HasSubstr("unpacking"));
  std::size_t roots = 0;
  for ([[maybe_unused]] const auto& root : fs::directory_iterator(work_folder().parent_path() / "roots")) ++roots;
  EXPECT_EQ(roots, 2u);
}

TEST_F(Commands, NeverUseABaseThatWasHalfUnpacked) {
  ASSERT_TRUE(run({"true"}));
  fs::path root;
  for (const auto& each : fs::directory_iterator(work_folder().parent_path() / "roots")) root = each.path();
  // As a builder leaves it that is killed while it unpacks.
  fs::rename(root / "root", root / "new");
  EXPECT_TRUE(run({"cat /opt/data/one"})) << log_;
  EXPECT_THAT(log_, HasSubstr("unpacking"));
  EXPECT_FALSE(fs::exists(root / "new"));
}

TEST_F(Commands, SeeNothingOfTheMachine) {
  folder_.write("outside", "untouched");
  ::chmod(folder_.path().c_str(), 0777);
  ::chmod(folder_.at("outside").c_str(), 0666);
  const std::string outside = folder_.at("outside");
  auto layer = run({
      "test ! -e /home && test ! -e /usr && test ! -e /var && test ! -e " + folder_.path(),
      "test \"$(ls -A /root)\" = ''",
      // Processes: the init, the shell, and those of this line.
      "test $(ls -d /proc/[0-9]* | wc -l) -lt 8",
      "! ls /proc/1/root/ 2>&1 && ! ls -l /proc/1/fd 2>&1 && ! cat /proc/1/environ 2>&1",
      "kill -9 1; ! kill -0 " + std::to_string(::getpid()),
      // Out of it by names, in ways that have worked elsewhere.
      "! ls /../../../../../.." + outside + " 2>&1",
      "mkdir /tmp/jail && chroot / /bin/sh -c 'cd /tmp; ! ls ../../../../.." + outside + "' 2>&1",
      "for n in 0 1 2 3 4 5 6 7 8 9; do ! ls /proc/self/fd/$n" + outside + " /proc/self/fd/$n/.." + outside +
          " 2>/dev/null || exit 1; done",
      // Means that root has elsewhere.
      "! mount -t tmpfs none /tmp 2>&1 && ! mount -t proc none /proc 2>&1 && ! mount --bind / /tmp 2>&1",
      "! umount /etc/hosts 2>&1 && ! umount /proc 2>&1 && ! umount -l / 2>&1",
      "! mknod /tmp/disk b 254 0 2>&1 && ! mknod /tmp/mem c 1 1 2>&1",
      "! unshare -U true 2>&1 && ! unshare -m true 2>&1",
      "! sh -c 'echo x > /proc/sys/kernel/core_pattern' 2>&1 && ! sh -c 'echo x > /proc/sysrq-trigger' 2>&1",
      "! sh -c 'echo 100000 > /proc/sys/user/max_user_namespaces' 2>&1",
      "! hostname other 2>&1",
      "! ls /dev/vda /dev/sda /dev/kmsg /dev/mem /dev/fuse /dev/kvm 2>/dev/null",
  });
  EXPECT_TRUE(layer) << layer.error().what << "\n" << log_;
  EXPECT_EQ(folder_.read("outside"), "untouched");
}

TEST_F(Commands, HaveThisMachinesNetworkOrNone) {
  ASSERT_TRUE(run({"ls /sys/class/net 2>/dev/null; cat /proc/net/dev"})) << log_;
  log_.clear();
  job_.network = false;
  ASSERT_TRUE(run({"cat /proc/net/dev; cat /proc/net/route",
                   "(echo pong | nc -l -p 4444 & sleep 0.2; "
                   "nc 127.0.0.1 4444 < /dev/null)",
                   "! nc -w 2 192.0.2.1 80 2>&1"}))
      << log_;
  EXPECT_THAT(log_, HasSubstr("pong"));
  EXPECT_THAT(log_, HasSubstr("unreachable"));
  EXPECT_THAT(log_, HasSubstr("lo:"));
  EXPECT_EQ(log_.find("eth"), std::string::npos);
}

TEST_F(Commands, AreBounded) {
  limits_.log = Bytes{2000};
  ASSERT_TRUE(run({"yes | head -c 3000000; yes x | head -c 100000"}));
  EXPECT_LT(log_.size(), 5000u);
  EXPECT_THAT(log_, HasSubstr("the commands print too much"));

  limits_.processes = 40;
  auto many = run({"for i in $(seq 400); do sleep 20 & done; wait"});
  ASSERT_FALSE(many);
  EXPECT_THAT(many.error().what, HasSubstr("can't fork"));

  limits_ = {};
  limits_.file = Bytes{1u << 20};
  EXPECT_FALSE(run({"head -c 3000000 /dev/zero > /opt/large"}));
  limits_ = {};
  limits_.disk = Bytes{4u << 20};
  for (const char* command :
       {"head -c 9000000 /dev/zero > /opt/large; sleep 60", "head -c 9000000 /dev/zero > /opt/x"}) {
    auto large = run({command});
    ASSERT_FALSE(large);
    EXPECT_EQ(large.error().why, Why::too_large);
    EXPECT_THAT(large.error().what, HasSubstr("must write at most 4194304 bytes"));
  }
  limits_ = {};
  limits_.files = 50;
  EXPECT_THAT(run({"for i in $(seq 60); do touch /opt/$i; done; sleep 60"}).error().what,
              HasSubstr("at most 50 files"));
  limits_ = {};
  auto deep = run({"cd /opt; for i in $(seq 1500); do mkdir d && cd d; done"});
  ASSERT_FALSE(deep);
  EXPECT_THAT(deep.error().what, HasSubstr("at most 128 deep"));
  EXPECT_TRUE(fs::is_empty(work_folder()));
}

TEST_F(Commands, NeedABaseWithAShellForThisMachine) {
  using Kind = oci::TarEntry::Kind;
  const std::vector<BaseEntry> etc{{{.name = "etc/passwd"}, ""}};
  const auto with = [&](BaseEntry entry) {
    auto entries = etc;
    entries.push_back(std::move(entry));
    return entries;
  };
  std::string other_machine = small_base()[1].text.substr(0, 4096);
  other_machine[18] = '\x16';  // e_machine of an ELF file: S/390
  const std::pair<std::vector<BaseEntry>, std::string> table[] = {
      {etc, "has no /bin/sh"},
      {with({{.kind = Kind::link, .name = "bin/sh", .target = "/nowhere"}, ""}), "leads to nothing"},
      {with({{.name = "bin/sh", .mode = 0755}, other_machine}), "another processor architecture"},
      {with({{.name = "proc", .mode = 0755}, "no folder"}), "its /proc must be a folder"},
  };
  int at = 0;
  for (const auto& [entries, says] : table) {
    job_.base = "without " + std::to_string(at++);
    job_.layers = {folder_.write("base.tar", tar_of(entries))};
    auto layer = run({"true"});
    ASSERT_FALSE(layer);
    EXPECT_EQ(layer.error().why, Why::invalid) << says;
    EXPECT_THAT(layer.error().what, HasSubstr(says));
  }
}

TEST_F(Commands, RefuseAHostileBase) {
  using Kind = oci::TarEntry::Kind;
  folder_.write("outside", "untouched");
  const std::string garbage(2000, 'x');
  const std::pair<std::string, std::string> table[] = {
      {tar_of({{{.name = "../outside"}, "x"}}), "must not have \"..\""},
      {tar_of({{{.name = "/outside"}, "x"}}), "must be relative"},
      {tar_of({{{.kind = Kind::hard_link, .name = "hard", .target = "../../outside"}, ""}}), "relative name"},
      {garbage, "must be a tar"},
      {tar_of(small_base()).substr(0, 100'000), "must be a tar"},
  };
  int at = 0;
  for (const auto& [tar, says] : table) {
    job_.base = "hostile " + std::to_string(at++);
    job_.layers = {folder_.write("base.tar", tar)};
    auto layer = run({"true"});
    ASSERT_FALSE(layer);
    EXPECT_EQ(layer.error().why, Why::invalid) << layer.error().what;
    EXPECT_THAT(layer.error().what, HasSubstr(says));
    EXPECT_THAT(layer.error().what, HasSubstr("base.tar"));
  }
  EXPECT_EQ(folder_.read("outside"), "untouched");
  EXPECT_TRUE(fs::is_empty(work_folder().parent_path() / "roots"));

  // Links that lead out mean places within: what is mounted on them is, too.
  auto entries = small_base();
  std::erase_if(entries, [](const BaseEntry& each) { return each.entry.name.starts_with("etc"); });
  entries.push_back({{.kind = Kind::link, .name = "etc", .target = "/../../opt"}, ""});
  entries.push_back({{.kind = Kind::link, .name = "opt/resolv.conf", .target = "/proc/self/mem"}, ""});
  job_ = {.layers = {folder_.write("base.tar", tar_of(entries))}, .base = "links"};
  EXPECT_THAT(listing(run({"ls -l /opt; echo x > /opt/x"})),
              ElementsAre(Pair("opt/", "0755 0:0"), Pair("opt/x", "0644 0:0 x\n")));
}

TEST_F(Commands, SayWhatIsMissing) {
  job_.layers = {folder_.at("nowhere")};
  EXPECT_THAT(run({"true"}).error().what, HasSubstr("reading " + folder_.at("nowhere")));
  program_ = folder_.at("no-builder");
  auto layer = run({"true"});
  ASSERT_FALSE(layer);
  EXPECT_EQ(layer.error().why, Why::not_found);
}

// The same as a user without privileges and without a range of ids.
TEST_F(Commands, RunForAUserThatIsNotRootToo) {
  if (::geteuid() == 0) {
    ::chmod(folder_.path().c_str(), 0755);
    fs::create_directory(folder_.at("cache"));
    ASSERT_EQ(::chown(folder_.at("cache").c_str(), 0, 65534), 0);
    ASSERT_EQ(::chmod(folder_.at("cache").c_str(), 0775), 0);
    fs::copy_file(NUCLIO_BUILDER, folder_.at("builder"));
    program_ = folder_.write_program("as-nobody",
                                     "#!/bin/sh\nexec /usr/bin/setpriv --reuid=65534 --regid=65534 "
                                     "--clear-groups " +
                                         folder_.at("builder") + " \"$@\"\n");
  } else if (has_owners()) {
    GTEST_SKIP() << "this user has a range of ids";
  }
  auto layer = run({"id -u; echo hello > /opt/new; rm /etc/shadow; ! chown 33 /opt/new",
                    "kill -9 1; ! kill -0 " + std::to_string(::getpid()), "! ls /proc/1/fd 2>&1"});
  EXPECT_THAT(listing(layer), ElementsAre(Pair("etc/", "0755 0:0"), Pair("etc/.wh.shadow", "0644 0:0 "),
                                          Pair("opt/", "0755 0:0"), Pair("opt/new", "0644 0:0 hello\n")));
  EXPECT_THAT(log_, HasSubstr("one user id only"));
  for (const auto& entries : layers_over_the_base())
    job_.over.push_back(folder_.write("over" + std::to_string(job_.over.size()), tar_of(entries)));
  job_.over_digests = "over";
  auto over = run({"cat /opt/code; test ! -e /etc/shadow; rm /opt/code", "test \"$(ls -A /opt/data)\" = three"});
  EXPECT_THAT(listing(over), ElementsAre(Pair("opt/", "0755 0:0"), Pair("opt/.wh.code", "0644 0:0 ")));
  job_.user = "app";
  auto as_user = run({"true"});
  ASSERT_FALSE(as_user);
  EXPECT_THAT(as_user.error().what, HasSubstr("\"app\", who cannot be had"));
}

}  // namespace
}  // namespace nuclio::builder
