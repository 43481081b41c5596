// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>

#include "nuctl/commands.h"
#include "nuctl/function_client.h"
#include "nuctl/function_event_client.h"
#include "nuctl/project_client.h"
#include "schema/document.h"

namespace nuclio::nuctl {
namespace {

namespace json = boost::json;

class CreateProject final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.argument("name", name_, "Name of the project");
    flags.text({"description"}, description_, "What the project is for");
    flags.text({"owner"}, owner_, "Whose it is");
  }

  Task<Result<int>> run(Session& session) override {
    json::object spec;
    if (!description_.empty()) spec["description"] = description_;
    if (!owner_.empty()) spec["owner"] = owner_;
    json::object project{{"metadata", {{"name", name_}}}, {"spec", std::move(spec)}};
    CO_TRY_DO(co_await create_project(session, std::move(project)));
    session.print("Project " + name_ + " created\n");
    co_return 0;
  }

 private:
  std::string name_, description_, owner_;
};

class CreateFunctionEvent final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.argument("name", name_, "Name of the event");
    flags.text({"function"}, function_, "Function that the event is for");
    flags.text({"display-name"}, display_name_, "Name to show");
    flags.text({"trigger-name"}, trigger_name_, "Trigger that the event is for");
    flags.text({"trigger-kind"}, trigger_kind_, "Kind of that trigger");
    flags.text({"body"}, body_, "Body of the event");
    flags.text({"attrs"}, attributes_, "method, path and headers of the event, as JSON");
  }

  Task<Result<int>> run(Session& session) override {
    if (function_.empty()) co_return fail(Why::invalid, "--function must name the function that the event is for");
    json::object spec;
    for (const auto& [key, value] : {std::pair{"displayName", &display_name_},
                                     {"triggerName", &trigger_name_},
                                     {"triggerKind", &trigger_kind_},
                                     {"body", &body_}})
      if (!value->empty()) spec[key] = *value;
    if (!attributes_.empty()) {
      auto attributes = schema::parse_document(attributes_);
      if (!attributes) co_return std::unexpected(std::move(attributes).error().in("--attrs"));
      if (!attributes->value.is_object())
        co_return fail(Why::invalid, "--attrs must be an object as in '{\"method\": \"POST\"}', is " + attributes_);
      spec["attributes"] = std::move(attributes->value);
    }
    json::object labels{{"nuclio.io/function-name", function_}};
    json::object event{{"metadata", {{"name", name_}, {"labels", std::move(labels)}}}, {"spec", std::move(spec)}};
    CO_TRY_DO(co_await create_function_event(session, std::move(event)));
    session.print("Function event " + name_ + " created\n");
    co_return 0;
  }

 private:
  std::string name_, function_, display_name_, trigger_name_, trigger_kind_, body_, attributes_;
};

// Deleting what is not there is no error for a function: the wish is fulfilled. It is one for a project.
class DeleteFunction final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.argument("name", name_, "Name of the function");
    flags.yes({"force", 'f'}, force_, "Also while it is being deployed");
    flags.yes({"with-api-gateways"}, with_api_gateways_, "And the API gateways that lead to it");
  }

  Task<Result<int>> run(Session& session) override {
    const auto gateways = with_api_gateways_ ? WithGateways::yes : WithGateways::no;
    CO_TRY_DO(co_await delete_function(session, name_, force_ ? Force::yes : Force::no, gateways));
    co_return 0;
  }

 private:
  std::string name_;
  bool force_ = false;
  bool with_api_gateways_ = false;
};

class DeleteProject final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.argument("name", name_, "Name of the project");
    flags.text({"strategy"}, strategy_, "restricted refuses when it is not empty, cascading deletes what is in it");
    flags.yes({"wait"}, wait_, "Return once all is gone (always the case on this platform)");
    flags.text({"wait-timeout"}, wait_timeout_, "How long to wait");
  }

  Task<Result<int>> run(Session& session) override {
    if (strategy_ != "restricted" && strategy_ != "cascading" && strategy_ != "check")
      co_return fail(Why::invalid, "--strategy must be restricted, cascading or check, is \"" + strategy_ + "\"");
    CO_TRY_DO(co_await delete_project(session, name_, strategy_));
    co_return 0;
  }

 private:
  std::string name_;
  std::string strategy_ = "restricted";
  std::string wait_timeout_ = "3m";
  bool wait_ = false;
};

class DeleteFunctionEvent final : public Command {
 public:
  void declare(Flags& flags) override { flags.argument("name", name_, "Name of the event"); }

  Task<Result<int>> run(Session& session) override {
    CO_TRY_DO(co_await delete_function_event(session, name_));
    co_return 0;
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> make_create_function_event() { return std::make_unique<CreateFunctionEvent>(); }
std::unique_ptr<Command> make_delete_function_event() { return std::make_unique<DeleteFunctionEvent>(); }
std::unique_ptr<Command> make_create_project() { return std::make_unique<CreateProject>(); }
std::unique_ptr<Command> make_delete_function() { return std::make_unique<DeleteFunction>(); }
std::unique_ptr<Command> make_delete_project() { return std::make_unique<DeleteProject>(); }

}  // namespace nuclio::nuctl
