// SPDX-License-Identifier: Apache-2.0
// A real registry behind a front that fails.
#include <gmock/gmock.h>

#include <algorithm>

#include "oci/registry.h"
#include "oci/test_registry.h"
#include "oci/transfer.h"

namespace nuclio::oci {
namespace {

using testing::HasSubstr;
using testing::Not;

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

class Faults : public testing::Test, protected TestBench {
 protected:
  int count(std::string_view method) const {
    return static_cast<int>(std::ranges::count_if(
        front_.seen, [&](const std::string& line) { return line.starts_with(std::string(method) + " "); }));
  }
  Result<void> push(const std::string& bytes) { return run(registry_.upload_blob("a", blob_of(bytes), bytes, soon())); }
  Result<std::string> pull(const Blob& blob) {
    return run(registry_.read_blob_text("a", blob, Bytes{64u << 20}, soon()));
  }
  // Without the faults.
  void expect_there(const std::string& bytes) {
    Registry direct{loop, client, keychain, real_.host(), plain_options()};
    EXPECT_EQ(run(direct.read_blob_text("a", blob_of(bytes), Bytes{64u << 20}, soon())), bytes);
  }

  RealRegistry real_{loop};
  http::Client behind_{loop};
  FaultyFront front_{loop, behind_, real_.host()};
  Registry registry_{loop, client, keychain, front_.host(), plain_options()};
  const std::string large_ = noise(3'500'000);
};

TEST_F(Faults, An500OnChunk3IsResumedThere) {
  front_.fault = [this](http::Request& request) {
    if (request.method == "PATCH" && count("PATCH") == 3) return answers(http::Response::text(500, "oh"));
    return Fault{};
  };
  auto pushed = push(large_);
  ASSERT_TRUE(pushed) << pushed.error().what;
  EXPECT_EQ(count("POST"), 1);   // one session
  EXPECT_EQ(count("GET"), 1);    // how far has it come?
  EXPECT_EQ(count("PATCH"), 5);  // four chunks, one of them twice
  expect_there(large_);
}

TEST_F(Faults, AChunkOfWhichHalfArrivedIsNotTakenForWhole) {
  front_.fault = [this](http::Request& request) {
    if (request.method != "PATCH" || count("PATCH") != 2) return Fault{};
    Fault half = answers(http::Response::text(502, "oh"));
    half.passed_on_before = request.body.size() / 2;
    return half;
  };
  auto pushed = push(large_);
  ASSERT_TRUE(pushed) << pushed.error().what;
  expect_there(large_);
}

// Debian's registry cannot go on in the middle of a chunk, so that one which can is played here.
TEST_F(Faults, AChunkOfWhichHalfArrivedIsResumedInTheMiddle) {
  std::string kept;
  front_.fault = [&](http::Request& request) {
    http::Response response = http::Response::text(202, "");
    response.headers.add("Location", "/session");
    if (request.method == "PUT") response.status = 201;
    if (request.method == "GET") response.status = 204;
    if (request.method == "PATCH" && count("PATCH") == 2) {
      kept += request.body.substr(0, request.body.size() / 2);
      response.status = 500;
    } else {
      kept += request.body;
    }
    if (!kept.empty()) response.headers.add("Range", "0-" + std::to_string(kept.size() - 1));
    return answers(std::move(response));
  };
  auto pushed = push(large_);
  ASSERT_TRUE(pushed) << pushed.error().what;
  EXPECT_EQ(count("POST"), 1);
  EXPECT_EQ(kept, large_);
}

TEST_F(Faults, ARegistryThatCannotSayHowFarItHasComeGetsTheUploadAnew) {
  front_.fault = [this](http::Request& request) {
    if (request.method == "PATCH" && count("PATCH") == 3) return answers(http::Response::text(500, "oh"));
    return request.method == "GET" ? answers(http::Response::text(405, "no")) : Fault{};
  };
  auto pushed = push(large_);
  ASSERT_TRUE(pushed) << pushed.error().what;
  EXPECT_EQ(count("POST"), 2);
  expect_there(large_);
}

TEST_F(Faults, AnUploadThatTheRegistryForgotBeginsAnew) {
  front_.fault = [this](http::Request& request) {
    if (request.method == "PATCH" && count("PATCH") == 3) return answers(http::Response::text(404, "oh"));
    return Fault{};
  };
  auto pushed = push(large_);
  ASSERT_TRUE(pushed) << pushed.error().what;
  EXPECT_EQ(count("POST"), 2);
  expect_there(large_);
}

TEST_F(Faults, ConnectionsThatBreakWhileARegistryIsReplacedAreMadeAnew) {
  std::optional<FaultyFront> front;
  front.emplace(loop, behind_, real_.host());
  const std::string host = front->host();
  int parts = 0;
  front->fault = [&](http::Request& request) {
    Fault fault;
    fault.silent = request.method == "PATCH" && ++parts == 3;
    if (fault.silent)
      loop.post([&] {
        front.reset();  // with all its connections
        front.emplace(loop, behind_, real_.host(), nullptr, std::stoi(host.substr(host.find(':') + 1)));
      });
    return fault;
  };
  Registry registry{loop, client, keychain, host, plain_options()};
  auto pushed = run(registry.upload_blob("a", blob_of(large_), large_, soon()));
  ASSERT_TRUE(pushed) << pushed.error().what;
  EXPECT_EQ(parts, 3);
  expect_there(large_);
}

TEST_F(Faults, ARegistryThatTakesNoPartsGetsTheWhole) {
  front_.fault = [](http::Request& request) {
    return request.method == "PATCH" ? answers(http::Response::text(405, "no")) : Fault{};
  };
  auto pushed = push(large_);
  ASSERT_TRUE(pushed) << pushed.error().what;
  EXPECT_EQ(count("PATCH"), 1);
  EXPECT_EQ(count("PUT"), 1);
  expect_there(large_);
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
  auto pull = pull_layers(loop, registry_, "a", image, layout, {}, soon());
  auto done = run(within(loop, Deadline::in(std::chrono::milliseconds{50}), std::move(pull)));
  EXPECT_FALSE(done);
  EXPECT_TRUE(std::filesystem::is_empty(folder.at("blobs/sha256")));
}

TEST_F(Faults, AnEndThatWasTakenWithoutAnAnswerIsFound) {
  front_.fault = [](http::Request& request) {
    if (request.method != "PUT") return Fault{};
    Fault late = answers(http::Response::text(504, "too slow"));
    late.passed_on_before = request.body.size();
    return late;
  };
  for (const std::string& bytes : {large_, noise(1000)}) {
    front_.seen.clear();
    auto pushed = push(bytes);
    ASSERT_TRUE(pushed) << pushed.error().what;
    EXPECT_EQ(count("PUT"), 1);
    EXPECT_EQ(count("HEAD"), 1);
  }
}

TEST_F(Faults, AnUploadThatAlwaysFailsEndsAndSaysHow) {
  front_.fault = [](http::Request& request) {
    if (request.method == "PATCH")
      return answers(http::Response::json(503, R"({"errors":[{"message":"no space left"}]})"));
    return Fault{};
  };
  auto pushed = push(large_);
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().why, Why::unavailable);
  EXPECT_THAT(pushed.error().what, HasSubstr("pushing the blob " + blob_of(large_).digest.text()));
  EXPECT_THAT(pushed.error().what, HasSubstr("answered with status 503 to PATCH http://"));
  EXPECT_THAT(pushed.error().what, HasSubstr(": no space left"));
  EXPECT_THAT(pushed.error().what, Not(HasSubstr("_state")));  // the session's secret
  EXPECT_EQ(count("PATCH"), 3);
}

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
    auto found = run(registry_.manifest("a", version, soon()));
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
  EXPECT_EQ(run(registry_.digest_of("a", "1", soon())), std::nullopt);
  EXPECT_EQ(front_.seen.size(), 3u);
}

TEST_F(Faults, ARegistryThatLimitsUsForLongerThanWeHaveIsNotWaitedFor) {
  front_.fault = [](http::Request&) {
    http::Response response = http::Response::json(429, R"({"errors":[{"code":"TOOMANYREQUESTS"}]})");
    response.headers.add("Retry-After", "3600");
    return answers(std::move(response));
  };
  auto found = run(registry_.manifest("a", "1", soon()));
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
  auto allowed = run(registry_.preflight("a", Deadline::in(std::chrono::milliseconds{100})));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{1});
  ASSERT_FALSE(allowed);
  EXPECT_EQ(allowed.error().why, Why::timeout);
}

}  // namespace
}  // namespace nuclio::oci
