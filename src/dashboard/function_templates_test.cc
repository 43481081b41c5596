// SPDX-License-Identifier: Apache-2.0
#include "dashboard/function_templates.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <optional>

#include "base/test_folder.h"
#include "builder/test_archive.h"
#include "http/test_server.h"

namespace nuclio::dashboard {
namespace {

using ::testing::Contains;
using ::testing::IsSupersetOf;
using ::testing::Not;
using namespace std::chrono_literals;

// A zip with a template for each name, whose description says `about`.
std::string zip_of(const std::vector<std::string>& names, const std::string& about = "new") {
  std::vector<builder::Packed> files;
  for (const std::string& name : names) {
    files.push_back({"root/" + name + "/function.yaml.template", "spec: {description: " + about + "}"});
    files.push_back({"root/" + name + "/function.yaml.values", "{}"});
  }
  return builder::pack(files, "zip");
}

class TemplatesOfSources : public ::testing::Test {
 protected:
  TemplatesOfSources() : client_(server_.loop) {
    options_.folder = folder_.at("home/templates");
    options_.environment = {"PATH=/usr/bin:/bin"};
    options_.interval = options_.retry = 0ms;
  }

  FunctionTemplates& templates() {
    if (!templates_) {
      for (const char* path : {"/one.zip", "/two.zip"}) {
        auto found = template_sources({.archive_address = server_.url(path)});
        EXPECT_TRUE(found);
        options_.sources.push_back(found->at(0));
      }
      templates_.emplace(server_.loop, client_, options_);
    }
    return *templates_;
  }
  FunctionTemplates::List all() { return run_until_done(server_.loop, templates().all()); }
  std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const FunctionTemplate& each : *all()) out.push_back(each.name);
    return out;
  }
  std::string text_of(const std::string& name) {
    for (const FunctionTemplate& each : *all())
      if (each.name == name) return each.text;
    return "";
  }

  Task<bool> pause() {
    co_await server_.loop.sleep(1ms);
    co_return true;
  }

  Task<http::Response> answer(http::Request& request) {
    ++asked_;
    while (slow_) co_await server_.loop.sleep(1ms);
    const auto found = pages_.find(std::string(request.path));
    if (found == pages_.end()) co_return http::Response::text(503, "not now");
    co_return http::Response::text(200, found->second, "application/zip");
  }

  TestFolder folder_;
  std::map<std::string, std::string> pages_;
  int asked_ = 0;
  bool slow_ = false;
  http::TestServer server_{[this](http::Request& request) { return answer(request); }};
  http::Client client_;
  FunctionTemplatesOptions options_;
  std::optional<FunctionTemplates> templates_;
};

TEST_F(TemplatesOfSources, AreAskedForWhenTemplatesAreAndStandBesideThoseOfTheProgram) {
  pages_ = {{"/one.zip", zip_of({"theirs"})}, {"/two.zip", zip_of({"others"})}};
  options_.interval = 1h;
  templates();
  EXPECT_EQ(asked_, 0);
  EXPECT_THAT(names(), IsSupersetOf({"helloworld", "others", "theirs"}));
  EXPECT_TRUE(std::ranges::is_sorted(names()));
  EXPECT_EQ(asked_, 2) << "within the interval nobody is asked again";
  EXPECT_FALSE(folder_.has("home/templates"));
}

TEST_F(TemplatesOfSources, CountWhereNamesMeet) {
  pages_ = {{"/one.zip", zip_of({"helloworld", "both"}, "one")}, {"/two.zip", zip_of({"both"}, "two")}};
  EXPECT_EQ(text_of("helloworld"), "spec: {description: one}");
  EXPECT_EQ(text_of("both"), "spec: {description: two}");
}

TEST_F(TemplatesOfSources, HinderNobodyWhenTheyFailAndAreAskedAgain) {
  pages_ = {{"/one.zip", zip_of({"theirs"})}};
  EXPECT_THAT(names(), IsSupersetOf({"helloworld", "theirs"}));
  pages_["/two.zip"] = zip_of({"others"});
  EXPECT_THAT(names(), IsSupersetOf({"helloworld", "others", "theirs"}));
}

TEST_F(TemplatesOfSources, AreAskedAgainOnlyAfterAWhile) {
  options_.retry = 1h;
  EXPECT_THAT(names(), Contains("helloworld"));
  EXPECT_THAT(names(), Contains("helloworld"));
  EXPECT_EQ(asked_, 2);
}

TEST_F(TemplatesOfSources, GiveWhatTheyGaveBeforeWhileTheyAreAskedAnewAndWhenTheyFail) {
  pages_ = {{"/one.zip", zip_of({"first"})}, {"/two.zip", zip_of({"second"})}};
  EXPECT_THAT(names(), IsSupersetOf({"first", "second"}));
  pages_ = {{"/one.zip", zip_of({"newer"})}};
  slow_ = true;
  EXPECT_THAT(names(), IsSupersetOf({"first", "second"})) << "nobody waits for what is known in an older form";
  slow_ = false;
  for (const Deadline end = Deadline::in(5s); text_of("newer").empty() && !end.passed();)
    run_until_done(server_.loop, pause());
  EXPECT_THAT(names(), IsSupersetOf({"helloworld", "newer", "second"}));
  EXPECT_THAT(names(), Not(Contains("first")));
}

TEST_F(TemplatesOfSources, KeepARequestNoLongerThanItIsPatient) {
  slow_ = true;
  options_.patience = 10ms;
  EXPECT_THAT(names(), Contains("helloworld"));
  templates_.reset();
  EXPECT_FALSE(folder_.has("home/templates")) << "what was cancelled leaves nothing behind";
  slow_ = false;
}

TEST_F(TemplatesOfSources, GiveUpInTime) {
  slow_ = true;
  options_.time = 20ms;
  options_.retry = 1h;
  EXPECT_THAT(names(), Contains("helloworld"));
  EXPECT_EQ(asked_, 2) << "each had its time";
  slow_ = false;
}

TEST_F(TemplatesOfSources, AreNotTakenWhenTheyAreNoArchive) {
  pages_ = {{"/one.zip", "<html>a page</html>"}, {"/two.zip", zip_of({"theirs"})}};
  EXPECT_THAT(names(), IsSupersetOf({"helloworld", "theirs"}));
}

}  // namespace
}  // namespace nuclio::dashboard
