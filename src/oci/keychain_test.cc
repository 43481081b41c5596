// SPDX-License-Identifier: Apache-2.0
#include "oci/keychain.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "oci/test_registry.h"

namespace nuclio::oci {
namespace {

using testing::HasSubstr;
using testing::Not;

// Who logs in where, by a docker config: "user:password", or "".
std::string found(const std::string& config, const std::string& host, const std::string& repository) {
  auto parsed = parse_docker_config(config, "config.json");
  EXPECT_TRUE(parsed) << parsed.error().what;
  const Login* login = parsed ? parsed->find(host, Repository{repository}) : nullptr;
  return login ? login->user + ":" + login->password : "";
}

std::string auths(std::initializer_list<std::pair<std::string, std::string>> logins) {
  std::string text;
  for (const auto& [key, user] : logins)
    text += (text.empty() ? "\"" : ",\"") + key + R"(":{"auth":")" + encode_base64(user + ":x") + "\"}";
  return R"({"auths":{)" + text + "}}";
}

TEST(DockerConfig, FindsTheLoginThatSaysMost) {
  const std::string config = auths({{"https://index.docker.io/v1/", "hub"},
                                    {"Reg.io", "reg"},
                                    {"reg.io/team", "team"},
                                    {"https://reg.io/team/app/", "app"},
                                    {"*.example.com", "any"},
                                    {"a.example.com", "a"},
                                    {"*.*.example.com:5000", "deep"},
                                    {"http://localhost:5000/v2/", "local"}});
  const struct {
    std::string host, repository, login;
  } table[] = {
      {"docker.io", "library/python", "hub:x"},
      {"reg.io", "other/app", "reg:x"},
      {"reg.io", "team", "team:x"},
      {"reg.io", "team/other", "team:x"},
      {"reg.io", "teams/other", "reg:x"},
      {"reg.io", "team/app", "app:x"},
      {"reg.io:5000", "team/app", ""},
      {"b.example.com", "x", "any:x"},
      {"a.example.com", "x", "a:x"},
      {"a.b.example.com", "x", ""},
      {"a.b.example.com:5000", "x", "deep:x"},
      {"example.com", "x", ""},
      {"localhost:5000", "x", "local:x"},
      {"evil-reg.io", "team", ""},
  };
  for (const auto& item : table)
    EXPECT_EQ(found(config, item.host, item.repository), item.login) << item.host << "/" << item.repository;
}

TEST(DockerConfig, TakesEachFormOfALogin) {
  EXPECT_EQ(found(R"({"auths":{"r":{"username":"a","password":"b:c"}}})", "r", "x"), "a:b:c");
  EXPECT_EQ(found(R"({"r":{"auth":"YTpiOmM=","email":"a@b"}})", "r", "x"), "a:b:c");         // a legacy dockercfg
  EXPECT_EQ(found(R"({"auths":{"r":{"auth":"YTpiAAA="}}})", "r", "x"), "a:b");               // padded
  EXPECT_EQ(found(R"({"auths":{"r":{}},"credsStore":"desktop"})", "r", "x"), "");            // kept by a helper
  EXPECT_EQ(found(R"({"HttpHeaders":{"User-Agent":"x"},"detachKeys":"a"})", "r", "x"), "");  // no login at all
  EXPECT_EQ(found(R"({"auths":null})", "r", "x"), "");
  auto tokens = parse_docker_config(R"({"auths":{"r":{"auth":"YTpi","identitytoken":"i","registrytoken":"t"}}})", "c");
  ASSERT_TRUE(tokens);
  EXPECT_EQ(tokens->find("r", Repository{"x"})->identity_token, "i");
  EXPECT_EQ(tokens->find("r", Repository{"x"})->registry_token, "t");
}

TEST(DockerConfig, SaysWhatIsWrongAndNeverTheSecret) {
  const struct {
    std::string text, message;
  } table[] = {
      {R"({"auths":{"r":{"auth":"canary!"}}})", R"(c.json: "r": auth must be "user:password" as base64)"},
      {R"({"auths":{"r":{"auth":"Y2FuYXJ5"}}})", R"(c.json: "r": auth must be "user:password" as base64)"},
      {R"({"auths":{"r":"canary"}})", R"(c.json: the login for "r" must be an object)"},
      {R"({"auths":["canary"]})", R"(c.json: "auths" must be an object)"},
      {R"(["canary"])", "c.json: must be a JSON object"},
      {R"({"auths":canary})", "c.json: JSON is not valid at line 1, column 10: syntax error"},
  };
  for (const auto& item : table) {
    auto parsed = parse_docker_config(item.text, "c.json");
    ASSERT_FALSE(parsed) << item.text;
    EXPECT_EQ(parsed.error().what, item.message);
  }
}

class Helpers : public testing::Test, protected TestBench {
 protected:
  Helpers() : path_(std::getenv("PATH")) { ::setenv("PATH", (folder_.path() + ":" + path_).c_str(), 1); }
  ~Helpers() override { ::setenv("PATH", path_.c_str(), 1); }

  void write_helper(const std::string& name, const std::string& script) {
    const std::string path = folder_.write("docker-credential-" + name, "#!/bin/sh\n" + script);
    ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
  }
  Result<std::optional<Login>> find(const std::string& config, const std::string& host, Deadline deadline) {
    Keychain keychain{{"PATH=/usr/bin:/bin", "SECRET_PLACE=here"}};
    EXPECT_TRUE(keychain.add_docker_config(folder_.write("config.json", config)));
    return run(keychain.find(loop, host, Repository{"team/app"}, deadline));
  }
  Result<std::optional<Login>> find(const std::string& config, const std::string& host) {
    return find(config, host, soon());
  }

  TestFolder folder_;
  std::string path_;
};

TEST_F(Helpers, AreAskedForTheRegistry) {
  write_helper("store", R"(read -r host; echo "$1 $host $SECRET_PLACE $#" > ")" + folder_.at("asked") + R"("
echo '{"ServerURL":"x","Username":"me","Secret":"open sesame"}')");
  write_helper("other", R"(echo '{"Username":"<token>","Secret":"refresh me"}')");
  const std::string config = R"({"credsStore":"store","credHelpers":{"gcr.io":"other"}})";
  auto login = find(config, "reg.io:5000");
  ASSERT_TRUE(login) << login.error().what;
  EXPECT_EQ((*login)->user, "me");
  EXPECT_EQ((*login)->password, "open sesame");
  EXPECT_EQ((*login)->source, "docker-credential-store");
  EXPECT_EQ(folder_.read("asked"), "get reg.io:5000 here 1\n");
  ASSERT_TRUE(find(config, "docker.io"));
  EXPECT_EQ(folder_.read("asked"), "get https://index.docker.io/v1/ here 1\n");
  login = find(config, "gcr.io");
  ASSERT_TRUE(login) << login.error().what;
  EXPECT_EQ((*login)->identity_token, "refresh me");
}

TEST_F(Helpers, ThatKnowNothingLeaveItToTheFile) {
  write_helper("store", "echo 'credentials not found in native keychain'; exit 1");
  auto login = find(R"({"credsStore":"store","auths":{"reg.io":{"auth":"YTpi"}}})", "reg.io");
  ASSERT_TRUE(login) << login.error().what;
  EXPECT_EQ((*login)->user, "a");
  login = find(R"({"credsStore":"store"})", "reg.io");
  ASSERT_TRUE(login) << login.error().what;
  EXPECT_FALSE(*login);
}

TEST_F(Helpers, ThatFailAreNamedAndNotQuoted) {
  write_helper("fails", "echo canary; echo canary >&2; exit 3");
  write_helper("babbles", "echo canary");
  write_helper("floods", "exec yes canary");
  write_helper("hangs", "exec sleep 60");
  const struct {
    std::string helper, message;
    Why why;
  } table[] = {
      {"fails", "it exited with code 3; run it by hand to see why: echo reg.io | docker-credential-fails get",
       Why::unavailable},
      {"babbles", "its answer must be a JSON object with Username and Secret, and is not", Why::unavailable},
      {"floods", "it answered more than 64 KiB", Why::unavailable},
      {"hangs", "it did not answer in time", Why::timeout},
      {"missing", "there is no such program in PATH", Why::not_found},
      {"../evil", "the name of a credential helper must be letters", Why::invalid},
  };
  for (const auto& item : table) {
    const Deadline deadline = item.why == Why::timeout ? Deadline::in(std::chrono::milliseconds{300}) : soon();
    auto login = find(R"({"credsStore":")" + item.helper + "\"}", "reg.io", deadline);
    ASSERT_FALSE(login) << item.helper;
    EXPECT_EQ(login.error().why, item.why) << login.error().what;
    EXPECT_THAT(login.error().what, HasSubstr(item.message));
    EXPECT_THAT(login.error().what, HasSubstr(folder_.at("config.json")));
    EXPECT_THAT(login.error().what, Not(HasSubstr("canary")));
  }
}

TEST_F(Helpers, AreNotRunForASecret) {
  write_helper("store", "touch " + folder_.at("ran") + R"(; echo '{"Username":"a","Secret":"b"}')");
  Keychain keychain;
  ASSERT_TRUE(
      keychain.add_pull_secret("media/registry", R"({"auths":{},"credsStore":"store","credHelpers":{"r":"store"}})"));
  auto login = run(keychain.find(loop, "r", Repository{"x"}, soon()));
  ASSERT_TRUE(login);
  EXPECT_FALSE(*login);
  EXPECT_FALSE(folder_.has("ran"));
}

TEST(Keychain, AsksFirstWhatWasAddedFirst) {
  TestBench bench;
  Keychain keychain;
  keychain.add_login("r", {.user = "given", .password = "x", .source = "--registry-user"});
  ASSERT_TRUE(keychain.add_pull_secret("media/a", auths({{"r", "a"}, {"s", "a"}})));
  ASSERT_TRUE(keychain.add_pull_secret("media/b", auths({{"s", "b"}, {"t", "b"}})));
  for (const auto& [host, user] : {std::pair{"r", "given"}, std::pair{"s", "a"}, std::pair{"t", "b"}})
    EXPECT_EQ((*bench.run(keychain.find(bench.loop, host, Repository{"x"}, bench.soon())))->user, user);
  EXPECT_EQ(keychain.places(), "--registry-user, the secret media/a and the secret media/b");
}

TEST(DockerConfigPath, IsWhereDockerKeepsIt) {
  EXPECT_EQ(docker_config_path({"HOME=/home/me"}), "/home/me/.docker/config.json");
  EXPECT_EQ(docker_config_path({"HOME=/home/me", "DOCKER_CONFIG=/etc/d"}), "/etc/d/config.json");
  EXPECT_EQ(docker_config_path({"A=b"}), "");
}

}  // namespace
}  // namespace nuclio::oci
