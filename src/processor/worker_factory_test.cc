// SPDX-License-Identifier: Apache-2.0
#include "processor/worker_factory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace nuclio::processor {
namespace {

using testing::Contains;
using testing::Not;

RuntimeSetup setup() {
  RuntimeSetup setup{.runtime = {},
                     .function = {},
                     .code = "/code",
                     .platform = "process",
                     .environment = {"PATH=/bin", "SHARED=processor", "odd"}};
  setup.runtime.name = "python";
  setup.runtime.folder = "/runtimes/python";
  setup.runtime.env = {{"SHARED", "manifest"}, {"NUCLIO_HANDLER", "no"}, {"UNBUFFERED", "1"}};
  setup.runtime.worker = {"{out}/python",
                          "-u",
                          "{runtime}/worker",
                          "--fd",
                          "{fd}",
                          "--handler",
                          "{handler}",
                          "--version",
                          "{version}",
                          "--name=",
                          "{function}@{namespace}",
                          "--trigger",
                          "{trigger_kind}/{trigger_name}/{worker}",
                          "--platform",
                          "{platform}",
                          "--log-level",
                          "{log_level}"};
  setup.function.metadata.name = "hello";
  setup.function.metadata.namespace_name = "media";
  setup.function.spec.description = "Says hello";
  setup.function.spec.handler = "main:handler";
  setup.function.spec.runtime = "python:3.11";
  return setup;
}

TEST(WorkerLaunch, FillsInTheManifestsCommand) {
  auto launch = worker_launch(setup(), {WorkerIndex{2}, "cron", "tick"}, Transport::socket);
  ASSERT_TRUE(launch);
  EXPECT_EQ(launch->argv,
            (std::vector<std::string>{"/code/.nuclio/python", "-u", "/runtimes/python/worker", "--fd", "3", "--handler",
                                      "main:handler", "--version", "3.11", "--name=", "hello@media", "--trigger",
                                      "cron/tick/2", "--platform", "process", "--log-level", "debug"}));
  EXPECT_EQ(launch->directory, "/code");
}

TEST(WorkerLaunch, LeavesOutTheFlagOfAVersionThatIsNotGiven) {
  auto without = setup();
  without.function.spec.runtime = "python";
  auto launch = worker_launch(without, {WorkerIndex{0}, "http", "web"}, Transport::socket);
  ASSERT_TRUE(launch);
  EXPECT_THAT(launch->argv, Not(Contains("--version")));
}

TEST(WorkerLaunch, NamesAPlaceholderThatThereIsNot) {
  auto with = setup();
  with.runtime.worker = {"sh", "{nothing}"};
  auto launch = worker_launch(with, {WorkerIndex{0}, "http", "web"}, Transport::socket);
  ASSERT_FALSE(launch);
  EXPECT_NE(launch.error().what.find("{nothing}"), std::string::npos);
}

TEST(WorkerLaunch, NamesTheDescriptorsOfARingWhenThereIsOne) {
  auto with = setup();
  with.runtime.worker = {"worker", "--fd", "{fd}", "--ring", "{ring}"};
  EXPECT_EQ(worker_launch(with, {}, Transport::ring)->argv,
            (std::vector<std::string>{"worker", "--fd", "3", "--ring", "4,5,6,7"}));
  EXPECT_EQ(worker_launch(with, {}, Transport::socket)->argv, (std::vector<std::string>{"worker", "--fd", "3"}));
}

TEST(ParentLaunch, SaysWhetherTheFunctionIsImportedBeforeItForks) {
  auto with = setup();
  with.runtime.parent = {"parent", "--fd", "{fd}", "--preload", "{preload}", "--handler", "{handler}"};
  EXPECT_EQ(parent_launch(with)->argv,
            (std::vector<std::string>{"parent", "--fd", "3", "--preload", "false", "--handler", "main:handler"}));
  with.function.spec.runtime_attributes["preload"] = true;
  EXPECT_THAT(parent_launch(with)->argv, Contains("true"));
  with.function.spec.runtime_attributes["preload"] = "yes";
  EXPECT_EQ(parent_launch(with).error().what, "spec.runtimeAttributes.preload must be true or false, is \"yes\"");
}

TEST(WorkerEnvironment, PutsTheFunctionOverTheContractOverTheManifestOverTheProcessor) {
  auto with = setup();
  with.function.spec.env = {{"MINE", "1", {}}, {"SHARED", "function", {}}, {"FROM_SECRET", "", boost::json::object{}}};
  auto environment = worker_environment(with);
  EXPECT_THAT(environment, testing::UnorderedElementsAre(
                               "PATH=/bin", "SHARED=function", "UNBUFFERED=1", "MINE=1", "NUCLIO_FUNCTION_NAME=hello",
                               "NUCLIO_FUNCTION_DESCRIPTION=Says hello", "NUCLIO_FUNCTION_VERSION=-1",
                               "NUCLIO_FUNCTION_HANDLER=main:handler", "NUCLIO_HANDLER=main:handler"));
}

TEST(MakeWorkerFactory, RefusesAProtocolThatIsNotSpoken) {
  Loop loop;
  FunctionLog log{"hello", log::Level::info};
  auto with = setup();
  with.runtime.protocol = wire::Protocol::nuclio_1;
  auto factory = make_worker_factory(loop, log, with, nullptr);
  ASSERT_FALSE(factory);
  EXPECT_EQ(factory.error().what,
            "runtime python speaks the protocol nuclio-1, which this processor does not; it has nuclio-wire-1 and "
            "cpp-object");
}

TEST(MakeWorkerFactory, RefusesAnIsolationThatThereIsNot) {
  Loop loop;
  FunctionLog log{"hello", log::Level::info};
  auto with = setup();
  with.runtime.protocol = wire::Protocol::cpp_object;
  with.function.spec.runtime_attributes["isolation"] = "container";
  auto factory = make_worker_factory(loop, log, with, nullptr);
  ASSERT_FALSE(factory);
  EXPECT_EQ(factory.error().what, "spec.runtimeAttributes.isolation must be \"process\" or \"none\", is \"container\"");
}

TEST(MakeWorkerFactory, SaysWhenTheSharedObjectIsMissing) {
  Loop loop;
  FunctionLog log{"hello", log::Level::info};
  auto with = setup();
  with.runtime.protocol = wire::Protocol::cpp_object;
  with.code = "/no/such/folder";
  auto factory = make_worker_factory(loop, log, with, nullptr);
  ASSERT_FALSE(factory);
  EXPECT_NE(factory.error().what.find("/no/such/folder/.nuclio/handler.so"), std::string::npos);
}

}  // namespace
}  // namespace nuclio::processor
