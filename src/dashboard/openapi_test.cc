// SPDX-License-Identifier: Apache-2.0
#include "dashboard/openapi.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <set>

namespace nuclio::dashboard {
namespace {

namespace json = boost::json;

// Each "$ref" below a value.
void collect(const json::value& value, std::set<std::string>& references) {
  if (value.is_array())
    for (const json::value& item : value.get_array()) collect(item, references);
  if (!value.is_object()) return;
  for (const auto& [key, member] : value.get_object()) {
    if (key == "$ref") references.emplace(member.as_string());
    collect(member, references);
  }
}

TEST(OpenApi, DescribesEveryCall) {
  const json::object document = openapi(api_lines());
  const json::object& paths = document.at("paths").as_object();
  std::size_t operations = 0;
  for (const auto& [path, methods] : paths) operations += methods.as_object().size();
  std::size_t expected = 0;
  for (const Line& line : api_lines()) expected += line.method == "*" ? 7 : 1;
  EXPECT_EQ(operations, expected);
  const json::object& get = paths.at("/api/functions/{id}/logs/{replica}").at("get").as_object();
  EXPECT_EQ(get.at("operationId"), "get_functions_by_id_logs_by_replica");
  EXPECT_EQ(get.at("parameters").at(0).at("name"), "id");
  EXPECT_EQ(get.at("parameters").at(1).at("name"), "replica");
  EXPECT_EQ(get.at("parameters").at(3), (json::object{{"$ref", "#/components/parameters/follow"}}));
  EXPECT_EQ(get.at("responses").at("200").at("content").as_object().begin()->key(), "text/plain");
  EXPECT_TRUE(paths.at("/api/function_invocations/{rest}").as_object().contains("delete"));
}

TEST(OpenApi, RefersToNothingThatIsNotThere) {
  const json::value document = openapi(api_lines());
  std::set<std::string> references;
  collect(document, references);
  EXPECT_GT(references.size(), 20U);
  for (const std::string& reference : references) {
    boost::system::error_code error;
    EXPECT_TRUE(document.find_pointer(reference.substr(1), error)) << reference;
  }
}

TEST(OpenApi, GivesEachCallAName) {
  std::set<std::string> names;
  std::size_t calls = 0;
  const json::object document = openapi(api_lines());
  for (const auto& [path, methods] : document.at("paths").as_object())
    for (const auto& [method, operation] : methods.as_object()) {
      names.emplace(operation.at("operationId").as_string());
      ++calls;
    }
  EXPECT_EQ(names.size(), calls);
}

}  // namespace
}  // namespace nuclio::dashboard
