// SPDX-License-Identifier: Apache-2.0
#include "platform/process/store.h"

#include <array>
#include <boost/json.hpp>

#include "base/log.h"
#include "platform/demands.h"
#include "schema/json.h"
#include "spec/load.h"

namespace nuclio::platform::process {
namespace {

// What makes each version of the schema of the one before: a file of any version comes to the newest by those it lacks.
constexpr std::array kSchema{R"(
CREATE TABLE projects (
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  object TEXT NOT NULL,
  PRIMARY KEY (namespace, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE functions (
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  object TEXT NOT NULL,
  desired TEXT NOT NULL CHECK (desired IN ('running', 'stopped', 'imported')),
  latest INTEGER NOT NULL,
  serving INTEGER NOT NULL,
  port INTEGER NOT NULL,
  PRIMARY KEY (namespace, name)
) STRICT;
CREATE TABLE revisions (
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  number INTEGER NOT NULL,
  object TEXT NOT NULL,
  PRIMARY KEY (namespace, name, number),
  FOREIGN KEY (namespace, name) REFERENCES functions ON DELETE CASCADE
) STRICT;
PRAGMA user_version = 1;
)",
                             // No foreign key: an event may come before its function.
                             R"(
CREATE TABLE function_events (
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  function TEXT NOT NULL,
  object TEXT NOT NULL,
  PRIMARY KEY (namespace, name)
) STRICT;
CREATE INDEX events_of_function ON function_events (namespace, function);
PRAGMA user_version = 2;
)",
                             R"(
CREATE TABLE api_gateways (
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  object TEXT NOT NULL,
  PRIMARY KEY (namespace, name)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 3;
)",
                             // Until then, only revisions that served were kept.
                             R"(
ALTER TABLE revisions ADD COLUMN deployed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE revisions ADD COLUMN deployed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE revisions ADD COLUMN served INTEGER NOT NULL DEFAULT 1;
PRAGMA user_version = 4;
)"};
constexpr std::int64_t kSchemaVersion = kSchema.size();

constexpr std::array<std::string_view, 3> kDesired{"running", "stopped", "imported"};

std::string_view text_of(Desired desired) { return kDesired[static_cast<std::size_t>(desired)]; }

Desired desired_of(std::string_view text) {
  for (std::size_t i = 0; i < kDesired.size(); ++i)
    if (kDesired[i] == text) return static_cast<Desired>(i);
  return Desired::stopped;  // the table's CHECK lets no other text in
}

std::int64_t milliseconds_of(SystemTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::string function_text(const spec::FunctionConfig& config) {
  return boost::json::serialize(spec::to_json(config, spec::Secrets::shown));
}

Result<spec::FunctionConfig> read_function_text(const std::string& text) {
  TRY(auto value, schema::parse_json(text));
  TRY(auto loaded, spec::read_function(value, spec::Unknown::warning));
  return std::move(loaded.config);
}

Result<spec::FunctionEvent> read_event_text(const std::string& text) {
  TRY(auto value, schema::parse_json(text));
  TRY(auto loaded, spec::read_function_event(value, spec::Unknown::warning));
  return std::move(loaded.config);
}

Result<spec::ApiGateway> read_gateway_text(const std::string& text) {
  TRY(auto value, schema::parse_json(text));
  TRY(auto loaded, spec::read_api_gateway(value, spec::Unknown::warning));
  return std::move(loaded.config);
}

Result<void> make_schema(Database& database, const std::string& path) {
  TRY(std::int64_t version, database.schema_version());
  if (version == kSchemaVersion) return {};
  if (version > kSchemaVersion)
    return fail(Why::precondition, path + " was written by a newer version of this program (schema " +
                                       std::to_string(version) + ", this one knows " + std::to_string(kSchemaVersion) +
                                       "); run the newer one, or set NUCLIO_HOME to another folder");
  TRY(auto transaction, Database::Transaction::begin(database));
  for (std::size_t step = static_cast<std::size_t>(version); step < kSchema.size(); ++step)
    TRY_DO(database.execute(kSchema[step]));
  return transaction.commit();
}

}  // namespace

Result<Store> Store::open(const std::string& path) {
  TRY(Database database, Database::open(path));
  TRY_DO(make_schema(database, path));
  TRY(Statements statements, prepare(database));
  return Store{std::move(database), std::move(statements)};
}

Result<Store::Statements> Store::prepare(Database& database) {
  TRY(auto functions,
      database.prepare("SELECT object, desired, latest, serving, port FROM functions ORDER BY namespace, name"));
  TRY(auto ids, database.prepare("SELECT namespace, name FROM functions"));
  // Not REPLACE, which deletes the row first and its revisions with it.
  TRY(auto save_function,
      database.prepare("INSERT INTO functions (namespace, name, object, desired, latest, serving, port)"
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET object = ?3,"
                       " desired = ?4, latest = ?5, serving = ?6, port = ?7"));
  TRY(auto delete_function, database.prepare("DELETE FROM functions WHERE namespace = ?1 AND name = ?2"));
  TRY(auto begin_revision,
      database.prepare(
          "INSERT OR REPLACE INTO revisions (namespace, name, number, object, deployed, deployed_by, served)"
          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)"));
  TRY(auto serve_revision,
      database.prepare("INSERT INTO revisions (namespace, name, number, object, served) VALUES (?1, ?2, ?3, ?4, 1)"
                       " ON CONFLICT DO UPDATE SET object = ?4, served = 1"));
  TRY(auto revision,
      database.prepare("SELECT object FROM revisions WHERE namespace = ?1 AND name = ?2 AND number = ?3"));
  TRY(auto revisions,
      database.prepare("SELECT number, deployed, deployed_by, served FROM revisions WHERE namespace = ?1 AND name = ?2"
                       " ORDER BY number DESC"));
  TRY(auto keep_revisions,
      database.prepare("DELETE FROM revisions WHERE namespace = ?1 AND name = ?2 AND number != ?3 AND number NOT IN"
                       " (SELECT number FROM revisions WHERE namespace = ?1 AND name = ?2"
                       " ORDER BY number DESC LIMIT ?4)"));
  TRY(auto projects, database.prepare("SELECT object FROM projects ORDER BY namespace, name"));
  TRY(auto save_project,
      database.prepare("INSERT OR REPLACE INTO projects (namespace, name, object) VALUES (?1, ?2, ?3)"));
  TRY(auto delete_project, database.prepare("DELETE FROM projects WHERE namespace = ?1 AND name = ?2"));
  TRY(auto function_events,
      database.prepare("SELECT object FROM function_events WHERE namespace = ?1 AND (?2 = '' OR function = ?2)"
                       " ORDER BY name"));
  TRY(auto function_event, database.prepare("SELECT object FROM function_events WHERE namespace = ?1 AND name = ?2"));
  TRY(auto save_function_event,
      database.prepare("INSERT OR REPLACE INTO function_events (namespace, name, function, object)"
                       " VALUES (?1, ?2, ?3, ?4)"));
  TRY(auto delete_function_event, database.prepare("DELETE FROM function_events WHERE namespace = ?1 AND name = ?2"));
  TRY(auto delete_events_of, database.prepare("DELETE FROM function_events WHERE namespace = ?1 AND function = ?2"));
  TRY(auto api_gateways, database.prepare("SELECT object FROM api_gateways WHERE namespace = ?1 ORDER BY name"));
  TRY(auto save_api_gateway,
      database.prepare("INSERT OR REPLACE INTO api_gateways (namespace, name, object) VALUES (?1, ?2, ?3)"));
  TRY(auto delete_api_gateway, database.prepare("DELETE FROM api_gateways WHERE namespace = ?1 AND name = ?2"));
  return Statements{std::move(functions),
                    std::move(ids),
                    std::move(save_function),
                    std::move(delete_function),
                    std::move(begin_revision),
                    std::move(serve_revision),
                    std::move(revision),
                    std::move(revisions),
                    std::move(keep_revisions),
                    std::move(projects),
                    std::move(save_project),
                    std::move(delete_project),
                    std::move(function_events),
                    std::move(function_event),
                    std::move(save_function_event),
                    std::move(delete_function_event),
                    std::move(delete_events_of),
                    std::move(api_gateways),
                    std::move(save_api_gateway),
                    std::move(delete_api_gateway)};
}

Result<std::vector<StoredFunction>> Store::functions() {
  std::vector<StoredFunction> out;
  Statement& rows = statements_.functions;
  for (;;) {
    TRY(bool row, rows.step());
    if (!row) return out;
    auto config = read_function_text(rows.text(0));
    if (!config) {
      log::error("A function in the state cannot be read and is left out", {{"reason", config.error().what}});
      continue;
    }
    out.push_back({std::move(*config), desired_of(rows.text(1)), Revision{rows.number(2)}, Revision{rows.number(3)},
                   static_cast<int>(rows.number(4))});
  }
}

Result<std::vector<FunctionId>> Store::ids() {
  std::vector<FunctionId> out;
  for (;;) {
    TRY(bool row, statements_.ids.step());
    if (!row) return out;
    out.push_back({Namespace{statements_.ids.text(0)}, FunctionName{statements_.ids.text(1)}});
  }
}

Result<void> Store::begin_revision(const StoredFunction& function, SystemTime now) {
  const spec::Metadata& metadata = function.config.metadata;
  const auto by = metadata.annotations.find(std::string(kDeployedBy));
  TRY(auto transaction, Database::Transaction::begin(database_));
  TRY_DO(save(function));
  TRY_DO(statements_.begin_revision.bind(1, metadata.namespace_name)
             .bind(2, metadata.name)
             .bind(3, function.latest.value())
             .bind(4, function_text(function.config))
             .bind(5, milliseconds_of(now))
             .bind(6, by == metadata.annotations.end() ? "" : by->second)
             .run());
  TRY_DO(keep_revisions(function));
  return transaction.commit();
}

Result<void> Store::keep_revisions(const StoredFunction& function) {
  return statements_.keep_revisions.bind(1, function.config.metadata.namespace_name)
      .bind(2, function.config.metadata.name)
      .bind(3, function.serving.value())
      .bind(4, static_cast<std::int64_t>(kRevisionsKept))
      .run();
}

Result<void> Store::begin_serving(const StoredFunction& function, const spec::FunctionConfig& config) {
  TRY(auto transaction, Database::Transaction::begin(database_));
  TRY_DO(statements_.serve_revision.bind(1, function.config.metadata.namespace_name)
             .bind(2, function.config.metadata.name)
             .bind(3, function.serving.value())
             .bind(4, function_text(config))
             .run());
  TRY_DO(save(function));
  TRY_DO(keep_revisions(function));
  return transaction.commit();
}

Result<void> Store::save(const StoredFunction& function) {
  const auto& metadata = function.config.metadata;
  return statements_.save_function.bind(1, metadata.namespace_name)
      .bind(2, metadata.name)
      .bind(3, function_text(function.config))
      .bind(4, text_of(function.desired))
      .bind(5, function.latest.value())
      .bind(6, function.serving.value())
      .bind(7, std::int64_t{function.port})
      .run();
}

Result<void> Store::delete_function(const FunctionId& id) {
  TRY(auto transaction, Database::Transaction::begin(database_));
  TRY_DO(statements_.delete_events_of.bind(1, id.namespace_name.value()).bind(2, id.name.value()).run());
  TRY_DO(statements_.delete_function.bind(1, id.namespace_name.value()).bind(2, id.name.value()).run());
  return transaction.commit();
}

Result<spec::FunctionConfig> Store::revision(const FunctionId& id, Revision revision) {
  Statement& rows =
      statements_.revision.bind(1, id.namespace_name.value()).bind(2, id.name.value()).bind(3, revision.value());
  TRY(bool row, rows.step());
  if (!row) return fail(missing_revision(id, revision));
  std::string text = rows.text(0);
  TRY_DO(rows.step());  // to the end, so that it can be used again
  return read_function_text(text);
}

Result<std::vector<StoredRevision>> Store::revisions(const FunctionId& id) {
  Statement& rows = statements_.revisions.bind(1, id.namespace_name.value()).bind(2, id.name.value());
  std::vector<StoredRevision> out;
  for (;;) {
    TRY(bool row, rows.step());
    if (!row) return out;
    StoredRevision& each = out.emplace_back(StoredRevision{.number = Revision{rows.number(0)}});
    if (rows.number(1) > 0) each.deployed = SystemTime{std::chrono::milliseconds{rows.number(1)}};
    each.deployed_by = rows.text(2);
    each.served = rows.number(3) != 0;
  }
}

Result<std::vector<spec::Project>> Store::projects() {
  std::vector<std::string> texts;
  for (;;) {
    TRY(bool row, statements_.projects.step());
    if (!row) break;
    texts.push_back(statements_.projects.text(0));
  }
  std::vector<spec::Project> out;
  out.reserve(texts.size());
  for (const std::string& text : texts) {
    TRY(auto value, schema::parse_json(text));
    TRY(auto loaded, spec::read_project(value, spec::Unknown::warning));
    out.push_back(std::move(loaded.config));
  }
  return out;
}

Result<void> Store::save(const spec::Project& project) {
  return statements_.save_project.bind(1, project.metadata.namespace_name)
      .bind(2, project.metadata.name)
      .bind(3, boost::json::serialize(spec::to_json(project)))
      .run();
}

Result<void> Store::delete_project(const ProjectId& id) {
  return statements_.delete_project.bind(1, id.namespace_name.value()).bind(2, id.name.value()).run();
}

Result<std::vector<spec::FunctionEvent>> Store::function_events(const Namespace& namespace_name,
                                                                const std::optional<FunctionName>& function) {
  Statement& rows =
      statements_.function_events.bind(1, namespace_name.value()).bind(2, function ? function->value() : "");
  std::vector<spec::FunctionEvent> out;
  for (;;) {
    TRY(bool row, rows.step());
    if (!row) return out;
    auto event = read_event_text(rows.text(0));
    if (event) {
      out.push_back(std::move(*event));
    } else {
      log::error("A function event in the state cannot be read and is left out", {{"reason", event.error().what}});
    }
  }
}

Result<spec::FunctionEvent> Store::function_event(const FunctionEventId& id) {
  Statement& rows = statements_.function_event.bind(1, id.namespace_name.value()).bind(2, id.name.value());
  TRY(bool row, rows.step());
  if (!row) return fail(missing_function_event(id));
  std::string text = rows.text(0);
  TRY_DO(rows.step());  // to the end, so that it can be used again
  return read_event_text(text);
}

Result<void> Store::save(const spec::FunctionEvent& event) {
  TRY(const FunctionName function, function_of(event));
  return statements_.save_function_event.bind(1, event.metadata.namespace_name)
      .bind(2, event.metadata.name)
      .bind(3, function.value())
      .bind(4, boost::json::serialize(spec::to_json(event)))
      .run();
}

Result<void> Store::delete_function_event(const FunctionEventId& id) {
  return statements_.delete_function_event.bind(1, id.namespace_name.value()).bind(2, id.name.value()).run();
}

Result<std::vector<spec::ApiGateway>> Store::api_gateways(const Namespace& namespace_name) {
  Statement& rows = statements_.api_gateways.bind(1, namespace_name.value());
  std::vector<spec::ApiGateway> out;
  for (;;) {
    TRY(bool row, rows.step());
    if (!row) return out;
    auto gateway = read_gateway_text(rows.text(0));
    if (gateway) {
      out.push_back(std::move(*gateway));
    } else {
      log::error("An API gateway in the state cannot be read and is left out", {{"reason", gateway.error().what}});
    }
  }
}

Result<void> Store::save(const spec::ApiGateway& gateway) {
  return statements_.save_api_gateway.bind(1, gateway.metadata.namespace_name)
      .bind(2, gateway.metadata.name)
      .bind(3, boost::json::serialize(spec::to_json(gateway, spec::Secrets::shown)))
      .run();
}

Result<void> Store::delete_api_gateway(const ApiGatewayId& id) {
  return statements_.delete_api_gateway.bind(1, id.namespace_name.value()).bind(2, id.name.value()).run();
}

}  // namespace nuclio::platform::process
