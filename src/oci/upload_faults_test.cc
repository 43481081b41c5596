// SPDX-License-Identifier: Apache-2.0
// What breaks while a blob is uploaded.
#include "oci/test_faults.h"

namespace nuclio::oci {
namespace {

using testing::HasSubstr;
using testing::Not;

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
  auto pushed = run(registry.upload_blob(Repository{"a"}, blob_of(large_), large_, soon()));
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

}  // namespace
}  // namespace nuclio::oci
