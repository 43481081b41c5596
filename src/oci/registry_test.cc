// SPDX-License-Identifier: Apache-2.0
// Against a real registry that is open to all.
#include "oci/registry.h"

#include <gmock/gmock.h>

#include "oci/test_registry.h"

namespace nuclio::oci {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class OpenRegistry : public testing::Test, protected TestBench {
 protected:
  Result<std::string> read(const std::string& repository, const Blob& blob) {
    return run(registry_.read_blob_text(Repository{repository}, blob, Bytes{64u << 20}, soon()));
  }
  RealRegistry real_{loop};
  Registry registry_{loop, client, keychain, real_.host(), plain_options()};
};

TEST_F(OpenRegistry, KeepsWhatIsPushedToIt) {
  const TestFolder folder;
  const std::string small = noise(5000);
  const std::string large = noise(3'500'000, 2);
  const Blob file = blob_of(large);
  ASSERT_TRUE(run(registry_.ping(soon())));
  for (const auto& [blob, bytes] :
       {std::pair{blob_of(small), std::variant<std::string, BlobFile>(small)},
        std::pair{file, std::variant<std::string, BlobFile>(BlobFile{folder.write("x", large)})},
        std::pair{blob_of(""), std::variant<std::string, BlobFile>(std::string())}}) {
    EXPECT_EQ(run(registry_.has_blob(Repository{"team/app"}, blob.digest, soon())), false);
    auto pushed = run(registry_.upload_blob(Repository{"team/app"}, blob, bytes, soon()));
    ASSERT_TRUE(pushed) << pushed.error().what;
    EXPECT_EQ(run(registry_.has_blob(Repository{"team/app"}, blob.digest, soon())), true);
  }
  EXPECT_EQ(read("team/app", blob_of(small)), small);
  EXPECT_EQ(read("team/app", file), large);
  EXPECT_EQ(read("team/app", blob_of("")), "");
  EXPECT_EQ(real_.open_uploads("team/app"), 0u);
}

TEST_F(OpenRegistry, KeepsManifestsByTagAndDigest) {
  EXPECT_EQ(run(registry_.digest_of(Repository{"a"}, Version{"1"}, soon())), std::nullopt);
  auto pushed = run(push_simple(registry_, "a", "1", noise(1000), soon()));
  ASSERT_TRUE(pushed) << pushed.error().what;
  EXPECT_EQ(run(registry_.digest_of(Repository{"a"}, Version{"1"}, soon())), *pushed);
  for (const std::string& version : {std::string("1"), pushed->text()}) {
    auto found = run(registry_.manifest(Repository{"a"}, Version{version}, soon()));
    ASSERT_TRUE(found) << found.error().what;
    EXPECT_EQ(found->digest, *pushed);
    auto manifest = parse_manifest(found->media_type, found->text);
    ASSERT_TRUE(manifest) << manifest.error().what;
    EXPECT_EQ(std::get<Manifest>(*manifest).layers.size(), 1u);
  }
}

TEST_F(OpenRegistry, RefusesAManifestWhoseBlobsItDoesNotHave) {
  const Manifest manifest = make_manifest(blob_of("config", media::kConfig), {blob_of("layer")});
  auto put = run(registry_.put_manifest(Repository{"a"}, Version{"1"}, manifest.blob(), manifest.text, soon()));
  ASSERT_FALSE(put);
  EXPECT_THAT(put.error().what, HasSubstr("blob unknown to registry"));
  EXPECT_EQ(run(registry_.digest_of(Repository{"a"}, Version{"1"}, soon())), std::nullopt);
}

TEST_F(OpenRegistry, MountsBlobsOfOtherRepositories) {
  const std::string bytes = noise(5000);
  ASSERT_TRUE(run(registry_.upload_blob(Repository{"base"}, blob_of(bytes), bytes, soon())));
  EXPECT_EQ(run(registry_.mount_blob(Repository{"app"}, blob_of(bytes).digest, MountFrom{"base"}, soon())), true);
  EXPECT_EQ(run(registry_.has_blob(Repository{"app"}, blob_of(bytes).digest, soon())), true);
  EXPECT_EQ(run(registry_.mount_blob(Repository{"app"}, blob_of("other").digest, MountFrom{"base"}, soon())), false);
  EXPECT_EQ(real_.open_uploads("app"), 0u);
}

TEST_F(OpenRegistry, IsAskedBeforeTheWorkBeginsAndKeepsNothingOfIt) {
  auto allowed = run(registry_.preflight(Repository{"team/app"}, Deadline::in(std::chrono::seconds{1})));
  EXPECT_TRUE(allowed) << allowed.error().what;
  EXPECT_EQ(real_.open_uploads("team/app"), 0u);
}

TEST_F(OpenRegistry, SaysWhatItDoesNotHave) {
  auto image = run(registry_.manifest(Repository{"team/app"}, Version{"1"}, soon()));
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().why, Why::not_found);
  EXPECT_EQ(image.error().what, "the registry " + real_.host() + " has no image team/app:1; check its name and tag");
  auto blob = read("team/app", blob_of("x"));
  ASSERT_FALSE(blob);
  EXPECT_EQ(blob.error().why, Why::not_found);
  EXPECT_THAT(blob.error().what,
              StartsWith("reading the blob " + blob_of("x").digest.text() + " of " + real_.host() + "/team/app: "));
}

TEST_F(OpenRegistry, RefusesAFileThatIsNotTheBlob) {
  const TestFolder folder;
  auto shorter =
      run(registry_.upload_blob(Repository{"a"}, blob_of("four"), BlobFile{folder.write("x", "two")}, soon()));
  ASSERT_FALSE(shorter);
  EXPECT_THAT(shorter.error().what, HasSubstr("it must have 4 bytes, has 3"));
  auto other =
      run(registry_.upload_blob(Repository{"a"}, blob_of("four"), BlobFile{folder.write("x", "five")}, soon()));
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().what, HasSubstr("provided digest did not match uploaded content"));
  auto missing = run(registry_.upload_blob(Repository{"a"}, blob_of("four"), BlobFile{folder.at("y")}, soon()));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().why, Why::not_found);
}

TEST_F(OpenRegistry, IsNotSpokenToWithoutTlsUnlessThatIsSaid) {
  RegistryOptions options = plain_options();
  options.plain_http = PlainHttp::no;
  Registry registry{loop, client, keychain, real_.host(), options};
  auto answer = run(registry.ping(soon()));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().what, StartsWith("the registry " + real_.host() + ": GET https://"));
  EXPECT_THAT(answer.error().what, HasSubstr("it seems to speak plain HTTP, which must be allowed for this registry"));
}

TEST(UnreachableRegistry, IsFoundOutWithinASecond) {
  TestBench bench;
  const std::string host = "127.0.0.1:" + std::to_string(RealRegistry::free_port(bench.loop));
  Registry registry{bench.loop, bench.client, bench.keychain, host, plain_options()};
  const auto begin = std::chrono::steady_clock::now();
  auto answer = bench.run(registry.preflight(Repository{"team/app"}, Deadline::in(std::chrono::seconds{1})));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{1});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().why, Why::unavailable);
  EXPECT_EQ(answer.error().what, "checking that images may be pushed to " + host + "/team/app: the registry " + host +
                                     ": POST http://" + host + "/v2/team/app/blobs/uploads/: connection refused");
}

}  // namespace
}  // namespace nuclio::oci
