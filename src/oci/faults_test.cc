// SPDX-License-Identifier: Apache-2.0
// What breaks while something is read, and registries that have no time for us.
#include "oci/test_faults.h"
#include "oci/transfer.h"

namespace nuclio::oci {
namespace {

using testing::HasSubstr;

// A body that breaks in the middle.
class Breaking final : public http::BodySource {
 public:
  explicit Breaking(std::string text) : text_(std::move(text)) {}
  Task<Result<std::optional<std::string>>> next() override {
    if (text_.empty()) co_return fail(Why::unavailable, "broken");
    co_return std::optional<std::string>(std::exchange(text_, {}));
  }

 private:
  std::string text_;
};

TEST_F(Faults, ABrokenDownloadGoesOnWhereItBroke) {
  ASSERT_TRUE(push(large_));
  front_.fault = [this](http::Request& request) {
    if (request.method != "GET" || count("GET") > 2) return Fault{};
    const std::string_view range = request.headers.get("Range");
    const std::size_t begin = range.empty() ? 0 : std::stoul(std::string(range.substr(6)));
    http::Response response;
    if (begin > 0) {
      response.status = 206;
      response.headers.add("Content-Range", "bytes " + std::to_string(begin) + "-3499999/3500000");
    }
    response.body = std::make_unique<Breaking>(large_.substr(begin, 1'500'000));
    return answers(std::move(response));
  };
  auto pulled = pull(blob_of(large_));
  ASSERT_TRUE(pulled) << pulled.error().what;
  EXPECT_EQ(*pulled, large_);
  EXPECT_EQ(count("GET"), 3);
}

TEST_F(Faults, ADownloadThatBeginsAgainFromTheStartIsNotTakenTwice) {
  ASSERT_TRUE(push(large_));
  front_.fault = [this](http::Request& request) {
    if (request.method != "GET") return Fault{};
    http::Response response;
    response.body =
        count("GET") == 1 ? http::Body(std::make_unique<Breaking>(large_.substr(0, 2'000'000))) : http::Body(large_);
    return answers(std::move(response));
  };
  EXPECT_EQ(pull(blob_of(large_)), large_);
}

TEST_F(Faults, ATruncatedBlobIsNoticed) {
  ASSERT_TRUE(push(large_));
  front_.fault = [this](http::Request& request) {
    if (request.method != "GET") return Fault{};
    return answers(http::Response::text(200, large_.substr(0, 1000)));
  };
  auto pulled = pull(blob_of(large_));
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().what, "reading the blob " + blob_of(large_).digest.text() + " of " + front_.host() +
                                     "/a: it ended after 1000 of 3500000 bytes");
}

TEST_F(Faults, ABlobWithOtherBytesIsNoticed) {
  const std::string bytes = noise(1000);
  front_.fault = [](http::Request&) { return answers(http::Response::text(200, noise(1000, 2))); };
  auto pulled = pull(blob_of(bytes));
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().why, Why::invalid);
  EXPECT_THAT(pulled.error().what, HasSubstr("its bytes have the digest " + blob_of(noise(1000, 2)).digest.text()));
  front_.fault = [](http::Request&) { return answers(http::Response::text(200, noise(1001, 1))); };
  pulled = pull(blob_of(bytes));
  ASSERT_FALSE(pulled);
  EXPECT_THAT(pulled.error().what, HasSubstr("it must have 1000 bytes, and more come"));
}

TEST_F(Faults, AManifestWithOtherBytesIsNoticed) {
  front_.fault = [](http::Request&) {
    http::Response response = http::Response::text(200, "{}", media::kManifest);
    response.headers.add("Docker-Content-Digest", Digest::of("other").text());
    return answers(std::move(response));
  };
  for (const std::string& version : {std::string("1"), Digest::of("x").text()}) {
    auto found = run(registry_.manifest(Repository{"a"}, Version{version}, soon()));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().why, Why::invalid);
    EXPECT_THAT(found.error().what, HasSubstr("gave other bytes for a"));
  }
}

TEST_F(Faults, ARegistryThatLimitsUsIsAskedAgainWhenItSays) {
  front_.fault = [this](http::Request& request) {
    if (front_.seen.size() > 2) return Fault{};
    http::Response response = http::Response::json(429, R"({"errors":[{"code":"TOOMANYREQUESTS"}]})");
    if (request.method == "HEAD") response.body = std::string();
    response.headers.add("Retry-After", "0");
    return answers(std::move(response));
  };
  EXPECT_EQ(run(registry_.digest_of(Repository{"a"}, Version{"1"}, soon())), std::nullopt);
  EXPECT_EQ(front_.seen.size(), 3u);
}

TEST_F(Faults, ARegistryThatLimitsUsForLongerThanWeHaveIsNotWaitedFor) {
  front_.fault = [](http::Request&) {
    http::Response response = http::Response::json(429, R"({"errors":[{"code":"TOOMANYREQUESTS"}]})");
    response.headers.add("Retry-After", "3600");
    return answers(std::move(response));
  };
  auto found = run(registry_.manifest(Repository{"a"}, Version{"1"}, soon()));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().why, Why::busy);
  EXPECT_THAT(found.error().what, HasSubstr("TOOMANYREQUESTS; it limits how often it may be asked"));
  EXPECT_EQ(front_.seen.size(), 1u);
}

TEST_F(Faults, ARegistryThatSaysNothingIsGivenUpAtTheDeadline) {
  front_.fault = [](http::Request&) {
    Fault silent;
    silent.silent = true;
    return silent;
  };
  const auto begin = std::chrono::steady_clock::now();
  auto allowed = run(registry_.preflight(Repository{"a"}, Deadline::in(std::chrono::milliseconds{100})));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{1});
  ASSERT_FALSE(allowed);
  EXPECT_EQ(allowed.error().why, Why::timeout);
}

TEST_F(Faults, ACancelledDownloadLeavesNothingBehind) {
  ASSERT_TRUE(push(large_));
  front_.fault = [](http::Request& request) {
    Fault silent;
    silent.silent = request.method == "GET";
    return silent;
  };
  const TestFolder folder;
  const Layout layout = *Layout::create(folder.path());
  const Image image{make_manifest(blob_of("c"), {blob_of(large_), blob_of("x")}), ""};
  auto pull = pull_layers(loop, registry_, Repository{"a"}, image, layout, {}, soon());
  auto done = run(within(loop, Deadline::in(std::chrono::milliseconds{50}), std::move(pull)));
  EXPECT_FALSE(done);
  EXPECT_TRUE(std::filesystem::is_empty(folder.at("blobs/sha256")));
}

}  // namespace
}  // namespace nuclio::oci
