// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>

#include "nuctl/commands.h"
#include "nuctl/function_client.h"
#include "nuctl/function_flags.h"
#include "nuctl/output.h"
#include "nuctl/project_client.h"
#include "schema/document.h"

namespace nuclio::nuctl {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

// The documents of a text: one, or several with "---" between.
Result<std::vector<json::object>> documents(std::string_view text, const std::string& from) {
  std::vector<json::object> out;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t end = std::min(text.find("\n---", begin), text.size());
    auto document = schema::parse_document(text.substr(begin, end - begin));
    if (!document) return std::unexpected(std::move(document.error()).in(from));
    json::value& value = document->value;
    if (value.is_object()) {
      out.push_back(std::move(value.get_object()));
    } else if (value.is_array()) {
      for (json::value& item : value.get_array())
        if (item.is_object()) out.push_back(std::move(item.get_object()));
    } else if (!value.is_null()) {
      return fail(Why::invalid, from + " must hold objects, as nuctl export writes them");
    }
    begin = std::min(text.find('\n', std::min(end + 1, text.size())), text.size()) + 1;
    if (end == text.size()) break;
  }
  return out;
}

class ExportFunctions final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.optional_argument("name", name_, "Only this function");
    flags.text({"output", 'o'}, format_, "yaml, json");
    flags.yes({"no-scrub"}, no_scrub_, "Keep passwords and secrets");
    flags.yes({"cleanup-spec"}, cleanup_, "Leave out registries, and the image when the code is inline");
  }

  Task<Result<int>> run(Session& session) override {
    CO_TRY(Format format, parse_format(format_));
    std::vector<std::string> names{name_};
    if (name_.empty()) {
      names.clear();
      CO_TRY(auto functions, co_await list_functions(session, ""));
      for (const json::object& function : functions) names.push_back(text_at(function, "metadata.name"));
    }
    std::vector<json::object> exported;
    for (const std::string& name : names) {
      Session::Api api{.method = "GET", .path = api_path("functions", name) + "?export=true"};
      api.headers.emplace_back("X-Nuclio-Function-Namespace", session.name_space());
      if (cleanup_) api.headers.emplace_back("X-Nuclio-Skip-Spec-Cleanup", "true");
      if (no_scrub_) api.path += "&scrub=false";
      CO_TRY(json::value value, co_await session.call(std::move(api), Deadline::in(60s)));
      if (value.is_object()) exported.push_back(std::move(value.get_object()));
    }
    session.print(print_objects(format, exported, !name_.empty()));
    co_return 0;
  }

 private:
  std::string name_;
  std::string format_ = "yaml";
  bool no_scrub_ = false;
  bool cleanup_ = false;
};

class ExportProjects final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.optional_argument("name", name_, "Only this project");
    flags.text({"output", 'o'}, format_, "yaml, json");
  }

  Task<Result<int>> run(Session& session) override {
    CO_TRY(Format format, parse_format(format_));
    CO_TRY(auto projects, co_await list_projects(session, name_));
    if (projects.empty() && !name_.empty()) co_return fail(Why::not_found, "there is no project " + name_);
    std::vector<json::object> exported;
    for (const json::object& project : projects) {
      CO_TRY(json::object one, co_await export_project(session, text_at(project, "metadata.name")));
      exported.push_back(std::move(one));
    }
    session.print(print_objects(format, exported, !name_.empty()));
    co_return 0;
  }

 private:
  std::string name_;
  std::string format_ = "yaml";
};

class ImportFunctions final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.optional_argument("file", file_, "File to read; standard input when left out");
  }

  Task<Result<int>> run(Session& session) override {
    CO_TRY(std::string text, file_.empty() ? session.read_input() : session.read_file(file_));
    CO_TRY(auto functions, documents(text, file_.empty() ? "standard input" : file_));
    int failed = 0;
    for (json::object& function : functions) {
      std::string name = text_at(function, "metadata.name");
      object_at(function, "metadata")["namespace"] = session.name_space();
      function.erase("status");
      Session::Api api{.method = "POST", .path = api_path("functions"), .body = json::serialize(function)};
      api.headers.emplace_back("X-Nuclio-Function-Namespace", session.name_space());
      api.headers.emplace_back("X-Nuclio-Wait-Function-Action", "true");
      auto result = co_await session.call(std::move(api), Deadline::in(70min));
      if (result) {
        session.print("Function " + name + " imported\n");
      } else {
        session.note("nuctl: importing " + name + ": " + result.error().what + "\n");
        ++failed;
      }
    }
    co_return failed == 0 ? 0 : 1;
  }

 private:
  std::string file_;
};

class ImportProjects final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.optional_argument("file", file_, "File to read; standard input when left out");
  }

  Task<Result<int>> run(Session& session) override {
    CO_TRY(std::string text, file_.empty() ? session.read_input() : session.read_file(file_));
    CO_TRY(auto projects, documents(text, file_.empty() ? "standard input" : file_));
    int failed = 0;
    for (json::object& project : projects) {
      std::string name = text_at(project, "project.metadata.name");
      Session::Api api{.method = "POST", .path = "/api/projects?import=true", .body = json::serialize(project)};
      api.headers.emplace_back("X-Nuclio-Project-Namespace", session.name_space());
      auto result = co_await session.call(std::move(api), Deadline::in(70min));
      if (!result) {
        session.note("nuctl: importing project " + name + ": " + result.error().what + "\n");
        ++failed;
        continue;
      }
      failed += say_imported(session, name, *result);
    }
    co_return failed == 0 ? 0 : 1;
  }

 private:
  // The call succeeds also when some of what is in the project could not be imported: the body tells.
  static int say_imported(Session& session, const std::string& name, const json::value& report) {
    struct Kind {
      const char* failed;  // where the report lists those that failed
      const char* name;    // what their name is called there
      const char* words;
    };
    constexpr Kind kKinds[] = {
        {"functionImportResult.failedFunctions", "function", "function"},
        {"functionEventImportResult.failedFunctionEvents", "functionEvent", "function event"},
        {"apiGatewayImportResult.failedAPIGateways", "apiGateway", "API gateway"},
    };
    session.print("Project " + name + " imported\n");
    int failed = 0;
    for (const Kind& kind : kKinds) {
      const json::value* list = report.is_object() ? value_at(report.get_object(), kind.failed) : nullptr;
      if (!list || !list->is_array()) continue;
      for (const json::value& one : list->get_array()) {
        std::string what = one.is_object() ? text_at(one.get_object(), "error") : json::serialize(one);
        std::string which = one.is_object() ? text_at(one.get_object(), kind.name) : "";
        session.note("nuctl: importing " + std::string(kind.words) + " " + which + ": " + what + "\n");
        ++failed;
      }
    }
    return failed;
  }

  std::string file_;
};

}  // namespace

std::unique_ptr<Command> make_export_functions() { return std::make_unique<ExportFunctions>(); }
std::unique_ptr<Command> make_export_projects() { return std::make_unique<ExportProjects>(); }
std::unique_ptr<Command> make_import_functions() { return std::make_unique<ImportFunctions>(); }
std::unique_ptr<Command> make_import_projects() { return std::make_unique<ImportProjects>(); }

}  // namespace nuclio::nuctl
