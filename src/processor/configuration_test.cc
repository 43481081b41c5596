// SPDX-License-Identifier: Apache-2.0
#include "processor/configuration.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/check.h"
#include "spec/masking.h"

namespace nuclio::processor {
namespace {

namespace fs = std::filesystem;

class ConfigurationTest : public testing::Test {
 protected:
  ConfigurationTest() {
    std::string name = testing::TempDir() + "configuration-XXXXXX";
    CHECK(::mkdtemp(name.data()));
    folder = name;
    fs::create_directories(folder / "runtimes/python");
    write("runtimes/python/runtime.json",
          R"({"name": "python", "versions": ["3.11"], "worker": ["{runtime}/worker"]})");
    options.config = (folder / "function.yaml").string();
    options.platform_config = (folder / "platform.yaml").string();
    options.runtimes = (folder / "runtimes").string();
  }
  ~ConfigurationTest() override { fs::remove_all(folder); }

  void write(const std::string& name, std::string_view text) { std::ofstream(folder / name) << text; }
  Result<Configuration> read(std::vector<std::string> environment = {}) {
    return read_configuration(options, std::move(environment));
  }

  fs::path folder;
  Options options;
};

constexpr const char* kHello = R"(
metadata: {name: hello, namespace: nuclio}
spec: {runtime: "python:3.11", handler: "main:handler"}
)";

TEST_F(ConfigurationTest, ReadsABareFunctionFileAndFillsInTheRest) {
  write("function.yaml", kHello);
  auto read_back = read();
  ASSERT_TRUE(read_back) << read_back.error().what;
  EXPECT_EQ(read_back->function.metadata.name, "hello");
  EXPECT_EQ(read_back->function.spec.triggers.count("default-http"), 1u);
  EXPECT_EQ(read_back->runtime.name, "python");
  EXPECT_EQ(read_back->code, folder.string());
  EXPECT_EQ(read_back->platform.kind, spec::PlatformKind::process);
  EXPECT_TRUE(read_back->warnings.empty());
}

TEST_F(ConfigurationTest, KnowsAClusterByItsEnvironment) {
  write("function.yaml", kHello);
  auto within = read({"KUBERNETES_SERVICE_HOST=10.0.0.1", "KUBERNETES_SERVICE_PORT=443"});
  ASSERT_TRUE(within);
  EXPECT_EQ(within->platform.kind, spec::PlatformKind::kube);
  write("platform.yaml", "kind: local");
  EXPECT_EQ(read({"KUBERNETES_SERVICE_HOST=10.0.0.1", "KUBERNETES_SERVICE_PORT=443"})->platform.kind,
            spec::PlatformKind::local);
}

TEST_F(ConfigurationTest, SaysWhereItLookedForAFunctionThatIsNotThere) {
  auto nothing = read();
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().why, Why::not_found);
  EXPECT_EQ(nothing.error().what,
            "there is no function: " + options.config + " does not exist; say where it is with --config");
}

TEST_F(ConfigurationTest, ReportsWhatIsWrongInBothFilesAtOnce) {
  write("function.yaml", "metadata: {name: hello}\nspec: {triggers: {web: {kind: http, numWorkers: none}}}");
  write("platform.yaml", "webAdmin: {enabled: 7}");
  auto wrong = read();
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().what.find("spec.triggers.web.numWorkers"), std::string::npos) << wrong.error().what;
  EXPECT_NE(wrong.error().what.find("webAdmin.enabled"), std::string::npos) << wrong.error().what;
}

TEST_F(ConfigurationTest, WantsARuntimeAndAHandler) {
  write("function.yaml", "metadata: {name: hello}");
  auto wrong = read();
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().what.find("spec.runtime must name"), std::string::npos) << wrong.error().what;
  EXPECT_NE(wrong.error().what.find("spec.handler must name"), std::string::npos) << wrong.error().what;
}

TEST_F(ConfigurationTest, NamesTheRuntimesThatThereAre) {
  write("function.yaml", "metadata: {name: hello}\nspec: {runtime: cobol, handler: main}");
  auto wrong = read();
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().what.find("python"), std::string::npos) << wrong.error().what;
}

TEST_F(ConfigurationTest, OnlyWarnsOfAFieldThatItDoesNotKnow) {
  write("function.yaml", std::string{kHello} + "\nextra: 1\n");
  auto read_back = read();
  ASSERT_TRUE(read_back) << read_back.error().what;
  ASSERT_EQ(read_back->warnings.size(), 1u);
  EXPECT_NE(read_back->warnings[0].find("extra"), std::string::npos);
}

TEST_F(ConfigurationTest, FindsTheCodeOfAContainer) {
  write("function.yaml", kHello);
  options.code = "/somewhere/else/";
  EXPECT_EQ(read()->code, "/somewhere/else");
}

TEST_F(ConfigurationTest, TakesNilAndNoneForNothing) {
  write("function.yaml", kHello);
  auto read_back = read({"A=x", "B=nil", "C=none", "D=", "AB=y"});
  EXPECT_EQ(read_back->variable("A"), "x");
  EXPECT_EQ(read_back->variable("AB"), "y");
  for (const char* name : {"B", "C", "D", "E"}) EXPECT_EQ(read_back->variable(name), "") << name;
}

TEST_F(ConfigurationTest, PutsBackWhatWasMasked) {
  write("function.yaml", R"(
metadata: {name: hello}
spec:
  runtime: python
  handler: main:handler
  triggers: {queue: {kind: rabbit-mq, password: "$ref:/spec/triggers/queue/password"}}
)");
  const std::vector<std::string> environment = {"NUCLIO_RESTORE_FUNCTION_CONFIG_FROM_SECRET=true",
                                                "NUCLIO_FUNCTION_SECRET_VOLUME_PATH=" + folder.string()};
  auto missing = read(environment);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().what.find("content"), std::string::npos) << missing.error().what;

  write("content", "");
  auto unknown = read(environment);
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().what.find("has no value for it"), std::string::npos) << unknown.error().what;

  write("content", spec::secret_texts({{"$ref:/spec/triggers/queue/password", "hush"}}).at("content"));
  auto whole = read(environment);
  ASSERT_TRUE(whole) << whole.error().what;
  EXPECT_EQ(whole->function.spec.triggers.at("queue").password, "hush");
}

TEST_F(ConfigurationTest, LetsTheFunctionsSinksWinOverThePlatforms) {
  write("function.yaml", kHello);
  write("platform.yaml", R"(
logger:
  sinks: {out: {kind: stdout, attributes: {encoding: json}}}
  system: [{level: warn, sink: out}]
  functions: [{level: info, sink: out}]
)");
  auto platforms = read();
  ASSERT_TRUE(platforms) << platforms.error().what;
  EXPECT_EQ(function_log_level(*platforms), log::Level::info);
  EXPECT_EQ(log_options(*platforms).level, log::Level::info);
  EXPECT_EQ(log_options(*platforms).encoding, log::Encoding::json);

  std::string own = kHello;
  own.replace(own.rfind('}'), 1, ", loggerSinks: [{level: error, sink: out}]}");
  write("function.yaml", own);
  auto functions = read();
  ASSERT_TRUE(functions) << functions.error().what;
  EXPECT_EQ(function_log_level(*functions), log::Level::error);
  EXPECT_EQ(log_options(*functions).level, log::Level::warn);
}

}  // namespace
}  // namespace nuclio::processor
