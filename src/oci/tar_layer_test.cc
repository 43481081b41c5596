// SPDX-License-Identifier: Apache-2.0
#include "oci/tar_layer.h"

#include <gmock/gmock.h>

#include "oci/archive_reader.h"
#include "oci/tar_writer.h"
#include "oci/test_gzip.h"
#include "oci/test_program.h"

namespace nuclio::oci {
namespace {

using testing::HasSubstr;

class TarLayers : public testing::Test, protected TestBench {
 protected:
  Result<Layer> write(const std::string& tar, Bytes most = Bytes{1u << 20}) {
    return run(write_tar_layer(loop, layout_, tar, most));
  }
  // A tar by tar itself, with an owner, a mode and a hard link, which our own writer does not make.
  std::string tar_of_a_folder() {
    folder_.write("root/bin/tool", "#!/bin/sh\n");
    std::filesystem::create_hard_link(folder_.at("root/bin/tool"), folder_.at("root/bin/same"));
    tar({"-C", folder_.at("root"), "--owner=65532", "--group=65532", "--mode=0750", "--mtime=@7", "--sort=name",
         "bin"});
    return folder_.at("made.tar");
  }
  void tar(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"tar", "-cf", folder_.at("made.tar")});
    const Ran ran = run(run_program(loop, std::move(arguments)));
    EXPECT_TRUE(ran.ok) << ran.output;
  }

  TestFolder folder_;
  Layout layout_ = *Layout::create(folder_.at("layout"));
};

TEST_F(TarLayers, KeepTheTarAsItIs) {
  const std::string tar = tar_of_a_folder();
  auto layer = write(tar);
  ASSERT_TRUE(layer) << layer.error().what;
  EXPECT_EQ(layer->diff_id, Digest::of(folder_.read("made.tar")));
  EXPECT_EQ(layer->blob.media_type, media::kLayerGzip);
  EXPECT_TRUE(layout_.has(layer->blob));

  auto reader = ArchiveReader::open(layout_.path(layer->blob.digest));
  ASSERT_TRUE(reader) << reader.error().what;
  auto folder = reader->next();
  ASSERT_TRUE(folder && *folder);
  auto first = reader->next();
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->name, "bin/same");
  EXPECT_EQ((*first)->owner, 65532);
  EXPECT_EQ((*first)->mode, 0750);
  EXPECT_EQ((*first)->modified, ImageTime{std::chrono::seconds{7}});
  auto second = reader->next();
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->kind, ArchiveEntry::Kind::hard_link);
}

TEST_F(TarLayers, AreTheSameWhateverTheTarWasCompressedWith) {
  auto plain = write(tar_of_a_folder());
  auto compressed = write(folder_.write("made.tar.gz", gzipped(folder_.read("made.tar"))));
  ASSERT_TRUE(plain && compressed);
  EXPECT_EQ(plain->blob, compressed->blob);
  EXPECT_EQ(plain->diff_id, compressed->diff_id);
}

TEST_F(TarLayers, RefuseWhatARootFileSystemMustNotHave) {
  ASSERT_EQ(::mkfifo(folder_.at("pipe").c_str(), 0600), 0);
  tar({"-C", folder_.path(), "pipe"});
  auto layer = write(folder_.at("made.tar"));
  ASSERT_FALSE(layer);
  EXPECT_EQ(layer.error().why, Why::invalid);
  EXPECT_THAT(layer.error().what, HasSubstr("files, folders and links only, and pipe is none of these"));
}

TEST_F(TarLayers, RefuseWhatIsDamagedOrTooLarge) {
  const std::string tar = tar_of_a_folder();
  auto large = write(tar, Bytes{1000});
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().why, Why::too_large);
  auto damaged = write(folder_.write("damaged.tar", folder_.read("made.tar").substr(0, 1300)));
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().why, Why::invalid);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.at("layout/blobs/sha256")));
}

}  // namespace
}  // namespace nuclio::oci
