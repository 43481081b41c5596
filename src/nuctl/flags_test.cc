// SPDX-License-Identifier: Apache-2.0
#include "nuctl/flags.h"

#include <gtest/gtest.h>

#include "nuctl/command.h"

namespace nuclio::nuctl {
namespace {

struct Values {
  std::string name;
  std::string path;
  std::vector<std::string> env;
  std::optional<long> replicas;
  bool disable = false;
};

class Put final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.argument("name", values.name, "Name");
    flags.text({"path", 'p', "PUT_PATH"}, values.path, "Where");
    flags.list({"env", 'e'}, values.env, "Variable");
    flags.number({"replicas"}, values.replicas, "How many");
    flags.yes({"disable", 'd'}, values.disable, "Stopped");
  }
  Task<Result<int>> run(Session&) override { co_return 0; }

  Values values;
};

std::unique_ptr<Command> make_put() { return std::make_unique<Put>(); }

const std::vector<CommandEntry> kTable{
    {"put", {"pu"}, "Puts", make_put},
    {"get", {}, "Gets", nullptr, {{"things", {"thing"}, "Things", make_put}}},
};

struct Line {
  bool verbose = false;
  Result<Parsed> parsed;
  const Values& values() const { return static_cast<const Put&>(*parsed->command).values; }
};

Line parse(std::vector<std::string> arguments, const char* put_path = nullptr) {
  bool verbose = false;
  auto globals = [&](Flags& flags) { flags.yes({"verbose", 'v'}, verbose, "Say more"); };
  auto environment = [&](const char* name) { return std::string_view{name} == "PUT_PATH" ? put_path : nullptr; };
  auto parsed = parse_command_line(arguments, kTable, globals, environment);
  return {verbose, std::move(parsed)};
}

TEST(ParseCommandLine, FillsTheTargetsOfTheCommandThatWasNamed) {
  auto line = parse({"put", "x", "-p", "here", "--env", "A=1", "-e", "B=2,3", "--replicas", "-1", "-d"});
  ASSERT_TRUE(line.parsed) << line.parsed.error().what;
  ASSERT_TRUE(line.parsed->command);
  EXPECT_EQ(line.values().name, "x");
  EXPECT_EQ(line.values().path, "here");
  EXPECT_EQ(line.values().replicas, -1);
  EXPECT_TRUE(line.values().disable);
}

TEST(ParseCommandLine, KeepsRepeatedFlagsApartAndTheirCommasWhole) {
  auto line = parse({"get", "thing", "x", "-e", "A=1", "-e", "B=2,3", "--replicas", "4"});
  ASSERT_TRUE(line.parsed) << line.parsed.error().what;
  EXPECT_EQ(line.values().env, (std::vector<std::string>{"A=1", "B=2,3"}));
  EXPECT_EQ(line.values().replicas, 4);
  EXPECT_FALSE(line.values().disable);
}

TEST(ParseCommandLine, TakesGlobalFlagsAnywhere) {
  EXPECT_TRUE(parse({"put", "x", "-v"}).verbose);
  EXPECT_TRUE(parse({"-v", "put", "x"}).verbose);
}

TEST(ParseCommandLine, TakesTheEnvironmentWhenAFlagIsAbsent) {
  auto line = parse({"get", "things", "x"}, "from-environment");
  EXPECT_EQ(line.values().path, "from-environment");
  auto other = parse({"get", "things", "x", "--path", "given"}, "from-environment");
  EXPECT_EQ(other.values().path, "given");
}

TEST(ParseCommandLine, SaysWhatIsWrongAndWhereHelpIs) {
  auto unknown = parse({"put", "x", "--colour", "red"});
  ASSERT_FALSE(unknown.parsed);
  EXPECT_NE(unknown.parsed.error().what.find("--colour"), std::string::npos);
  EXPECT_NE(unknown.parsed.error().what.find("nuctl put --help"), std::string::npos);
  auto missing = parse({"put"});
  ASSERT_FALSE(missing.parsed);
  EXPECT_NE(missing.parsed.error().what.find("name"), std::string::npos);
}

TEST(ParseCommandLine, GivesHelpForACommandThatHasOthersBelowIt) {
  auto line = parse({"get"});
  ASSERT_TRUE(line.parsed);
  EXPECT_FALSE(line.parsed->command);
  EXPECT_NE(line.parsed->help.find("things"), std::string::npos);
}

TEST(Completions, AreCommandsAndFlags) {
  auto none = [](Flags&) {};
  EXPECT_EQ(completions({}, "", kTable, none), (std::vector<std::string>{"get", "put"}));
  EXPECT_EQ(completions({"get"}, "t", kTable, none), (std::vector<std::string>{"things"}));
  EXPECT_EQ(completions({"put"}, "--di", kTable, none), (std::vector<std::string>{"--disable"}));
}

}  // namespace
}  // namespace nuclio::nuctl
