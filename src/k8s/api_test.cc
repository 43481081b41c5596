// SPDX-License-Identifier: Apache-2.0
#include "k8s/api.h"

#include <gmock/gmock.h>

#include "base/test_folder.h"
#include "k8s/test_api_server.h"

namespace nuclio::k8s {
namespace {

using testing::HasSubstr;

const ObjectName kResize{"media", "resize"};

struct ApiTest : testing::Test {
  const Asked& last() const { return server.asked.back(); }
  void answer_with(int status, std::string body) {
    server.instead = [status, body](const Asked&) { return std::optional(http::Response::json(status, body)); };
  }
  Result<json::object> get() { return api.run(api.api.get(kDeployments, kResize, api.soon())); }
  TestApi api;
  TestApiServer& server = api.server;
};

TEST_F(ApiTest, CarriesTheServersWordsAndWhatWasAsked) {
  const std::pair<int, Why> meanings[] = {
      {400, Why::invalid},     {401, Why::forbidden},    {403, Why::forbidden},   {404, Why::not_found},
      {409, Why::conflict},    {410, Why::precondition}, {413, Why::too_large},   {422, Why::invalid},
      {429, Why::busy},        {500, Why::internal},     {503, Why::unavailable}, {504, Why::timeout},
      {302, Why::unavailable},
  };
  for (const auto& [status, why] : meanings) {
    answer_with(status, TestApiServer::status(status, "deployments.apps \"resize\" not found"));
    const auto object = get();
    ASSERT_FALSE(object);
    EXPECT_EQ(object.error().why, why) << status;
    EXPECT_THAT(object.error().what, HasSubstr("GET deployments media/resize: deployments.apps \"resize\" not found"));
  }
}

TEST_F(ApiTest, ComesAgainWhenABusyServerSaysWhen) {
  server.set(kDeployments, kResize);
  int refusals = 0;
  std::string later = "0";
  server.instead = [&](const Asked&) -> std::optional<http::Response> {
    if (refusals-- <= 0) return {};
    http::Response response = http::Response::json(429, TestApiServer::status(429, "storage is (re)initializing"));
    response.headers.add("Retry-After", later);
    return response;
  };
  refusals = 2;
  const auto object = get();
  EXPECT_TRUE(object) << object.error().what;
  EXPECT_EQ(server.asked.size(), 3u);

  refusals = 1;
  later = "60";
  const auto too_late = get();
  ASSERT_FALSE(too_late) << "the deadline would be over";
  EXPECT_EQ(too_late.error().why, Why::busy);
  EXPECT_THAT(too_late.error().what, HasSubstr("media/resize: storage is (re)initializing"));
  EXPECT_EQ(server.asked.size(), 4u);
}

TEST_F(ApiTest, IsNotMisledByWhoIsNoApiServer) {
  answer_with(200, "<html>");
  EXPECT_EQ(get().error().why, Why::unavailable);
  EXPECT_THAT(get().error().what, HasSubstr("GET deployments media/resize: what the server said is not valid JSON"));
  answer_with(200, "[]");
  EXPECT_EQ(get().error().why, Why::unavailable);
  answer_with(200, "");
  EXPECT_EQ(get().error().why, Why::unavailable);
  answer_with(502, "<html>\n\x1b[31m" + std::string(5000, 'x'));
  EXPECT_EQ(get().error().why, Why::unavailable);
  EXPECT_LT(get().error().what.size(), 1100u);
  EXPECT_EQ(get().error().what.find('\x1b'), std::string::npos);
  answer_with(200, std::string(1000, '['));
  EXPECT_EQ(get().error().why, Why::unavailable);
  answer_with(200, R"({"items": [1]})");
  EXPECT_FALSE(api.run(api.api.list(kPods, "", {}, api.soon())));
  server.instead = nullptr;
  Cluster gone;
  gone.server = "http://127.0.0.1:1";
  Api nobody{api.loop(), api.client, gone, "test"};
  EXPECT_EQ(api.run(nobody.get(kPods, kResize, api.soon())).error().why, Why::unavailable);
}

TEST_F(ApiTest, ListsInPages) {
  for (int i = 0; i < 7; ++i) server.set(kPods, {"media", "p" + std::to_string(i)});
  ListOptions options;
  options.page = 3;
  options.field_selector = "status.phase=Running";
  const auto list = api.run(api.api.list(kPods, "media", options, api.soon()));
  ASSERT_TRUE(list) << list.error().what;
  EXPECT_EQ(list->items.size(), 7u);
  EXPECT_EQ(list->resource_version, "107");
  EXPECT_EQ(text_of(list->items[6], "kind"), "Pod");
  EXPECT_EQ(text_of(list->items[6], "apiVersion"), "v1");
  ASSERT_EQ(server.asked.size(), 3u);
  EXPECT_EQ(last().target, "/api/v1/namespaces/media/pods?fieldSelector=status.phase%3DRunning&limit=3&continue=6");
}

TEST_F(ApiTest, ListsAllAtOnceWhenAPageIsForgotten) {
  for (int i = 0; i < 7; ++i) server.set(kPods, {"media", "p" + std::to_string(i)});
  server.instead = [](const Asked& asked) -> std::optional<http::Response> {
    if (asked.target.find("continue=3") == std::string::npos) return {};
    return http::Response::json(410, TestApiServer::status(410, "The provided continue parameter is too old"));
  };
  ListOptions options;
  options.page = 3;
  const auto list = api.run(api.api.list(kPods, "", options, api.soon()));
  ASSERT_TRUE(list) << list.error().what;
  EXPECT_EQ(list->items.size(), 7u);
  EXPECT_EQ(last().target, "/api/v1/pods");
}

TEST_F(ApiTest, AsksForSmallerPagesWhenOneIsTooLarge) {
  for (int i = 0; i < 20; ++i) server.set(kSecrets, {"media", "p" + std::to_string(i)});
  server.instead = [](const Asked& asked) -> std::optional<http::Response> {
    if (asked.target.find("limit=16") == std::string::npos) return {};
    return http::Response::text(200, std::string((64 << 20) + 1, ' '));
  };
  ListOptions options;
  options.page = 16;
  const auto list = api.run(api.api.list(kSecrets, "", options, api.soon()));
  ASSERT_TRUE(list) << list.error().what;
  EXPECT_EQ(list->items.size(), 20u);
}

TEST_F(ApiTest, WritesAndRemoves) {
  json::object object{{"metadata", {{"namespace", "media"}, {"name", "resize"}, {"managedFields", json::array{1}}}}};
  auto made = api.run(api.api.create(kDeployments, object, api.soon()));
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_EQ(last().target, "/apis/apps/v1/namespaces/media/deployments");
  EXPECT_EQ(text_of(last().body.as_object(), "kind"), "Deployment");
  EXPECT_EQ(api.run(api.api.create(kDeployments, object, api.soon())).error().why, Why::conflict);

  auto replaced = api.run(api.api.replace(kDeployments, *made, api.soon()));
  ASSERT_TRUE(replaced) << replaced.error().what;
  EXPECT_EQ(api.run(api.api.replace(kDeployments, *made, api.soon())).error().why, Why::conflict) << "it is another";
  auto status = api.run(api.api.replace_status(kDeployments, *replaced, api.soon()));
  ASSERT_TRUE(status) << status.error().what;
  EXPECT_THAT(last().target, testing::EndsWith("/deployments/resize/status"));

  auto applied = api.run(api.api.apply(kDeployments, object, "nuclio", TakeOver::yes, api.soon()));
  ASSERT_TRUE(applied) << applied.error().what;
  EXPECT_EQ(last().method, "PATCH");
  EXPECT_EQ(last().content_type, "application/apply-patch+yaml");
  EXPECT_THAT(last().target, testing::EndsWith("/resize?fieldManager=nuclio&force=true"));
  EXPECT_EQ(at(last().body.as_object(), "metadata.managedFields"), nullptr);

  json::object patch{{"spec", {{"replicas", 3}}}};
  auto merged = api.run(api.api.merge(kDeployments, kResize, patch, "scale", api.soon()));
  ASSERT_TRUE(merged) << merged.error().what;
  EXPECT_EQ(last().content_type, "application/merge-patch+json");
  EXPECT_THAT(last().target, testing::EndsWith("/resize/scale"));

  DeleteOptions options{.propagation = Propagation::foreground, .uid = "u", .resource_version = "7"};
  EXPECT_TRUE(api.run(api.api.remove(kDeployments, kResize, options, api.soon())));
  EXPECT_EQ(last().body, json::parse(R"({"apiVersion": "v1", "kind": "DeleteOptions",
    "propagationPolicy": "Foreground", "preconditions": {"uid": "u", "resourceVersion": "7"}})"));
  EXPECT_TRUE(api.run(api.api.remove(kDeployments, kResize, options, api.soon()))) << "gone is gone";
}

TEST_F(ApiTest, ReadsATokenAnewForEachCall) {
  TestFolder folder;
  Cluster cluster = server.cluster();
  cluster.token_file = folder.write("token", "one\n");
  Api in_pod{api.loop(), api.client, cluster, "test"};
  server.set(kPods, kResize);
  const auto ask = [&] { return api.run(in_pod.get(kPods, kResize, api.soon())); };
  EXPECT_TRUE(ask());
  EXPECT_EQ(last().authorization, "Bearer one");
  folder.write("token", "two");
  EXPECT_TRUE(ask());
  EXPECT_EQ(last().authorization, "Bearer two");
  folder.write("token", "");
  EXPECT_TRUE(ask()) << "it is being written";
  EXPECT_EQ(last().authorization, "Bearer two");
  answer_with(401, TestApiServer::status(401, "Unauthorized"));
  const std::size_t before = server.asked.size();
  EXPECT_EQ(ask().error().why, Why::forbidden);
  EXPECT_EQ(server.asked.size(), before + 1) << "there are no other credentials to try";
}

TEST_F(ApiTest, SaysWhoAsksByTokenOrPassword) {
  server.set(kPods, kResize);
  Cluster cluster = server.cluster();
  cluster.username = "anna";
  cluster.password = "1234";
  Api by_password{api.loop(), api.client, cluster, "test"};
  EXPECT_TRUE(api.run(by_password.get(kPods, kResize, api.soon())));
  EXPECT_EQ(last().authorization, "Basic YW5uYToxMjM0");
  cluster.token = "t";
  Api by_token{api.loop(), api.client, cluster, "test"};
  EXPECT_TRUE(api.run(by_token.get(kPods, kResize, api.soon())));
  EXPECT_EQ(last().authorization, "Bearer t");
  cluster.token = "t\r\nX-Evil: 1";
  Api by_nonsense{api.loop(), api.client, cluster, "test"};
  EXPECT_EQ(api.run(by_nonsense.get(kPods, kResize, api.soon())).error().why, Why::forbidden);
}

TEST_F(ApiTest, TellsAnObjectThatCannotBeAppliedFromATroubledServer) {
  const auto apply = [&](const char* complaint) {
    answer_with(500, TestApiServer::status(500, complaint));
    json::object pod{{"metadata", {{"namespace", "media"}, {"name", "resize"}}}};
    return api.run(api.api.apply(kPods, std::move(pod), "test", TakeOver::yes, api.soon())).error().why;
  };
  EXPECT_EQ(apply("failed to create typed patch object (media/resize; v1, Kind=Pod): .spec.x: not declared"),
            Why::invalid);
  EXPECT_EQ(apply("failed to convert new object (media/resize; v1, Kind=Pod) to proper version"), Why::invalid);
  EXPECT_EQ(apply("etcdserver: request is too large"), Why::invalid);
  EXPECT_EQ(apply("etcdserver: leader changed"), Why::internal);
}

struct ProgramTest : ApiTest {
  // A program whose token is the number of its runs.
  Cluster with_program(const std::string& script) {
    Cluster cluster = server.cluster();
    cluster.program.emplace();
    cluster.program->api_version = "client.authentication.k8s.io/v1";
    cluster.program->argv = {
        folder.write_program("login", "#!/bin/sh\necho run >>" + folder.at("runs") + "\n" + script)};
    cluster.program->environment = {{"PATH", "/usr/bin:/bin"}};
    cluster.program->install_hint = "get it at example.com";
    return cluster;
  }
  std::string giving_token(const std::string& expires) const {
    return "n=$(wc -l <" + folder.at("runs") + R"()
echo "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t$n\",)" +
           R"(\"expirationTimestamp\":\")" + expires + R"(\"}}"
)";
  }
  std::size_t runs() const {
    const std::string text = folder.has("runs") ? folder.read("runs") : "";
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
  }
  TestFolder folder;
};

TEST_F(ProgramTest, IsAskedOnceUntilItsTokenRunsOutOrIsRefused) {
  server.set(kPods, kResize);
  Api asking{api.loop(), api.client, with_program(giving_token("2100-01-01T00:00:00Z")), "test"};
  const auto ask = [&] { return api.run(asking.get(kPods, kResize, api.soon())); };
  auto first = ask();
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_EQ(last().authorization, "Bearer t1");
  EXPECT_TRUE(ask());
  EXPECT_EQ(runs(), 1u);
  server.instead = [](const Asked& asked) -> std::optional<http::Response> {
    if (asked.authorization != "Bearer t1") return {};
    return http::Response::json(401, TestApiServer::status(401, "Unauthorized"));
  };
  EXPECT_TRUE(ask());
  EXPECT_EQ(last().authorization, "Bearer t2");
  answer_with(401, TestApiServer::status(401, "Unauthorized"));
  EXPECT_EQ(ask().error().why, Why::forbidden);
  EXPECT_EQ(runs(), 3u) << "once more, and not for ever";
}

TEST_F(ProgramTest, IsAskedAgainForATokenThatHasExpired) {
  server.set(kPods, kResize);
  Api asking{api.loop(), api.client, with_program(giving_token("2001-01-01T00:00:00Z")), "test"};
  EXPECT_TRUE(api.run(asking.get(kPods, kResize, api.soon())));
  EXPECT_TRUE(api.run(asking.get(kPods, kResize, api.soon())));
  EXPECT_EQ(last().authorization, "Bearer t2");
}

Task<bool> all_done(Group& group) { co_return co_await group.empty(Deadline::in(5s)); }

TEST_F(ProgramTest, RunsOnceForAllWhoWaitAndToItsEnd) {
  server.set(kPods, kResize);
  Api asking{api.loop(), api.client, with_program("sleep 0.2\n" + giving_token("2100-01-01T00:00:00Z")), "test"};
  std::optional<Result<json::object>> one;
  std::optional<Result<json::object>> two;
  Group group{api.loop()};
  group.spawn(detail::keep(asking.get(kPods, kResize, api.soon()), one));
  group.spawn(detail::keep(asking.get(kPods, kResize, api.soon()), two));
  const auto hasty = api.run(asking.get(kPods, kResize, Deadline::in(10ms)));
  ASSERT_FALSE(hasty);
  EXPECT_EQ(hasty.error().why, Why::timeout);
  const auto patient = api.run(asking.get(kPods, kResize, api.soon()));
  EXPECT_TRUE(patient) << patient.error().what;
  api.run(all_done(group));
  EXPECT_TRUE(*one && *two);
  EXPECT_EQ(runs(), 1u);
}

TEST_F(ProgramTest, SaysWhyItGaveNothing) {
  const std::pair<const char*, const char*> failures[] = {
      {"echo 'please log in' >&2; exit 3", "it exited with code 3: please log in"},
      {"echo nonsense", "it must write an ExecCredential as JSON"},
      {"echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"v1\"}'", "not of v1"},
      {"echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\"}'",
       "it gave neither a token nor a certificate"},
  };
  for (const auto& [script, what] : failures) {
    Api asking{api.loop(), api.client, with_program(script), "test"};
    const auto got = api.run(asking.get(kPods, kResize, api.soon()));
    ASSERT_FALSE(got);
    EXPECT_THAT(got.error().what, testing::AllOf(HasSubstr("asking " + folder.at("login")), HasSubstr(what)));
  }
  Cluster missing = with_program("");
  missing.program->argv = {"nuclio-test-no-such-program"};
  Api asking{api.loop(), api.client, missing, "test"};
  EXPECT_THAT(api.run(asking.get(kPods, kResize, api.soon())).error().what,
              HasSubstr("there is no such program; install it: get it at example.com"));
}

TEST_F(ProgramTest, IsToldWhichClusterItIsFor) {
  server.set(kPods, kResize);
  Cluster cluster = with_program("echo \"$KUBERNETES_EXEC_INFO\" >" + folder.at("info") + "\n" +
                                 giving_token("2100-01-01T00:00:00Z"));
  cluster.program->wants_cluster = true;
  cluster.authorities = "PEM";
  Api asking{api.loop(), api.client, cluster, "test"};
  const auto got = api.run(asking.get(kPods, kResize, api.soon()));
  ASSERT_TRUE(got) << got.error().what;
  const json::object info = parsed(folder.read("info"));
  EXPECT_EQ(at(info, "spec.cluster.server")->as_string(), cluster.server);
  EXPECT_EQ(at(info, "spec.cluster.certificate-authority-data")->as_string(), "UEVN");
  EXPECT_EQ(at(info, "spec.interactive")->as_bool(), false);
}

}  // namespace
}  // namespace nuclio::k8s
