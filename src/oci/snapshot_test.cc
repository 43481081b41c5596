// SPDX-License-Identifier: Apache-2.0
#include "oci/snapshot.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "oci/archive_reader.h"
#include "oci/test_registry.h"

namespace nuclio::oci {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

class Snapshots : public testing::Test, protected TestBench {
 protected:
  void SetUp() override {
    folder_.write("root/etc/greeting", "hello");
    folder_.write("root/etc/other", "same");
    folder_.write("root/opt/data/one", "1");
    folder_.write("root/opt/data/two", "2");
    folder_.write("root/proc/ignored", "");
  }
  std::string at(const char* name) const { return folder_.at(std::string("root/") + name); }
  Snapshot take() const {
    auto taken = Snapshot::take(folder_.at("root"), {"proc", "etc/hosts"});
    EXPECT_TRUE(taken) << taken.error().what;
    return std::move(*taken);
  }
  Result<std::vector<std::string>> changes(const Snapshot& before, LayerLimits limits = {}) {
    std::string bytes;
    Sink sink = [&bytes](std::string_view piece) {
      bytes += piece;
      return Result<void>{};
    };
    ChangesOptions options;
    options.layer.limits = limits;
    TRY_DO(run(before.write_changes(loop, std::move(sink), std::move(options))));
    std::vector<std::string> lines;
    auto reader = ArchiveReader::open(folder_.write("tar", bytes));
    while (auto entry = *reader->next()) {
      char mode[8];
      std::snprintf(mode, sizeof mode, "%o", static_cast<unsigned>(entry->mode));
      std::string line =
          entry->name + " " + mode + " " + std::to_string(entry->owner) + ":" + std::to_string(entry->group);
      if (!entry->target.empty()) line += " -> " + entry->target;
      if (entry->kind == ArchiveEntry::Kind::file) line += " " + std::string(*reader->read());
      lines.push_back(std::move(line));
    }
    return lines;
  }
  TestFolder folder_;
};

TEST_F(Snapshots, FindNothingWhereNothingChanged) {
  const Snapshot before = take();
  EXPECT_THAT(*changes(before), IsEmpty());
}

TEST_F(Snapshots, FindWhatIsNewChangedAndGone) {
  const Snapshot before = take();
  folder_.write("root/etc/greeting", "HELLO");  // as long as it was
  folder_.write("root/new/deep/file", "text");
  fs::create_symlink("/etc/greeting", at("etc/link"));
  fs::create_hard_link(at("new/deep/file"), at("new/twin"));
  fs::remove(at("opt/data/one"));
  ASSERT_EQ(::chmod(at("opt/data/two").c_str(), 0600), 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(at("new/deep/file").c_str(), 33, 33), 0);
  }
  EXPECT_THAT(*changes(before),
              ElementsAre("etc/greeting 644 0:0 HELLO", "etc/link 777 0:0 -> /etc/greeting", "new/ 755 0:0",
                          "new/deep/ 755 0:0", "new/deep/file 644 0:0 text", "new/twin 644 0:0 -> new/deep/file",
                          "opt/data/.wh.one 644 0:0 ", "opt/data/two 600 0:0 2"));
}

TEST_F(Snapshots, FindWhatTookThePlaceOfSomethingElse) {
  const Snapshot before = take();
  fs::remove_all(at("opt/data"));
  folder_.write("root/opt/data", "a file now");
  fs::remove(at("etc/other"));
  fs::create_directory(at("etc/other"));
  folder_.write("root/etc/other/within", "");
  EXPECT_THAT(*changes(before),
              ElementsAre("etc/other/ 755 0:0", "etc/other/within 644 0:0 ", "opt/data 644 0:0 a file now"));
}

TEST_F(Snapshots, FindAFileThatWasPutBackWithItsTimes) {
  const auto time = fs::last_write_time(at("etc/greeting"));
  const Snapshot before = take();
  folder_.write("root/etc/greeting", "HELLO");
  fs::last_write_time(at("etc/greeting"), time);
  EXPECT_THAT(*changes(before), ElementsAre("etc/greeting 644 0:0 HELLO"));
}

TEST_F(Snapshots, DeleteAFolderAsAWhole) {
  const Snapshot before = take();
  fs::remove_all(at("opt"));
  EXPECT_THAT(*changes(before), ElementsAre(".wh.opt 644 0:0 "));
}

TEST_F(Snapshots, LeaveAloneWhatTheyAreTold) {
  const Snapshot before = take();
  folder_.write("root/proc/more", "");
  folder_.write("root/etc/hosts", "");
  fs::remove(at("proc/ignored"));
  EXPECT_THAT(*changes(before), IsEmpty());
  fs::remove_all(at("proc"));
  EXPECT_THAT(*changes(before), IsEmpty());
}

TEST_F(Snapshots, AreBoundedByWhatChangedAndNotByWhatWasThere) {
  const Snapshot before = take();
  folder_.write("root/new", "0123456789");
  EXPECT_THAT(*changes(before, {.entries = 1, .total = Bytes{10}}), ElementsAre("new 644 0:0 0123456789"));
  EXPECT_THAT(changes(before, {.total = Bytes{9}}).error().what, HasSubstr("at most 9 bytes"));
  fs::remove(at("etc/other"));
  EXPECT_THAT(changes(before, {.entries = 1}).error().what, HasSubstr("at most 1 files and folders"));
}

}  // namespace
}  // namespace nuclio::oci
