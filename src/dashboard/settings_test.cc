// SPDX-License-Identifier: Apache-2.0
#include "dashboard/settings.h"

#include <gmock/gmock.h>

#include "base/test_folder.h"
#include "dashboard/guard.h"
#include "dashboard/instance.h"

namespace nuclio::dashboard {
namespace {

using ::testing::HasSubstr;

Result<Settings> read(std::vector<std::string> arguments, std::vector<std::string> environment = {"HOME=/home/ada"}) {
  return read_settings(arguments, environment, "/opt/bin");
}

TEST(DashboardSettings, ComeFromFlagsThenTheEnvironmentThenDefaults) {
  auto settings = read({});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->listen.text(), "127.0.0.1:8070");
  EXPECT_EQ(settings->home, "/home/ada/.nuclio");
  EXPECT_EQ(settings->processor(), "/opt/bin/processor");
  settings = read({"--listen-addr=localhost:1", "-namespace", "n", "--ready-fd", "7"},
                  {"NUCLIO_HOME=/data/../n", "NUCLIO_DASHBOARD_LISTEN_ADDR=127.0.0.1:2"});
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_EQ(settings->listen.port, 1);
  EXPECT_EQ(settings->home, "/n");
  EXPECT_EQ(settings->namespace_name, "n");
  EXPECT_EQ(settings->ready_descriptor, 7);
  EXPECT_EQ(read({}, {"NUCLIO_HOME=/n", "NUCLIO_DASHBOARD_LISTEN_ADDR=:0"})->listen.text(), "127.0.0.1:0");
}

TEST(DashboardSettings, SayWhatIsWrong) {
  struct Case {
    std::vector<std::string> arguments;
    const char* complaint;
  };
  for (const Case& each :
       {Case{{"--listen-adr", "x"}, "unknown argument \"--listen-adr\"; did you mean \"listen-addr\"?"},
        Case{{"--namespace"}, "--namespace needs a value"}, Case{{"--namespace", "Bad_Name"}, "--namespace: "},
        Case{{"--listen-addr", "0.0.0.0:8070"}, "say by --auth-kind how callers show who they are"},
        Case{{"--listen-addr", "unix:/x"}, "listen on this machine alone"},
        Case{{"--listen-addr", "0.0.0.0:8070", "--auth-kind", "none"}, "say by --auth-kind"},
        Case{{"--auth-kind", "iguazio"}, "--auth-kind: must be of basic, tokens, oidc and kubernetes"},
        Case{{"--auth-kind", "none,basic"}, "none stands alone"},
        Case{{"--auth-kind", "kubernetes"}, "is for --platform kube"}, Case{{"--tls-key", "k"}, "go together"},
        Case{{"--ready-fd", "one"}, "must be the number of an open descriptor"},
        Case{{"stray"}, "unknown argument \"stray\""}}) {
    auto settings = read(each.arguments);
    ASSERT_FALSE(settings) << each.complaint;
    EXPECT_THAT(settings.error().what, HasSubstr(each.complaint));
  }
  EXPECT_FALSE(read({}, {}));
}

TEST(DashboardSettings, FindTheClusterThatTheyAreIn) {
  const std::vector<std::string> pod{"HOME=/", "KUBERNETES_SERVICE_HOST=10.96.0.1"};
  EXPECT_EQ(read({}, pod).error().why, Why::forbidden) << "all addresses, and nobody is asked";
  EXPECT_TRUE(read({"--auth-kind", "none"}, pod)) << "something in front of it may ask";
  EXPECT_EQ(read({"--listen-addr", "0.0.0.0:1", "--auth-kind", "tokens"})->listen.text(), "0.0.0.0:1");
  EXPECT_EQ(read({"--listen-addr", ":1", "--auth-kind", "tokens"})->listen.text(), ":1");
  auto settings = read({"--external-ip-addresses", "192.0.2.1,192.0.2.2", "--auth-kind", "kubernetes"}, pod);
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_EQ(settings->platform, PlatformChoice::kube);
  EXPECT_EQ(settings->listen.text(), ":8070");
  EXPECT_EQ(settings->external_addresses, (std::vector<std::string>{"192.0.2.1", "192.0.2.2"}));
  EXPECT_EQ(read({"--platform", "process"}, pod).error().why, Why::forbidden) << "all addresses, and programs to run";
  settings = read({"--platform=kube", "--listen-addr", "private"});
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_TRUE(settings->private_socket);
  EXPECT_EQ(read({"--platform=process", "--listen-addr", "private"}).error().why, Why::invalid);
  EXPECT_EQ(read({"--platform=kube", "--listen-addr", "0.0.0.0:1"}).error().why, Why::forbidden);
}

TEST(DashboardSettings, SayInWhichPodsCommandsOfBuildsRun) {
  const std::vector<std::string> pod{"HOME=/", "KUBERNETES_SERVICE_HOST=10.96.0.1", "NUCLIO_AUTH_KIND=none",
                                     "NUCLIO_DASHBOARD_BUILD_JOB_IMAGE=local/dashboard:1",
                                     "NUCLIO_DASHBOARD_BUILD_JOB_SERVICE_ACCOUNT=nuclio-builder"};
  auto settings = read({"--build-job-resources", R"({"limits": {"memory": "1Gi"}})"}, pod);
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_EQ(settings->build_job_image, "local/dashboard:1");
  EXPECT_EQ(settings->build_job_service_account, "nuclio-builder");
  EXPECT_EQ(settings->build_job_resources, R"({"limits": {"memory": "1Gi"}})");
  for (const char* wrong : {"1Gi", "[]", "{"}) {
    settings = read({"--build-job-resources", wrong}, pod);
    ASSERT_FALSE(settings) << wrong;
    EXPECT_THAT(settings.error().what, testing::HasSubstr("--build-job-resources: must be a JSON object"));
  }
}

TEST(DashboardSettings, SayWhichRegistriesThereAre) {
  auto settings = read({"--run-registry", "mirror.local/team"},
                       {"HOME=/", "NUCLIO_DASHBOARD_REGISTRY_URL=http://registry.local:5000",
                        "NUCLIO_DASHBOARD_DEFAULT_BASE_REGISTRY_URL=registry.local/hub"});
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_EQ(settings->registry, "http://registry.local:5000");
  EXPECT_EQ(settings->run_registry, "mirror.local/team");
  EXPECT_EQ(settings->base_registry, "registry.local/hub");
  EXPECT_EQ(read({"--base-registry=other.local"}, {"HOME=/"})->base_registry, "other.local");
}

TEST(DashboardSettings, SayWhereTemplatesAre) {
  auto settings = read({"-templates-git-ref", "refs/heads/main"},
                       {"HOME=/", "NUCLIO_TEMPLATES_GIT_REPOSITORY=https://git.example/t.git",
                        "NUCLIO_TEMPLATES_ARCHIVE_ADDRESS=file:///templates.zip"});
  ASSERT_TRUE(settings) << settings.error().what;
  ASSERT_EQ(settings->template_sources.size(), 2U);
  EXPECT_EQ(settings->template_sources[0].origin.name, "https://git.example/t.git");
  EXPECT_EQ(settings->template_sources[1].origin.name, "/templates.zip");
  settings = read({"--templates-archive-address", "/templates.zip"});
  ASSERT_FALSE(settings);
  EXPECT_THAT(settings.error().what, HasSubstr("--templates-archive-address"));
}

TEST(Loopback, IsThisMachineAlone) {
  for (const char* yes : {"localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"})
    EXPECT_TRUE(is_loopback(yes)) << yes;
  for (const char* no : {"", "0.0.0.0", "::", "10.0.0.1", "localhost.evil.example", "127.0.0.1.evil.example"})
    EXPECT_FALSE(is_loopback(no)) << no;
}

TEST(Instance, IsOneForAHome) {
  TestFolder folder;
  platform::process::Home home{folder.at("home")};
  {
    auto first = Instance::claim(home);
    ASSERT_TRUE(first) << first.error().what;
    ASSERT_TRUE(first->publish("127.0.0.1:8070"));
    EXPECT_EQ(folder.read("home/dashboard.pid"), std::to_string(getpid()) + "\n");
    auto second = Instance::claim(home);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().why, Why::conflict);
    EXPECT_THAT(second.error().what,
                HasSubstr("at http://127.0.0.1:8070; end it first (kill " + std::to_string(getpid())));
  }
  EXPECT_FALSE(folder.has("home/dashboard.address"));
  EXPECT_TRUE(Instance::claim(home));
}

}  // namespace
}  // namespace nuclio::dashboard
