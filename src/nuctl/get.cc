// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>

#include "nuctl/commands.h"
#include "nuctl/function_client.h"
#include "nuctl/function_event_client.h"
#include "nuctl/function_flags.h"
#include "nuctl/output.h"
#include "nuctl/project_client.h"

namespace nuclio::nuctl {
namespace {

namespace json = boost::json;

std::string pairs_at(const json::object& object, std::string_view path) {
  const json::value* value = value_at(object, path);
  std::string out;
  if (value && value->is_object())
    for (const auto& [key, label] : value->get_object())
      out += (out.empty() ? "" : ",") + std::string(key) + "=" +
             (label.is_string() ? std::string(label.get_string()) : json::serialize(label));
  return out;
}

std::string joined_at(const json::object& object, std::string_view path) {
  const json::value* value = value_at(object, path);
  std::string out;
  if (value && value->is_array())
    for (const json::value& item : value->get_array())
      if (item.is_string()) out += (out.empty() ? "" : ", ") + std::string(item.get_string());
  return out;
}

long number_at(const json::object& object, std::string_view path, long absent) {
  const json::value* value = value_at(object, path);
  return value && value->is_number() ? value->to_number<long>() : absent;
}

// Label keys have dots, so they are no path.
std::string label(const json::object& object, std::string_view key) {
  const json::value* labels = value_at(object, "metadata.labels");
  if (!labels || !labels->is_object()) return "";
  const json::value* value = labels->get_object().if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : "";
}

bool matches(const json::object& object, const json::object& wanted) {
  for (const auto& [key, value] : wanted)
    if (label(object, key) != std::string_view{value.get_string()}) return false;
  return true;
}

bool is_true(const json::object& object, std::string_view path) {
  const json::value* value = value_at(object, path);
  return value && value->is_bool() && value->get_bool();
}

std::string state_of(const json::object& function) {
  std::string state = text_at(function, "status.state");
  return state == "ready" && is_true(function, "spec.disable") ? "standby" : state;
}

// "available/specified". A platform that does not say how many are available has all or none.
std::string replicas_of(const json::object& function) {
  std::string state = state_of(function);
  long specified = number_at(function, "spec.replicas", number_at(function, "spec.minReplicas", 1));
  if (state == "standby" || state == "scaledToZero" || state == "imported") return "0/0";
  const json::value* available = value_at(function, "status.replicas");
  if (available && available->is_int64())
    return std::to_string(available->get_int64()) + "/" + std::to_string(specified);
  return std::to_string(state == "ready" ? specified : 0) + "/" + std::to_string(specified);
}

Table function_table(const std::vector<json::object>& functions, bool wide) {
  bool with_port = false;
  for (const json::object& function : functions) with_port |= number_at(function, "status.httpPort", 0) > 0;
  std::vector<std::string> titles{"Namespace", "Name", "Project", "State", "Replicas"};
  if (with_port) titles.push_back("Node Port");
  if (wide) titles.insert(titles.end(), {"Labels", "Internal Invocation URLs", "External Invocation URLs"});
  Table table{titles};
  for (const json::object& function : functions) {
    std::vector<std::string> row{text_at(function, "metadata.namespace"), text_at(function, "metadata.name"),
                                 label(function, "nuclio.io/project-name"), state_of(function), replicas_of(function)};
    long port = number_at(function, "status.httpPort", 0);
    if (with_port) row.push_back(port > 0 ? std::to_string(port) : "");
    if (wide) {
      row.push_back(pairs_at(function, "metadata.labels"));
      row.push_back(joined_at(function, "status.internalInvocationUrls"));
      row.push_back(joined_at(function, "status.externalInvocationUrls"));
    }
    table.add(std::move(row));
  }
  return table;
}

class GetFunctions final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.optional_argument("name", name_, "Only this function");
    flags.text({"output", 'o'}, format_, "text, wide, yaml, json, name");
    flags.text({"labels", 'l'}, labels_, "Only functions with these labels, name=value,…");
    flags.text({"project-name"}, project_, "Only functions of this project");
  }

  Task<Result<int>> run(Session& session) override {
    CO_TRY(Format format, parse_format(format_));
    json::object wanted;
    CO_TRY_DO(add_pairs(wanted, labels_, "labels"));
    std::vector<json::object> functions;
    if (name_.empty()) {
      CO_TRY(functions, co_await list_functions(session, project_));
      std::erase_if(functions, [&](const json::object& function) { return !matches(function, wanted); });
    } else {
      auto function = co_await get_function(session, name_);
      if (!function && function.error().why != Why::not_found) co_return std::unexpected(function.error());
      if (function) functions.push_back(std::move(*function));
    }
    if (functions.empty() && format != Format::json && format != Format::yaml) {
      session.print("No functions found\n");
      co_return name_.empty() ? 0 : 1;
    }
    if (format == Format::text || format == Format::wide) {
      session.print(function_table(functions, format == Format::wide).text());
    } else {
      session.print(print_objects(format, functions, !name_.empty()));
    }
    co_return functions.empty() && !name_.empty() ? 1 : 0;
  }

 private:
  std::string name_, labels_, project_;
  std::string format_ = "text";
};

class GetProjects final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.optional_argument("name", name_, "Only this project");
    flags.text({"output", 'o'}, format_, "text, wide, yaml, json, name");
  }

  Task<Result<int>> run(Session& session) override {
    CO_TRY(Format format, parse_format(format_));
    CO_TRY(auto projects, co_await list_projects(session, name_));
    if (projects.empty() && format != Format::json && format != Format::yaml) {
      session.print("No projects found\n");
      co_return name_.empty() ? 0 : 1;
    }
    if (format == Format::text || format == Format::wide) {
      std::vector<std::string> titles{"Namespace", "Name"};
      if (format == Format::wide)
        titles.insert(titles.end(), {"Description", "Owner", "Default Function Node Selector"});
      Table table{titles};
      for (const json::object& project : projects) {
        std::vector<std::string> row{text_at(project, "metadata.namespace"), text_at(project, "metadata.name")};
        if (format == Format::wide) {
          row.push_back(text_at(project, "spec.description"));
          row.push_back(text_at(project, "spec.owner"));
          row.push_back(pairs_at(project, "spec.defaultFunctionNodeSelector"));
        }
        table.add(std::move(row));
      }
      session.print(table.text());
    } else {
      session.print(print_objects(format, projects, !name_.empty()));
    }
    co_return projects.empty() && !name_.empty() ? 1 : 0;
  }

 private:
  std::string name_;
  std::string format_ = "text";
};

Table function_event_table(const std::vector<json::object>& events, bool wide) {
  std::vector<std::string> titles{"Namespace", "Name", "Display Name", "Function", "Trigger Name", "Trigger Kind"};
  if (wide) titles.emplace_back("Body");
  Table table{titles};
  for (const json::object& event : events) {
    std::vector<std::string> row{text_at(event, "metadata.namespace"), text_at(event, "metadata.name"),
                                 text_at(event, "spec.displayName"),   label(event, "nuclio.io/function-name"),
                                 text_at(event, "spec.triggerName"),   text_at(event, "spec.triggerKind")};
    if (wide) row.push_back(text_at(event, "spec.body"));
    table.add(std::move(row));
  }
  return table;
}

class GetFunctionEvents final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.optional_argument("name", name_, "Only this event");
    flags.text({"output", 'o'}, format_, "text, wide, yaml, json, name");
    flags.text({"function", 'f'}, function_, "Only events of this function");
  }

  Task<Result<int>> run(Session& session) override {
    CO_TRY(Format format, parse_format(format_));
    std::vector<json::object> events;
    if (name_.empty()) {
      CO_TRY(events, co_await list_function_events(session, function_));
    } else {
      auto event = co_await get_function_event(session, name_);
      if (!event && event.error().why != Why::not_found) co_return std::unexpected(event.error());
      if (event && (function_.empty() || label(*event, "nuclio.io/function-name") == function_))
        events.push_back(std::move(*event));
    }
    if (events.empty() && format != Format::json && format != Format::yaml) {
      session.print("No function events found\n");
    } else if (format == Format::text || format == Format::wide) {
      session.print(function_event_table(events, format == Format::wide).text());
    } else {
      session.print(print_objects(format, events, !name_.empty()));
    }
    co_return events.empty() && !name_.empty() ? 1 : 0;
  }

 private:
  std::string name_, function_;
  std::string format_ = "text";
};

}  // namespace

std::unique_ptr<Command> make_get_functions() { return std::make_unique<GetFunctions>(); }
std::unique_ptr<Command> make_get_function_events() { return std::make_unique<GetFunctionEvents>(); }
std::unique_ptr<Command> make_get_projects() { return std::make_unique<GetProjects>(); }

}  // namespace nuclio::nuctl
