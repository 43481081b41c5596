// SPDX-License-Identifier: Apache-2.0
// The description of structs, with a struct that has every kind of field.
#include <gtest/gtest.h>

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "schema/describe.h"
#include "schema/reference.h"
#include "schema/set_path.h"

namespace nuclio::schema {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

enum class Colour { red, dark_green };
constexpr auto choices(Colour) {
  return std::array{Choice<Colour>{Colour::red, "red"}, Choice<Colour>{Colour::dark_green, "darkGreen"}};
}

struct Circle {
  static constexpr std::string_view kKind = "circle";
  static constexpr std::array<std::string_view, 1> kAliases = {"disc"};
  int radius = 1;
  static constexpr auto fields() { return std::tuple{field("radius", &Circle::radius, {.doc = "Radius.", .min = 0})}; }
};
struct Square {
  static constexpr std::string_view kKind = "square";
  static constexpr bool kInert = true;
  static constexpr bool kIgnoreCase = true;
  int side_length = 1;
  static constexpr auto fields() { return std::tuple{field("sideLength", &Square::side_length, {.doc = "Side."})}; }
};

struct Part {
  std::string name;
  std::variant<Circle, Square> shape;
  template <class P = Part>
  static constexpr auto fields() {
    return std::tuple{field("name", &P::name, {.doc = "Name.", .required = true}),
                      tagged("kind", "attributes", &P::shape, {.doc = "Shape."})};
  }
};

struct Thing {
  std::string title = "untitled";
  bool on = false;
  std::uint8_t level = 3;
  double ratio = 0.5;
  Bytes size{7};
  Colour colour = Colour::red;
  std::chrono::nanoseconds wait = 1s;
  std::optional<int> limit;
  std::vector<std::string> words;
  std::map<std::string, int> counts;
  std::map<std::string, Part> parts;
  json::value any;
  json::object extra;
  json::array more;
  std::string password;

  template <class T = Thing>
  static constexpr auto fields() {
    return std::tuple{field("title", &T::title, {.doc = "Title.", .also = "name"}),
                      field("on", &T::on, {.doc = "On."}),
                      field("level", &T::level, {.doc = "Level.", .deprecated = "height"}),
                      field("ratio", &T::ratio, {.doc = "Ratio.", .min = 0, .max = 1}),
                      field("size", &T::size, {.doc = "Size."}),
                      field("colour", &T::colour, {.doc = "Colour."}),
                      field("wait", &T::wait, {.doc = "Wait."}),
                      field("limit", &T::limit, {.doc = "Limit.", .min = 1}),
                      field("words", &T::words, {.doc = "Words.", .inert = true}),
                      field("counts", &T::counts, {.doc = "Counts.", .max = 9}),
                      field("parts", &T::parts, {.doc = "Parts."}),
                      field("any", &T::any, {.doc = "Anything."}),
                      field("extra", &T::extra, {.doc = "Extra."}),
                      field("more", &T::more, {.doc = "More."}),
                      field("password", &T::password, {.doc = "Password.", .secret = true})};
  }
};

constexpr std::string_view kEverything =
    R"({"title":"t","on":true,"level":255,"ratio":0.25,"size":8,"colour":"darkGreen","wait":"1m30s","limit":5,)"
    R"("words":["a"],"counts":{"x":1},"parts":{"p":{"name":"n","kind":"square","attributes":{"sideLength":2}}},)"
    R"("any":[1,null],"extra":{"deep":{"x":1}},"more":[{}],"password":"p"})";

std::string complaints(std::string_view text, ReadOptions options = {}) {
  const auto outcome = read<Thing>(json::parse(std::string(text)), options);
  return outcome ? "" : outcome.error().what;
}

TEST(Read, FillsEveryKindOfField) {
  const auto outcome = read<Thing>(json::parse(std::string(kEverything)));
  ASSERT_TRUE(outcome) << outcome.error().what;
  const Thing& thing = outcome->config;
  EXPECT_EQ(thing.title, "t");
  EXPECT_TRUE(thing.on);
  EXPECT_EQ(thing.level, 255);
  EXPECT_EQ(thing.ratio, 0.25);
  EXPECT_EQ(thing.size, Bytes{8});
  EXPECT_EQ(thing.colour, Colour::dark_green);
  EXPECT_EQ(thing.wait, 90s);
  EXPECT_EQ(thing.limit, 5);
  EXPECT_EQ(std::get<Square>(thing.parts.at("p").shape).side_length, 2);
  EXPECT_EQ(json::serialize(thing.extra), R"({"deep":{"x":1}})");
}

TEST(Read, TakesNullAndEmptyTextForNotSet) {
  const auto outcome =
      read<Thing>(json::parse(R"({"title":"","level":null,"colour":"","wait":"","limit":"","parts":null,"any":null})"));
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->config.title, "");
  EXPECT_EQ(outcome->config.level, 3);
  EXPECT_EQ(outcome->config.wait, 1s);
  EXPECT_FALSE(outcome->config.limit);
}

TEST(Read, SaysWhatItExpectedAndFound) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"title":1})", "title must be text, is the number 1"},
      {R"({"on":"yes"})", "on must be true or false, is the text \"yes\""},
      {R"({"level":256})", "level must be at most 255, is 256"},
      {R"({"level":-1})", "level must be at least 0, is -1"},
      {R"({"level":"1"})", "level must be a whole number, is the text \"1\""},
      {R"({"level":18446744073709551615})", "level must be a whole number, is the number 18446744073709551615"},
      {R"({"ratio":1.5})", "ratio must be at most 1, is 1.5"},
      {R"({"size":-1})", "size must be at least 0, is -1"},
      {R"({"colour":"darkgreen"})",
       "colour must be one of red and darkGreen, is the text \"darkgreen\"; did you mean \"darkGreen\"?"},
      {R"({"colour":3})", "colour must be one of red and darkGreen, is the number 3"},
      {R"({"wait":5})", "wait must be a duration such as 500ms, 10s or 1h30m, is the number 5"},
      {R"({"limit":0})", "limit must be at least 1, is 0"},
      {R"({"words":"a"})", "words must be a list, is the text \"a\""},
      {R"({"words":["a",null]})", "words[1] must be text, is null"},
      {R"({"counts":{"a b":10}})", "counts[\"a b\"] must be at most 9, is 10"},
      {R"({"parts":[]})", "parts must be an object, is a list"},
      {R"({"parts":{"p":{"kind":"circle"}}})", "parts.p.name is required"},
      {R"({"parts":{"p":{"name":"n"}}})", "parts.p.kind is required; it is one of circle and square"},
      {R"({"parts":{"p":{"name":"n","kind":7}}})", "parts.p.kind must be one of circle and square, is the number 7"},
      {R"({"extra":[]})", "extra must be an object, is a list"},
      {R"({"more":{}})", "more must be a list, is an object"},
      {R"({"password":5})", "password must be text"},
      {R"({"tittle":"x"})", "tittle is not a known field; did you mean \"title\"?"},
      {R"([])", "must be an object with fields, is a list"}};
  for (const auto& [text, message] : cases) EXPECT_EQ(complaints(text), message);
}

TEST(Read, PutsThePathOfTheValueBeforeEachProblem) {
  EXPECT_EQ(complaints(R"({"on":3})", {.path = "spec.thing"}), "spec.thing.on must be true or false, is the number 3");
}

TEST(Read, ReportsAHundredProblemsAndNoMore) {
  std::string text = "{";
  for (int i = 0; i < 1000; ++i) text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "zzzz\":1";
  const std::string all = complaints(text + "}");
  EXPECT_EQ(std::ranges::count(all, '\n'), 99);
}

TEST(Read, CutsLongTextInMessagesBetweenCharacters) {
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "\u00fc";
  const std::string message = complaints("{\"on\":\"a" + umlauts + "\"}");
  EXPECT_EQ(message, "on must be true or false, is the text \"a" + umlauts.substr(0, 58) + "\"...");
}

TEST(Read, KnowsOtherNamesAndWarnsAboutOldOnes) {
  const auto outcome = read<Thing>(json::parse(R"({"name":"n","height":4})"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->config.title, "n");
  EXPECT_EQ(outcome->config.level, 4);
  EXPECT_EQ(text(outcome->warnings), "height is an old name; use level");
}

TEST(Read, WarnsAboutWhatHasNoEffectYet) {
  const auto outcome = read<Thing>(
      json::parse(R"({"words":["x"],"parts":{"p":{"name":"n","kind":"square","attributes":{"SIDELENGTH":4}}}})"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(text(outcome->warnings),
            "words has no effect yet\nparts.p.kind square is not supported yet and has no effect");
  EXPECT_EQ(text(read<Thing>(json::parse(R"({"words":[]})"))->warnings), "");
}

TEST(Write, LeavesOutDefaultsAndGivesTheSameBack) {
  EXPECT_EQ(json::serialize(write(Thing{})), "{}");
  const auto outcome = read<Thing>(json::parse(std::string(kEverything)));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(write(outcome->config), json::parse(std::string(kEverything)));
}

TEST(Write, KeepsWhatWasSetBackToNothing) {
  Thing thing;
  thing.title = "";
  thing.wait = 0s;
  EXPECT_EQ(write(thing), json::parse(R"({"title":"","wait":"0s"})"));
}

TEST(Write, MasksSecretsThatAreSet) {
  Thing thing;
  EXPECT_EQ(json::serialize(write(thing, Secrets::masked)), "{}");
  thing.password = "hunter2";
  EXPECT_EQ(json::serialize(write(thing, Secrets::masked)), R"({"password":"********"})");
}

TEST(SetPath, PutsAValueWhereThePathLeads) {
  const std::tuple<const char*, const char*, const char*, const char*> cases[] = {
      {"{}", "title", "1.10", R"({"title":"1.10"})"},
      {"{}", "name", "x", R"({"title":"x"})"},
      {"{}", "level", "4", R"({"level":4})"},
      {"{}", "on", "true", R"({"on":true})"},
      {"{}", "wait", "10s", R"({"wait":"10s"})"},
      {"{}", "limit", "2", R"({"limit":2})"},
      {"{}", "words", "[a, b]", R"({"words":["a","b"]})"},
      {R"({"words":["a"]})", "words[1]", "b", R"({"words":["a","b"]})"},
      {R"({"words":["a"]})", "words.0", "b", R"({"words":["b"]})"},
      {"{}", "counts[\"a.b/c\"]", "3", R"({"counts":{"a.b/c":3}})"},
      {"{}", "parts.p.kind", "circle", R"({"parts":{"p":{"kind":"circle"}}})"},
      {R"({"parts":{"p":{"kind":"disc"}}})", "parts.p.attributes.radius", "2",
       R"({"parts":{"p":{"kind":"disc","attributes":{"radius":2}}}})"},
      {"{}", "parts.p.attributes.sideLength", "2", R"({"parts":{"p":{"attributes":{"sideLength":2}}}})"},
      {"{}", "extra.a.b", "{c: 1}", R"({"extra":{"a":{"b":{"c":1}}}})"},
      {R"({"extra":{"l":[1]}})", "extra.l[1]", "2", R"({"extra":{"l":[1,2]}})"},
      {"{}", "more[0].x", "1", R"({"more":[{"x":1}]})"},
      {"null", "any", "~", R"({"any":null})"}};
  for (const auto& [before, path, value, after] : cases) {
    json::value root = json::parse(before);
    const auto set = set_path(root, type_of<Thing>(), path, value);
    EXPECT_TRUE(set) << path << ": " << (set ? "" : set.error().what);
    EXPECT_EQ(root, json::parse(after)) << path << ": " << json::serialize(root);
  }
}

TEST(SetPath, SaysWhyAPathLeadsNowhereAndChangesNothing) {
  const std::pair<const char*, const char*> cases[] = {
      {"tittle", "tittle cannot be set: \"tittle\" is not a known field; did you mean \"title\"?"},
      {"title.x", "title.x cannot be set: there is no \"x\" within a single value"},
      {"on.x", "on.x cannot be set: there is no \"x\" within a single value"},
      {"words[3]", "words[3] cannot be set: \"3\" must be the number of a list element, at most 1"},
      {"words.x", "words.x cannot be set: \"x\" must be the number of a list element, at most 1"},
      {"counts.a", "counts.a cannot be set: it leads through the number 1"},
      {"parts.p.attributes.side", "parts.p.attributes.side cannot be set: \"side\" is not a known field"},
      {"", "path must be fields separated by dots, such as spec.minReplicas or spec.env[0].name, is \"\""},
      {"a..b", "path must be fields separated by dots, such as spec.minReplicas or spec.env[0].name, is \"a..b\""},
      {"a.", "path must be fields separated by dots, such as spec.minReplicas or spec.env[0].name, is \"a.\""},
      {"a[0", "path must be fields separated by dots, such as spec.minReplicas or spec.env[0].name, is \"a[0\""}};
  const json::value before = json::parse(R"({"words":["a"],"counts":1,"parts":{"p":{"kind":"circle"}}})");
  for (const auto& [path, message] : cases) {
    json::value root = before;
    const auto set = set_path(root, type_of<Thing>(), path, "1");
    ASSERT_FALSE(set) << path;
    EXPECT_EQ(set.error().what, message);
    EXPECT_EQ(root, before);
  }
}

TEST(JsonSchema, SaysWhatTheReaderChecks) {
  const json::value schema = json_schema(type_of<Thing>(), "Thing");
  EXPECT_EQ(schema.at("title"), "Thing");
  const json::value& properties = schema.at("properties");
  EXPECT_EQ(properties.at("level"), json::parse(R"({"type":"integer","description":"Level.","default":3})"));
  EXPECT_EQ(properties.at("limit"), json::parse(R"({"type":"integer","minimum":1,"description":"Limit."})"));
  EXPECT_EQ(properties.at("colour").at("enum"), json::parse(R"(["red","darkGreen"])"));
  EXPECT_EQ(properties.at("password").at("writeOnly"), true);
  EXPECT_EQ(properties.at("words").at("description"), "Words. Has no effect yet.");
  EXPECT_EQ(properties.at("height").at("deprecated"), true);
  EXPECT_EQ(schema.at("additionalProperties"), false);
  const json::value& part = properties.at("parts").at("additionalProperties");
  EXPECT_EQ(part.at("required"), json::parse(R"(["name","kind"])"));
  EXPECT_EQ(part.at("allOf").at(0).at("if"), json::parse(R"({"properties":{"kind":{"enum":["circle","disc"]}}})"));
}

TEST(ReferencePage, HasALineForEachField) {
  const std::string page = reference_page(type_of<Thing>(), "Thing", "About things.");
  for (const char* line : {"# Thing\n\nAbout things.\n\n| field | type | default | meaning |\n",
                           "| `title` | text | `untitled` | Title. Also read as `name`. |\n",
                           "| `level` | whole number | `3` | Level. Old name: `height`. |\n",
                           "| `ratio` | number | `0.5` | Ratio. From 0 to 1. |\n",
                           "| `words` | list of text |  | Words. **Has no effect yet.** |\n",
                           "| `parts.NAME.kind` | `circle` (also `disc`), `square` |  | Shape. |\n",
                           "## `parts.NAME` of kind `square`\n\n**Has no effect yet:**",
                           "| `parts.NAME.attributes.radius` | whole number | `1` |"})
    EXPECT_NE(page.find(line), std::string::npos) << line << "\n" << page;
}

}  // namespace
}  // namespace nuclio::schema
