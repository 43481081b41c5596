// SPDX-License-Identifier: Apache-2.0
#include "dashboard/function_template.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "base/base64.h"

namespace nuclio::dashboard {
namespace {

using ::testing::HasSubstr;
namespace json = boost::json;

json::object values(const char* text) { return json::parse(text).as_object(); }

json::object rendered(std::string_view text, const char* with) {
  auto function = render(text, values(with));
  EXPECT_TRUE(function) << function.error().what;
  return function ? *function : json::object{};
}

TEST(Render, PutsValuesWhereTheirNamesAre) {
  constexpr const char* kText = R"(
metadata:
  name: {{ .name }}-{{.number}}
spec:
  minReplicas: {{ .number }}
  disable: {{.off}}
  env:
    - {name: A, value: "{{ .number }}"}
  triggers:
    {{ .trigger }}:
      kind: http
)";
  EXPECT_EQ(rendered(kText, R"({"name": "f", "number": 3, "off": true, "trigger": "web"})"), values(R"({
      "metadata": {"name": "f-3"},
      "spec": {"minReplicas": 3, "disable": true, "env": [{"name": "A", "value": "3"}],
               "triggers": {"web": {"kind": "http"}}}})"));
}

TEST(Render, LetsNoValueChangeWhatIsAroundIt) {
  for (const std::string value : {"x\n  runtime: other", "a: b # c", "\"'[]{}", "{{ .other }}",
                                  "\xEE\x80\x80"
                                  "0\xEE\x80\x81"}) {
    auto function = render("spec: {runtime: python, description: {{ .value }}}", {{"value", value}});
    ASSERT_TRUE(function) << function.error().what;
    EXPECT_EQ(json::value(*function),
              (json::value{{"metadata", json::object{}}, {"spec", {{"runtime", "python"}, {"description", value}}}}));
  }
}

TEST(Render, KeepsListsAndObjectsWhatTheyAre) {
  const json::object function = rendered("spec: {env: {{ .env }}}", R"({"env": [{"name": "A", "value": "1"}]})");
  EXPECT_EQ(function.at("spec").at("env").at(0).at("value"), "1");
}

TEST(Render, RefusesWhatItCannotRender) {
  struct Case {
    std::string text;
    const char* with;
    const char* complaint;
  };
  for (const Case& each : {
           Case{"{{ .a }}", "{}", "values must have \"a\", which the template asks for"},
           Case{"{{ .a }}", R"({"a": null})", "values must have \"a\""},
           Case{"{{ if .a }}", "{}", "{{ must be followed by a name and }}, as in {{ .name }}, not by \"if .a\""},
           Case{"{{ .a", R"({"a": 1})", "{{ must be followed by a name and }}"},
           Case{"{{ . }}", "{}", "{{ must be followed by a name and }}"},
           Case{"a: [", "{}", "the template: "},
           Case{"spec: {colour: {{ .a }}}", R"({"a": 1})", "the rendered template: spec.colour is not a known field"},
           Case{"spec: {minReplicas: {{ .a }}}", R"({"a": "many"})", "spec.minReplicas must be a whole number"},
           Case{"a: \xEE\x80\x80", "{}", "must not hold the characters U+E000 and U+E001"},
       }) {
    auto function = render(each.text, values(each.with));
    ASSERT_FALSE(function) << each.text;
    EXPECT_EQ(function.error().why, Why::invalid);
    EXPECT_THAT(function.error().what, HasSubstr(each.complaint));
  }
}

// YAML can spell the characters with which places for values are marked.
TEST(Render, TakesNothingForAPlaceThatIsNone) {
  for (const char* spelled :
       {R"(\uE0007\uE001)", R"(\uE00099999999999999999999999\uE001)", R"(\uE000)", R"(\uE000-1\uE001)"}) {
    auto function = render("spec: {description: \"" + std::string(spelled) + " {{ .a }}\"}", {{"a", "end"}});
    ASSERT_TRUE(function) << function.error().what;
    EXPECT_TRUE(function->at("spec").at("description").as_string().ends_with(" end"));
  }
}

TEST(Render, HasALimit) {
  std::string text = "spec: {labels: [";
  for (int i = 0; i < 900; ++i) text += "{{ .a }},";
  auto function = render(text + "]}", {{"a", std::string(10000, 'x')}});
  ASSERT_FALSE(function);
  EXPECT_EQ(function.error().why, Why::too_large);
  for (int i = 0; i < 900; ++i) text += "{{ .a }},";
  EXPECT_THAT(render(text + "]}", {{"a", 1}}).error().what, HasSubstr("at most 1000 places"));
}

TEST(Gallery, HasTemplatesWithTheirCodeInThem) {
  ASSERT_FALSE(gallery().empty());
  for (const FunctionTemplate& each : gallery()) {
    EXPECT_THAT(each.text, HasSubstr("functionSourceCode: "));
    EXPECT_EQ(each.text.find(".SourceCode"), std::string::npos);
    for (const auto& [name, value] : each.values) {
      EXPECT_TRUE(value.as_object().contains("displayName")) << each.name << " " << name;
      EXPECT_THAT(each.text, HasSubstr("{{ ." + std::string(name) + " }}"));
    }
  }
}

TEST(Gallery, IsSearchedByNameAndText) {
  const FunctionTemplate function{.name = "helloWorld", .text = "runtime: python", .values = {}};
  for (const char* word : {"", "*", "HELLO", "Python", "world"}) EXPECT_TRUE(mentions(function, word)) << word;
  EXPECT_FALSE(mentions(function, "java"));
}

}  // namespace
}  // namespace nuclio::dashboard
