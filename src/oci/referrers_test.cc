// SPDX-License-Identifier: Apache-2.0
// Artifacts beside images, in a registry without the API for them, and in one that plays it.
#include "oci/referrers.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "oci/test_registry.h"

namespace nuclio::oci {
namespace {

using testing::HasSubstr;

const Attachment kAttachment{"application/spdx+json", "app.spdx.json", R"({"spdxVersion":"SPDX-2.3"})"};

TEST(ArtifactManifest, NamesItsSubjectAndItsType) {
  const std::string text = artifact_manifest(blob_of("image", media::kManifest), kAttachment);
  EXPECT_THAT(text, HasSubstr(R"("artifactType":"application/spdx+json")"));
  EXPECT_THAT(text, HasSubstr(R"("subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
                              Digest::of("image").text() + R"(","size":5})"));
  EXPECT_TRUE(parse_manifest(media::kManifest, text));
}

TEST(AddReferrer, KeepsWhatOthersHaveListed) {
  const Blob artifact = blob_of("artifact", media::kManifest);
  const std::string theirs =
      R"({"schemaVersion":2,"manifests":[{"digest":")" + Digest::of("theirs").text() + R"(","more":[1]}]})";
  auto list = add_referrer(theirs, artifact, kAttachment);
  ASSERT_TRUE(list) << list.error().what;
  EXPECT_THAT(*list, HasSubstr(R"("more":[1])"));
  EXPECT_THAT(*list, HasSubstr(artifact.digest.text()));
  auto again = add_referrer(*list, artifact, kAttachment);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *list);
}

TEST(AddReferrer, RefusesWhatIsNoIndex) {
  for (const char* text : {"{", "[]", R"({"manifests":{}})"})
    EXPECT_EQ(add_referrer(text, blob_of("artifact"), kAttachment).error().why, Why::invalid) << text;
}

class Attaching : public testing::Test, protected TestBench {
 protected:
  Attaching() {
    auto pushed = run(push_simple(registry_, "app", "1", "layer", soon()));
    EXPECT_TRUE(pushed) << pushed.error().what;
    auto found = run(registry_.manifest(Repository{"app"}, Version{"1"}, soon()));
    subject_ = blob_of(found->text, found->media_type);
    front_.seen.clear();
  }
  Result<AttachReport> attach() { return run(referrers_.attach(Repository{"app"}, subject_, kAttachment, soon())); }
  std::ptrdiff_t changes() const {
    return std::ranges::count_if(
        front_.seen, [](const std::string& each) { return !each.starts_with("HEAD") && !each.starts_with("GET"); });
  }

  RealRegistry real_{loop};
  http::Client behind_{loop};
  FaultyFront front_{loop, behind_, real_.host()};
  Registry registry_{loop, client, keychain, front_.host(), plain_options()};
  Referrers referrers_{loop, client, keychain, front_.host(), plain_options()};
  Blob subject_ = blob_of("");
};

TEST_F(Attaching, PutsTheArtifactInTheRegistryAndListsItUnderATag) {
  auto report = attach();
  ASSERT_TRUE(report) << report.error().what;
  auto list = run(registry_.manifest(Repository{"app"}, Version{referrers_tag(subject_.digest)}, soon()));
  ASSERT_TRUE(list) << list.error().what;
  EXPECT_EQ(list->media_type, media::kIndex);
  EXPECT_THAT(list->text, HasSubstr(report->digest.text()));
  auto artifact = run(registry_.manifest(Repository{"app"}, Version{report->digest.text()}, soon()));
  ASSERT_TRUE(artifact) << artifact.error().what;
  auto parsed = parse_manifest(artifact->media_type, artifact->text);
  ASSERT_TRUE(parsed) << parsed.error().what;
  const Blob layer = std::get<Manifest>(*parsed).layers.at(0);
  EXPECT_EQ(run(registry_.read_blob_text(Repository{"app"}, layer, Bytes{1000}, soon())), kAttachment.bytes);
}

TEST_F(Attaching, SendsNothingTheSecondTime) {
  auto first = attach();
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_EQ(first->sent.count, kAttachment.bytes.size() + 2);
  front_.seen.clear();
  auto second = attach();
  ASSERT_TRUE(second) << second.error().what;
  EXPECT_EQ(second->digest, first->digest);
  EXPECT_EQ(second->sent.count, 0u);
  EXPECT_EQ(changes(), 0);
}

TEST_F(Attaching, MakesNoTagWhereTheRegistryListsArtifactsItself) {
  front_.fault = [](http::Request& request) -> Fault {
    if (request.path.find("/referrers/") == std::string_view::npos) return {};
    return answers(http::Response::text(200, R"({"schemaVersion":2,"manifests":[]})"));
  };
  auto report = attach();
  ASSERT_TRUE(report) << report.error().what;
  auto list = run(registry_.manifest(Repository{"app"}, Version{referrers_tag(subject_.digest)}, soon()));
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().why, Why::not_found);
}

}  // namespace
}  // namespace nuclio::oci
