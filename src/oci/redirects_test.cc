// SPDX-License-Identifier: Apache-2.0
// Where a registry may lead us, and what we show there.
#include <gmock/gmock.h>

#include "base/base64.h"
#include "oci/registry.h"
#include "oci/test_registry.h"

namespace nuclio::oci {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

http::Response redirect(const std::string& to) {
  http::Response response = http::Response::text(307, "");
  response.headers.add("Location", to);
  return response;
}

// A registry of one blob, kept elsewhere.
class Redirects : public testing::Test, protected TestBench {
 protected:
  Redirects() {
    keychain.add_login(front_.host(), {.user = "tester", .password = "open sesame", .source = "the test"});
    store_.fault = [this](http::Request& request) {
      shown_.emplace_back(request.headers.get("Authorization"));
      return answers(http::Response::text(200, bytes_));
    };
    front_.fault = [this](http::Request& request) {
      if (request.headers.get("Authorization").empty()) {
        http::Response response = http::Response::text(401, "");
        response.headers.add("WWW-Authenticate", "Basic realm=\"x\"");
        return answers(std::move(response));
      }
      if (request.path == "/here") return answers(http::Response::text(200, bytes_));
      return answers(redirect(to_));
    };
  }
  Result<std::string> pull() {
    return run(registry_.read_blob_text(Repository{"a"}, blob_of(bytes_), Bytes{1000}, soon()));
  }

  const std::string bytes_ = "the blob";
  http::Client behind_{loop};
  FaultyFront store_{loop, behind_, ""};
  FaultyFront front_{loop, behind_, ""};
  Registry registry_{loop, client, keychain, front_.host(), plain_options()};
  std::string to_ = "http://" + store_.host() + "/blob?token=abc";
  std::vector<std::string> shown_;
};

TEST_F(Redirects, AreFollowedWithoutTheLogin) {
  EXPECT_EQ(pull(), bytes_);
  EXPECT_THAT(shown_, ElementsAre(""));
}

TEST_F(Redirects, OnTheRegistryItselfKeepTheLogin) {
  to_ = "/here";
  EXPECT_EQ(pull(), bytes_);
}

TEST_F(Redirects, ARegistryThatRepeatsTheLoginIsNotQuoted) {
  front_.fault = [](http::Request& request) {
    const std::string shown(request.headers.get("Authorization"));
    http::Response response = http::Response::json(
        shown.empty() ? 401 : 400, R"({"errors":[{"message":"you sent )" + shown + R"(, open sesame"}]})");
    response.headers.add("WWW-Authenticate", "Basic realm=\"x\"");
    return answers(std::move(response));
  };
  auto pulled = pull();
  ASSERT_FALSE(pulled);
  EXPECT_THAT(pulled.error().what, HasSubstr("you sent Basic ***, ***"));
}

TEST_F(Redirects, FromARegistryHereDoNotLeadToLinkLocalAddresses) {
  to_ = "http://169.254.169.254/latest/meta-data";
  auto pulled = pull();
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().why, Why::forbidden) << pulled.error().what;
}

TEST_F(Redirects, EndAfterFive) {
  to_ = "/there";
  auto pulled = pull();
  ASSERT_FALSE(pulled);
  EXPECT_THAT(pulled.error().what, HasSubstr("it redirects GET more than 5 times"));
}

TEST_F(Redirects, ToWhatIsNoWebAddressAreNotFollowed) {
  for (const std::string& to : {std::string("file:///etc/passwd"), std::string("ftp://x/"),
                                std::string("http://u:p@x/"), std::string("http://"), std::string("there")}) {
    to_ = to;
    auto pulled = pull();
    ASSERT_FALSE(pulled) << to;
    EXPECT_EQ(pulled.error().why, Why::invalid) << pulled.error().what;
    EXPECT_THAT(pulled.error().what, HasSubstr("is redirected: a URL must"));
  }
}

// The registry has a name that does not say that it is here, as one of a stranger's.
TEST_F(Redirects, FromARegistryElsewhereDoNotLeadHere) {
  const std::string port = front_.host().substr(front_.host().find(':'));
  Keychain keychain;
  const std::string name = "0.0.0.0" + port;  // leads here, and is no name of loopback
  keychain.add_login(name, {.user = "tester", .password = "open sesame", .source = "the test"});
  Registry registry{loop, client, keychain, name, plain_options()};
  for (const std::string& to :
       {to_, std::string("http://169.254.169.254/latest"), "http://localhost" + port + "/here"}) {
    const std::string kept = std::exchange(to_, to);
    auto pulled = run(registry.read_blob_text(Repository{"a"}, blob_of(bytes_), Bytes{1000}, soon()));
    to_ = kept;
    ASSERT_FALSE(pulled) << to;
    EXPECT_EQ(pulled.error().why, Why::forbidden) << pulled.error().what;
    EXPECT_THAT(pulled.error().what, HasSubstr("leads to an address that only this machine reaches"));
  }
  EXPECT_THAT(shown_, ElementsAre());
}

TEST_F(Redirects, TokenServersElsewhereAreNotLookedForHere) {
  const std::string port = front_.host().substr(front_.host().find(':'));
  Registry registry{loop, client, keychain, "0.0.0.0" + port, plain_options()};
  front_.fault = [this](http::Request&) {
    http::Response response = http::Response::text(401, "");
    response.headers.add("WWW-Authenticate", "Bearer realm=\"http://" + store_.host() + "/token\"");
    return answers(std::move(response));
  };
  auto answer = run(registry.ping(soon()));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().why, Why::forbidden) << answer.error().what;
  EXPECT_THAT(shown_, ElementsAre());
}

}  // namespace
}  // namespace nuclio::oci
