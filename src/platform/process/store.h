// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "platform/platform.h"
#include "platform/process/database.h"
#include "spec/api_gateway.h"
#include "spec/function.h"
#include "spec/function_event.h"
#include "spec/project.h"

namespace nuclio::platform::process {

// What is wanted of a function, as opposed to what it does (its status): after a restart of the platform it is made so
// again.
enum class Desired { running, stopped, imported };

struct StoredFunction {
  spec::FunctionConfig config;  // as last asked for, with its last status
  Desired desired = Desired::running;
  Revision latest{0};   // the last that was begun
  Revision serving{0};  // the last that became ready
  int port = 0;         // where it answered last; kept for the next time
};

struct StoredRevision {
  Revision number{0};
  std::optional<SystemTime> deployed;  // nothing for one of an older version of the file
  std::string deployed_by;
  bool served = false;
};

// The platform's memory, NUCLIO_HOME/state.db. Each call is all or nothing and on the disk when it returns. Used on one
// thread; the file belongs to one dashboard at a time.
class Store {
 public:
  // Makes the file when there is none. The error of a file from a newer version says so.
  static Result<Store> open(const std::string& path);

  // A function that this version cannot read any more is left out, with an error in the log, and stays in the file.
  Result<std::vector<StoredFunction>> functions();
  // Those that are left out above, too.
  Result<std::vector<FunctionId>> ids();
  // Adds or replaces it.
  Result<void> save(const StoredFunction& function);
  // With its events.
  Result<void> delete_function(const FunctionId& id);

  // All at once: the function with its latest revision, which is to run its config; and only so many revisions are kept
  // as a platform promises, and the one that serves.
  Result<void> begin_revision(const StoredFunction& function, SystemTime now);
  // Both at once: the function, whose serving revision runs `config` from now on.
  Result<void> begin_serving(const StoredFunction& function, const spec::FunctionConfig& config);
  // The config that a revision runs, which the function's own has left behind when a newer one failed. Why::not_found.
  Result<spec::FunctionConfig> revision(const FunctionId& id, Revision revision);
  Result<std::vector<StoredRevision>> revisions(const FunctionId& id);  // newest first

  Result<std::vector<spec::Project>> projects();
  Result<void> save(const spec::Project& project);
  Result<void> delete_project(const ProjectId& id);

  // By name; of one function when it is named. They are not kept in memory: only who tests a function asks for them.
  Result<std::vector<spec::FunctionEvent>> function_events(const Namespace& namespace_name,
                                                           const std::optional<FunctionName>& function);
  Result<spec::FunctionEvent> function_event(const FunctionEventId& id);  // Why::not_found
  // Why::invalid when its label names no function.
  Result<void> save(const spec::FunctionEvent& event);
  Result<void> delete_function_event(const FunctionEventId& id);

  // All of a namespace by name, with their passwords.
  Result<std::vector<spec::ApiGateway>> api_gateways(const Namespace& namespace_name);
  Result<void> save(const spec::ApiGateway& gateway);
  Result<void> delete_api_gateway(const ApiGatewayId& id);

 private:
  struct Statements {
    Statement functions, ids, save_function, delete_function, begin_revision, serve_revision, revision, revisions,
        keep_revisions, projects, save_project, delete_project, function_events, function_event, save_function_event,
        delete_function_event, delete_events_of, api_gateways, save_api_gateway, delete_api_gateway;
  };
  Store(Database database, Statements statements)
      : database_(std::move(database)), statements_(std::move(statements)) {}
  static Result<Statements> prepare(Database& database);
  Result<void> keep_revisions(const StoredFunction& function);

  Database database_;  // before its statements: they go first
  Statements statements_;
};

}  // namespace nuclio::platform::process
