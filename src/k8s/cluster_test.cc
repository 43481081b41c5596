// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster.h"

#include <gmock/gmock.h>

#include "base/base64.h"
#include "base/test_folder.h"

namespace nuclio::k8s {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

const std::string kConfig = R"(
apiVersion: v1
kind: Config
current-context: there
clusters:
- name: c
  cluster: {server: "https://10.0.0.1:6443/", certificate-authority-data: )" +
                            encode_base64("AUTHORITIES") + R"(,
            tls-server-name: kubernetes, proxy-url: "http://proxy:3128"}
- name: plain
  cluster: {server: "http://10.0.0.2:8080", insecure-skip-tls-verify: true}
users:
- name: u
  user: {client-certificate: pki/u.crt, client-key: /abs/u.key}
- name: t
  user: {token: secret}
- name: f
  user: {tokenFile: token}
- name: b
  user: {username: anna, password: "1234"}
- name: e
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: bin/login, args: [token, "--cluster=x"],
           env: [{name: PROFILE, value: dev}], installHint: "get it at example.com", provideClusterInfo: true}
contexts:
- {name: there, context: {cluster: c, user: t, namespace: media}}
- {name: plain, context: {cluster: plain}}
- {name: by-certificate, context: {cluster: c, user: u}}
- {name: by-file, context: {cluster: c, user: f}}
- {name: by-password, context: {cluster: c, user: b}}
- {name: by-program, context: {cluster: c, user: e}}
- {name: no-cluster, context: {cluster: missing}}
- {name: no-user, context: {cluster: c, user: missing}}
)";

Cluster read(const std::string& context) {
  auto cluster = read_kubeconfig(kConfig, "/home/anna/.kube", context);
  EXPECT_TRUE(cluster) << cluster.error().what;
  return cluster ? *cluster : Cluster{};
}

std::string complaint(const std::string& text, const std::string& context = "") {
  auto cluster = read_kubeconfig(text, "/home/nobody", context);
  EXPECT_FALSE(cluster) << text;
  if (cluster) return "";
  EXPECT_EQ(cluster.error().why, Why::invalid) << cluster.error().what;
  return cluster.error().what;
}

TEST(Kubeconfig, SaysWhichServerAndAsWhom) {
  const Cluster there = read("");
  EXPECT_EQ(there.server, "https://10.0.0.1:6443");
  EXPECT_EQ(there.authorities, "AUTHORITIES");
  EXPECT_EQ(there.tls_server_name, "kubernetes");
  EXPECT_EQ(there.proxy, "http://proxy:3128");
  EXPECT_EQ(there.verify_peer, http::VerifyPeer::yes);
  EXPECT_EQ(there.token, "secret");
  EXPECT_EQ(there.namespace_name, "media");
  const Cluster plain = read("plain");
  EXPECT_EQ(plain.verify_peer, http::VerifyPeer::no);
  EXPECT_EQ(plain.namespace_name, "default");
  EXPECT_EQ(read("by-file").token_file, "/home/anna/.kube/token");
  EXPECT_EQ(read("by-password").username, "anna");
  EXPECT_EQ(read("by-password").password, "1234");
  const Cluster by_program = read("by-program");
  ASSERT_TRUE(by_program.program);
  EXPECT_THAT(by_program.program->argv, ElementsAre("/home/anna/.kube/bin/login", "token", "--cluster=x"));
  EXPECT_THAT(by_program.program->environment, ElementsAre(Pair("PROFILE", "dev")));
  EXPECT_EQ(by_program.program->install_hint, "get it at example.com");
  EXPECT_TRUE(by_program.program->wants_cluster);
}

TEST(Kubeconfig, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(complaint("- list"), HasSubstr("must be a map"));
  EXPECT_THAT(complaint("a: [", ""), HasSubstr("the kubeconfig: "));
  EXPECT_THAT(complaint("{contexts: [{name: a, context: {}}]}"), HasSubstr("choose one of its contexts: a"));
  EXPECT_THAT(complaint(kConfig, "elsewhere"),
              HasSubstr("there is no context \"elsewhere\"; its contexts are: by-certificate, by-file, by-password, "
                        "by-program, no-cluster, no-user, plain, there"));
  EXPECT_THAT(complaint(kConfig, "no-cluster"), HasSubstr("context \"no-cluster\": there is no cluster \"missing\""));
  EXPECT_THAT(complaint(kConfig, "no-user"), HasSubstr("there is no user \"missing\""));
  EXPECT_THAT(complaint(kConfig, "by-certificate"),
              HasSubstr("user \"u\": client-certificate: opening /home/nobody/pki/u.crt: No such file or directory"));
  const auto with = [](const std::string& cluster, const std::string& user) {
    return complaint(
        "{current-context: x, contexts: [{name: x, context: {cluster: c, user: u}}], clusters: [{name: c, "
        "cluster: {" +
        cluster + "}}], users: [{name: u, user: {" + user + "}}]}");
  };
  EXPECT_THAT(with("server: 10.0.0.1", ""), HasSubstr("cluster \"c\": server must be a URL such as"));
  EXPECT_THAT(with("server: 1", ""), HasSubstr("server must be text, is 1"));
  const std::string fine = "server: 'https://a'";
  EXPECT_THAT(with(fine + ", certificate-authority-data: '?'", ""), HasSubstr("certificate-authority-data: "));
  EXPECT_THAT(with(fine + ", insecure-skip-tls-verify: maybe", ""), HasSubstr("must be true or false"));
  EXPECT_THAT(with(fine, "client-certificate-data: AAAA"), HasSubstr("one is missing"));
  EXPECT_THAT(with(fine, "auth-provider: {name: gcp}"), HasSubstr("auth-provider is not supported; use exec"));
  EXPECT_THAT(with(fine, "as: root"), HasSubstr("as is not supported"));
  EXPECT_THAT(with(fine, "exec: {apiVersion: v1, command: a}"), HasSubstr("exec: apiVersion must be"));
  EXPECT_THAT(with(fine, "exec: {apiVersion: client.authentication.k8s.io/v1}"), HasSubstr("command must name"));
}

struct FindCluster : testing::Test {
  FindCluster() {
    query.environment = {"HOME=" + folder.at("home"), "PATH=/bin"};
    query.service_account = folder.at("account");
  }
  std::string config(const std::string& name, const std::string& server, const std::string& token) const {
    return folder.write(name, "{current-context: " + server + ", contexts: [{name: " + server +
                                  ", context: {cluster: " + server + ", user: me}}], clusters: [{name: " + server +
                                  ", cluster: {server: 'https://" + server +
                                  "'}}], users: [{name: me, user: {token: " + token + "}}]}");
  }
  std::string server() const {
    auto cluster = find_cluster(query);
    return cluster ? cluster->server : cluster.error().what;
  }
  TestFolder folder;
  ClusterQuery query;
};

TEST_F(FindCluster, TakesTheFlagThenTheVariableThenThePodThenTheHome) {
  EXPECT_THAT(server(), HasSubstr("there is no kubeconfig at " + folder.at("home/.kube/config")));
  config("home/.kube/config", "home", "x");
  EXPECT_EQ(server(), "https://home");
  query.environment.push_back("KUBERNETES_SERVICE_HOST=fd00::1");
  query.environment.push_back("KUBERNETES_SERVICE_PORT=443");
  EXPECT_EQ(server(), "https://home") << "there is no account";
  folder.write("account/token", "t\n");
  folder.write("account/ca.crt", "PEM");
  folder.write("account/namespace", "media\n");
  EXPECT_EQ(server(), "https://[fd00::1]:443");
  const auto pod = find_cluster(query);
  EXPECT_EQ(pod->authorities, "PEM");
  EXPECT_EQ(pod->token_file, folder.at("account/token"));
  EXPECT_EQ(pod->namespace_name, "media");
  query.environment.push_back("KUBECONFIG=" + config("variable", "variable", "x"));
  EXPECT_EQ(server(), "https://variable");
  query.kubeconfig = folder.at("flag");
  EXPECT_EQ(find_cluster(query).error().why, Why::not_found);
  config("flag", "flag", "x");
  EXPECT_EQ(server(), "https://flag");
}

TEST_F(FindCluster, MergesFilesSoThatTheFirstOneCounts) {
  query.environment.push_back("KUBECONFIG=" + folder.at("missing") + ":" + config("one", "one", "first") +
                              "::" + config("two", "two", "second"));
  EXPECT_EQ(server(), "https://one");
  query.context = "two";
  const auto cluster = find_cluster(query);
  ASSERT_TRUE(cluster) << cluster.error().what;
  EXPECT_EQ(cluster->server, "https://two");
  EXPECT_EQ(cluster->token, "first");
}

TEST_F(FindCluster, StartsPathsAtTheFileThatHasThem) {
  folder.write("sub/pki/ca.crt", "PEM");
  query.kubeconfig = folder.write("sub/config",
                                  "{current-context: x, contexts: [{name: x, context: {cluster: c}}], "
                                  "clusters: [{name: c, cluster: {server: 'https://a', "
                                  "certificate-authority: pki/ca.crt}}]}");
  const auto cluster = find_cluster(query);
  ASSERT_TRUE(cluster) << cluster.error().what;
  EXPECT_EQ(cluster->authorities, "PEM");
}

TEST_F(FindCluster, GivesAProgramOurEnvironmentAndItsOwn) {
  query.kubeconfig = folder.write("config", kConfig);
  query.context = "by-program";
  query.environment.push_back("https_proxy=http://other:1");
  const auto cluster = find_cluster(query);
  ASSERT_TRUE(cluster) << cluster.error().what;
  EXPECT_THAT(cluster->program->environment, Contains(Pair("PATH", "/bin")));
  EXPECT_EQ(cluster->program->environment.back().first, "PROFILE");
  EXPECT_EQ(cluster->proxy, "http://proxy:3128");
  query.context = "plain";
  EXPECT_EQ(find_cluster(query)->proxy, "");
}

}  // namespace
}  // namespace nuclio::k8s
