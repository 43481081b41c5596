// SPDX-License-Identifier: Apache-2.0
#include "schema/yaml.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "schema/document.h"
#include "schema/json.h"

namespace nuclio::schema {
namespace {

namespace json = boost::json;

std::string as_json(std::string_view yaml) {
  const auto value = parse_yaml(yaml);
  return value ? json::serialize(*value) : value.error().what;
}

TEST(ParseYaml, ReadsScalarsAsGoDoes) {
  const std::pair<const char*, const char*> cases[] = {{"", "null"},
                                                       {"~", "null"},
                                                       {"null", "null"},
                                                       {"true", "true"},
                                                       {"False", "false"},
                                                       {"yes", "\"yes\""},
                                                       {"12", "12"},
                                                       {"-12", "-12"},
                                                       {"+3", "3"},
                                                       {"0644", "420"},
                                                       {"0x1F", "31"},
                                                       {"0o17", "15"},
                                                       {"0b11", "3"},
                                                       {"0", "0"},
                                                       {"1.5", "1.5E0"},
                                                       {"1e3", "1E3"},
                                                       {".5", "5E-1"},
                                                       {".inf", "\".inf\""},
                                                       {"nan", "\"nan\""},
                                                       {"-", "[null]"},
                                                       {"1.2.3", "\"1.2.3\""},
                                                       {"12:30", "\"12:30\""},
                                                       {"\"12\"", "\"12\""},
                                                       {"'true'", "\"true\""},
                                                       {"!!str 12", "\"12\""},
                                                       {"089", "\"089\""},
                                                       {"1_000", "\"1_000\""},
                                                       {"--1", "\"--1\""},
                                                       {"0x", "\"0x\""},
                                                       {"1e999", "\"1e999\""},
                                                       {"9223372036854775807", "9223372036854775807"},
                                                       {"18446744073709551615", "18446744073709551615"},
                                                       {"-9223372036854775809", "-9.223372036854776E18"},
                                                       {"2024-01-01", "\"2024-01-01\""}};
  for (const auto& [yaml, expected] : cases) EXPECT_EQ(as_json(yaml), expected) << yaml;
}

TEST(ParseYaml, ReadsBlocksFlowsAnchorsAndMergeKeys) {
  EXPECT_EQ(as_json("a:\n- 1\n- b: |\n    x\n    y\n"), R"({"a":[1,{"b":"x\ny\n"}]})");
  EXPECT_EQ(as_json("{a: [1, 2], 8080: x}"), R"({"a":[1,2],"8080":"x"})");
  EXPECT_EQ(as_json("a: &x {k: 1}\nb: *x\n"), R"({"a":{"k":1},"b":{"k":1}})");
  EXPECT_EQ(as_json("a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}\n"), R"({"a":{"k":1,"l":2},"b":{"k":3,"l":2}})");
  EXPECT_EQ(as_json("a: &x {k: 1}\nb: &y {k: 2, l: 2}\nc: {<<: [*x, *y]}\n"),
            R"({"a":{"k":1},"b":{"k":2,"l":2},"c":{"k":1,"l":2}})");
}

TEST(ParseYaml, SaysWhereItWentWrong) {
  EXPECT_TRUE(as_json("a: [1\nb: 2\n").starts_with("YAML is not valid at line 2"));
  EXPECT_EQ(as_json("a:\n\t- b\n"), "YAML is not valid at line 2, column 2: illegal block entry");
  EXPECT_TRUE(as_json("a: *nothing\n").starts_with("YAML is not valid at line 1"));
  EXPECT_EQ(as_json("a: 1\nb: 2\na: 3\n"), "YAML has the key \"a\" twice, again at line 3, column 1");
  EXPECT_EQ(as_json("{[1]: 2}"), "YAML has a key that is no text at line 1, column 2");
  EXPECT_EQ(as_json("<<: 1\n"), "YAML has a merge key << that names no map at line 1, column 5");
  EXPECT_EQ(as_json("a: 1\n---\nb: 2\n"), "YAML must hold one document, has a second one at line 2, column 1");
}

TEST(ParseYaml, RefusesWhatHasNoEnd) {
  EXPECT_EQ(as_json("&a [*a]"), "YAML has an alias to what it stands in at line 1, column 5");
  EXPECT_NE(as_json(", 0 *").find("YAML "), std::string::npos);
  EXPECT_NE(as_json(", 0 *\x97\xe0\xd0").find("YAML "), std::string::npos);
}

TEST(ParseYaml, StopsAtItsLimits) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int k = 1; k < 10; ++k) bomb += ", " + last;
    bomb += "]\n";
  }
  std::string aliases;
  for (int i = 0; i < 100; ++i) aliases += "*a, ";
  std::string nested;
  for (int i = 0; i < 60; ++i) nested += "&n" + std::to_string(i) + " [";
  const std::pair<std::string, const char*> cases[] = {
      {bomb, "YAML holds more than 200000 values"},
      {std::string(70, '[') + std::string(70, ']'), "YAML is nested deeper than 64"},
      {"{a: &a \"" + std::string(1 << 20, 'x') + "\", b: [" + aliases + "*a]}", "YAML holds more than 64 MiB of text"},
      {nested + std::string(1 << 20, 'x') + std::string(60, ']'), "YAML holds more than 64 MiB of text"},
      {std::string((8 << 20) + 1, ' '), "YAML document must have at most 8 MiB"}};
  for (const auto& [text, message] : cases) {
    const auto value = parse_yaml(text);
    ASSERT_FALSE(value) << message;
    EXPECT_TRUE(value.error().what.starts_with(message)) << value.error().what;
    EXPECT_EQ(value.error().why, Why::too_large);
  }
  for (const char* opening : {"[", "{a: ", "- ", "? "}) {
    std::string deep;
    for (int i = 0; i < 20000; ++i) deep += opening;
    EXPECT_FALSE(parse_yaml(deep)) << opening;
  }
}

TEST(ToYaml, WritesWhatPeopleWouldWrite) {
  const json::value value = json::parse(
      R"({"metadata":{"name":"a","labels":{"nuclio.io/project-name":"p"}},"spec":{"env":[{"name":"A","value":"8080"},)"
      R"({"name":"B","value":"true"}],"build":{"commands":["apk add x","pip install y"],"args":{}},"replicas":2,)"
      R"("ratio":1.5,"code":"def f():\n  pass\n","empty":"","list":[],"nested":[[1,2],[]],"none":null}})");
  EXPECT_EQ(to_yaml(value), R"(metadata:
  name: a
  labels:
    nuclio.io/project-name: p
spec:
  env:
  - name: A
    value: "8080"
  - name: B
    value: "true"
  build:
    commands:
    - apk add x
    - pip install y
    args: {}
  replicas: 2
  ratio: 1.5
  code: |
    def f():
      pass
  empty: ""
  list: []
  nested:
  - - 1
    - 2
  - []
  none: null
)");
}

TEST(ToYaml, GivesEveryTextBack) {
  for (const char* text : {"",
                           " ",
                           "a ",
                           " a",
                           "yes",
                           "No",
                           "null",
                           "~",
                           "1",
                           "0x1",
                           "1e3",
                           ".5",
                           "a: b",
                           "a:",
                           "a #b",
                           "#a",
                           "- a",
                           "-",
                           "?",
                           "!a",
                           "&a",
                           "*a",
                           "@a",
                           "`a`",
                           "%a",
                           "{a}",
                           "[a]",
                           "a, b",
                           "'",
                           "\"",
                           "\\",
                           "a\nb",
                           "a\nb\n",
                           "a\nb\n\n",
                           "\na",
                           " a\nb",
                           "a\n b",
                           "a\n\nb",
                           "\ta\nb",
                           "a\tb",
                           "a\r\nb",
                           "\x01",
                           "gr\u00fc\u00df",
                           "\u2028",
                           "a\n\u0085b",
                           "\ufeff",
                           "---",
                           "---\na",
                           "a\n---\nb\n",
                           "...",
                           "<<",
                           "=",
                           "|",
                           ">",
                           "12:30",
                           "2024-01-01",
                           "/opt/x",
                           "a=b",
                           "(x)",
                           "a:b",
                           "http://a:80/",
                           "\n",
                           "\n\n",
                           "a\n ",
                           "a\n  \nb"}) {
    const json::value value = json::object({{"k", text}, {"l", json::array({text})}});
    const auto again = parse_yaml(to_yaml(value));
    ASSERT_TRUE(again) << to_yaml(value);
    EXPECT_EQ(*again, value) << to_yaml(value);
    const json::value as_key = json::object({{text, 1}});
    const auto key_again = parse_yaml(to_yaml(as_key));
    ASSERT_TRUE(key_again) << to_yaml(as_key);
    EXPECT_EQ(*key_again, as_key) << to_yaml(as_key);
  }
}

TEST(ToYaml, GivesLongKeysBack) {
  for (const std::size_t size : {999u, 1000u, 1001u, 5000u}) {
    const json::value value =
        json::array({json::object({{std::string(size, 'k'), 1}, {std::string(size, '\x1b'), 2}})});
    EXPECT_EQ(parse_yaml(to_yaml(value)).value(), value) << size;
  }
}

TEST(ToYaml, GivesOtherValuesBack) {
  for (const char* text :
       {"null", "true", "5", "-5", "1.5", "2.0", "1e300", "1e-7", "18446744073709551615", "[]", "{}", "[[[]]]", "[{}]",
        "[[1],{\"a\":[{\"b\":[]}]}]", "\"a\\nb\"", "{\"a\":{\"b\":[[{\"c\":null}]]}}"}) {
    const json::value value = json::parse(text);
    const auto again = parse_yaml(to_yaml(value));
    ASSERT_TRUE(again) << text;
    EXPECT_EQ(*again, value) << to_yaml(value);
  }
}

TEST(ParseJson, SaysWhereItWentWrong) {
  const std::pair<const char*, const char*> cases[] = {{"{\"a\": 1,\n  b}", "JSON is not valid at line 2, column 3"},
                                                       {"{\"a\": 1}\nx", "JSON is not valid at line 2, column 1"},
                                                       {"", "JSON is not valid at line 1, column 1"},
                                                       {"{\"a\": ", "JSON is not valid at line 1, column 7"},
                                                       {"[1, 2,]", "JSON is not valid at line 1, column 7"},
                                                       {"\"\xff\"", "JSON is not valid at line 1, column 2"}};
  for (const auto& [text, message] : cases) {
    const auto value = parse_json(text);
    ASSERT_FALSE(value) << text;
    EXPECT_TRUE(value.error().what.starts_with(message)) << text << ": " << value.error().what;
  }
}

TEST(ParseJson, StopsAtItsLimits) {
  EXPECT_TRUE(parse_json(std::string(64, '[') + std::string(64, ']')));
  EXPECT_FALSE(parse_json(std::string(66, '[') + std::string(66, ']')));
  EXPECT_EQ(parse_json(std::string((8 << 20) + 1, ' ')).error().why, Why::too_large);
}

TEST(ToPrettyJson, IndentsByTwo) {
  EXPECT_EQ(to_pretty_json(json::parse(R"({"a":[1,{"b":1.5}],"c":{},"d":[],"e":"x\ny"})")),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": 1.5\n    }\n  ],\n  \"c\": {},\n  \"d\": [],\n  \"e\": "
            "\"x\\ny\"\n}\n");
}

TEST(ParseDocument, TellsJsonFromYaml) {
  EXPECT_EQ(parse_document(" {\"a\": 1}")->scalars, Scalars::exact);
  EXPECT_EQ(parse_document("a: 1")->scalars, Scalars::as_in_yaml);
  EXPECT_EQ(parse_document("{a: 1}")->scalars, Scalars::as_in_yaml);
  EXPECT_EQ(parse_document("\xEF\xBB\xBF"
                           "a: 1")
                ->value,
            json::object({{"a", 1}}));
  EXPECT_TRUE(parse_document("{\"a\": }}").error().what.starts_with("JSON is not valid at line 1, column 7"));
}

}  // namespace
}  // namespace nuclio::schema
