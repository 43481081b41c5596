// SPDX-License-Identifier: Apache-2.0
#include "dashboard/openapi.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>

#include "base/check.h"
#include "base/version.h"
#include "schema/reference.h"
#include "spec/load.h"

namespace nuclio::dashboard {
namespace {

namespace json = boost::json;

struct Parameter {
  std::string_view name;  // in Described::takes: a query's begins with '?', a header's lacks its X-Nuclio-
  const char* schema;
  std::string_view doc;
  bool required = false;
  std::string_view header = {};  // the header's name without X-Nuclio-, or the query's, where it is another
};

constexpr const char* kText = R"({"type": "string"})";
constexpr const char* kYes = R"({"type": "string", "enum": ["true", "false"]})";

constexpr Parameter kParameters[] = {
    {"Function-Namespace", kText, "Namespace of the function; the dashboard's own when absent."},
    {"Project-Namespace", kText, "Namespace of the project; the dashboard's own when absent."},
    {"Function-Event-Namespace", kText, "Namespace of the event; the dashboard's own when absent."},
    {"Api-Gateway-Namespace", kText, "Namespace of the API gateway; the dashboard's own when absent."},
    {"Project-Name", kText, "The project that things belong to; * for all."},
    {"Function-Name", kText, "Only what is this function's."},
    {"Invoked-Function", kText, "The function.", true, "Function-Name"},
    {"Imported-Function-Only", kYes, "Only functions that were imported and not deployed since."},
    {"Wait-Function-Action", kYes, "Answer only when all is done; an error is that of what was being done."},
    {"Delete-Function-Ignore-State-Validation", kYes, "Delete it also while something is being done to it."},
    {"Delete-Function-With-API-Gateways", kYes, "Delete the API gateways that lead to it, too."},
    {"Function-Enrich-Apigateways", kYes, "Say in status.apiGateways which API gateways lead to a function."},
    {"Agw-Validate-Functions-Existence", kYes, "Refuse it when a function that it leads to does not exist."},
    {"Delete-Project-Strategy", R"({"type": "string", "enum": ["restricted", "cascading", "check"]})",
     "restricted (the default) refuses while functions or gateways are in it, cascading deletes them, check deletes "
     "nothing."},
    {"Skip-Spec-Cleanup", kText, "When present, an export lacks registries, and images of inline code."},
    {"Filter-Contains", kText, "Only templates whose name or text has this word."},
    {"Path", kText, "Path and query at the function."},
    {"Invoke-Url", kText,
     "Which of the URLs in the function's status to use. When absent the first; on Kubernetes a replica of the newest "
     "version, if one is ready."},
    {"Invoke-Timeout", kText, "How long to wait for the function, as in 30s."},
    {"Skip-Tls-Verification", kYes, "Whatever the function's certificate is."},
    {"Log-Level", R"({"type": "string", "enum": ["debug", "info", "warn", "error"]})",
     "Answer with the function's log from this level up, in X-Nuclio-Logs."},
    {"?export", kYes, "As it is imported elsewhere."},
    {"?scrub", kYes, "false keeps secrets in an export."},
    {"?import", kYes, "The body is an export."},
    {"?follow", kYes, "Go on with what is logged from now on, until the replica ends."},
    {"?since", kText, "Only lines from the last so long, as in 5m."},
    {"?code", kText, "What the provider gives for the user's ID token."},
    {"?state", kText, "What the login was begun with."},
    {"?error", kText, "Why the provider did not log the user in."},
    {"?namespace", kText, "Of this namespace; the dashboard's own when absent."},
    {"?project", kText, "Of this project alone."},
    {"?logs", kText, "What these functions log, with commas between."},
    {"?metrics", kText, "How these functions fare, with commas between; * for all."},
    {"?past", kText, "How long a time to tell of, as in 15m or 24h; 1h when absent.", false, "since"},
    {"?step", kText, "The least length of a step, as in 1m."},
    {"?tailLines", R"({"type": "integer", "minimum": 0})", "At most so many of the old lines."},
};

struct Schema {
  std::string_view name;
  const char* text;
};

// What is no object of src/spec.
constexpr Schema kSchemas[] = {
    {"Object", R"({"type": "object"})"},
    {"Functions", R"j({"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Function"}})j"},
    {"Projects", R"j({"type": "object", "additionalProperties": {"$ref": "#/components/schemas/ProjectOrExport"}})j"},
    {"FunctionEvents",
     R"j({"type": "object", "additionalProperties": {"$ref": "#/components/schemas/FunctionEvent"}})j"},
    {"ApiGateways", R"j({"type": "object", "additionalProperties": {"$ref": "#/components/schemas/ApiGateway"}})j"},
    {"Export", R"j({"type": "object", "required": ["project"], "properties": {
        "project": {"$ref": "#/components/schemas/Project"},
        "functions": {"$ref": "#/components/schemas/Functions"},
        "functionEvents": {"$ref": "#/components/schemas/FunctionEvents"},
        "apiGateways": {"$ref": "#/components/schemas/ApiGateways"}}})j"},
    {"ProjectOrExport",
     R"j({"anyOf": [{"$ref": "#/components/schemas/Project"}, {"$ref": "#/components/schemas/Export"}]})j"},
    {"Imported", R"j({"type": "object", "properties": {
        "functionImportResult": {"type": "object", "properties": {
            "createdAmount": {"type": "integer"}, "failedAmount": {"type": "integer"},
            "failedFunctions": {"type": ["array", "null"], "items": {"type": "object"}}}},
        "functionEventImportResult": {"type": "object", "properties": {
            "createdAmount": {"type": "integer"}, "failedAmount": {"type": "integer"},
            "failedFunctionEvents": {"type": ["array", "null"], "items": {"type": "object"}}}},
        "apiGatewayImportResult": {"type": "object", "properties": {
            "createdAmount": {"type": "integer"}, "failedAmount": {"type": "integer"},
            "failedAPIGateways": {"type": ["array", "null"], "items": {"type": "object"}}}}}})j"},
    {"ProjectOrImported",
     R"j({"anyOf": [{"$ref": "#/components/schemas/Project"}, {"$ref": "#/components/schemas/Imported"}]})j"},
    {"Named", R"({"type": "object", "required": ["metadata"], "properties": {
        "metadata": {"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string"}, "namespace": {"type": "string"}, "resourceVersion": {"type": "string"}}}}})"},
    {"DesiredState", R"({"type": "object", "required": ["desiredState"], "properties": {
        "desiredState": {"type": "string", "enum": ["ready", "scaledToZero"]}}})"},
    {"Names", R"({"type": "object", "required": ["names"], "properties": {
        "names": {"type": "array", "items": {"type": "string"}}}})"},
    {"FunctionTemplates", R"({"type": "object", "additionalProperties": {"type": "object", "properties": {
        "metadata": {"type": "object"}, "template": {"type": "string"}, "values": {"type": "object"}}}})"},
    {"Rendering", R"({"type": "object", "required": ["template"], "properties": {
        "template": {"type": "string", "description": "A function.yaml with {{ .name }} for what is still open."},
        "values": {"type": "object", "description": "By name, what to put there."}}})"},
    {"Revisions", R"j({"type": "object", "required": ["revisions"], "properties": {
        "revisions": {"type": "array", "items": {"$ref": "#/components/schemas/Revision"}}}})j"},
    {"Revision", R"({"type": "object", "required": ["number", "state", "serving"], "properties": {
        "number": {"type": "integer"},
        "deployed": {"type": "string", "format": "date-time", "description": "Absent when nobody knows."},
        "deployedBy": {"type": "string", "description": "Absent when nobody knows."},
        "state": {"type": "string", "enum": ["deploying", "serving", "superseded", "failed"]},
        "serving": {"type": "boolean"}}})"},
    {"MetricsHistory", R"({"type": "object", "properties": {
        "metadata": {"type": "object"},
        "begin": {"type": "string", "format": "date-time", "description": "Of the first step."},
        "stepSeconds": {"type": "integer"},
        "ratePerSecond": {"type": "array", "items": {"type": ["number", "null"]}},
        "errorsPerSecond": {"type": "array", "items": {"type": ["number", "null"]}},
        "p50Seconds": {"type": "array", "items": {"type": ["number", "null"]}},
        "p90Seconds": {"type": "array", "items": {"type": ["number", "null"]}},
        "p99Seconds": {"type": "array", "items": {"type": ["number", "null"]}},
        "queueWaitSeconds": {"type": "array", "items": {"type": ["number", "null"]}},
        "inFlight": {"type": "array", "items": {"type": ["integer", "null"]}},
        "workers": {"type": "array", "items": {"type": ["integer", "null"]}},
        "replicas": {"type": "array", "items": {"type": ["integer", "null"]}},
        "memoryBytes": {"type": "array", "items": {"type": ["integer", "null"]}},
        "boundsSeconds": {"type": "array", "items": {"type": "number"},
            "description": "Upper bounds of the buckets of durations; one more is above them all."},
        "durations": {"type": "array", "description": "Events in each bucket.",
            "items": {"type": ["array", "null"], "items": {"type": "integer"}}}},
        "description": "A number a step; null where nobody knows, and of times also where no event took any."})"},
    {"TriggerMetrics", R"({"type": "object", "required": ["stepSeconds", "triggers"], "properties": {
        "metadata": {"type": "object"},
        "begin": {"type": "string", "format": "date-time", "description": "Of the step; absent before the first."},
        "stepSeconds": {"type": "integer"},
        "triggers": {"type": "object", "description": "Those of which a replica told, by name.",
            "additionalProperties": {"type": "object", "properties": {
                "ratePerSecond": {"type": "number"}, "errorsPerSecond": {"type": "number"},
                "inFlight": {"type": "integer"}, "workers": {"type": "integer"}, "idleWorkers": {"type": "integer"},
                "waiting": {"type": "integer", "description": "Events that wait for a worker."}}}}}})"},
    {"Versions", R"({"type": "object", "properties": {"dashboard": {"type": "object", "properties": {
        "label": {"type": "string", "description": "The version of Nuclio whose API this is."},
        "implementationVersion": {"type": "string", "description": "The version of what answers."},
        "gitCommit": {"type": "string"}, "os": {"type": "string"}, "arch": {"type": "string"}}}}})"},
    {"Namespaces", R"j({"type": "object", "properties": {"namespaces": {"$ref": "#/components/schemas/Names"}}})j"},
    {"Addresses", R"({"type": "object", "properties": {"externalIPAddresses": {"type": "object", "properties": {
        "addresses": {"type": "array", "items": {"type": "string"}}}}}})"},
    {"Grants", R"({"type": "array", "items": {"type": "object", "required": ["role"], "properties": {
        "role": {"type": "string", "enum": ["viewer", "developer", "admin"]},
        "project": {"type": "string", "description": "Where it counts; * (the default) everywhere."},
        "namespace": {"type": "string", "description": "Where it counts; * (the default) everywhere."}}}})"},
    {"Session", R"j({"type": "object", "required": ["loggedIn", "login"], "properties": {
        "loggedIn": {"type": "boolean"}, "name": {"type": "string"},
        "groups": {"type": "array", "items": {"type": "string"}},
        "credential": {"type": "string", "enum": ["none", "password", "session", "token", "kubernetes", "oidc"]},
        "grants": {"$ref": "#/components/schemas/Grants"}, "scope": {"$ref": "#/components/schemas/Grants"},
        "expires": {"type": "string"},
        "login": {"type": "object", "description": "How one logs in here.", "properties": {
            "required": {"type": "boolean"}, "basic": {"type": "boolean"}, "tokens": {"type": "boolean"},
            "oidc": {"type": "boolean"}, "kubernetes": {"type": "boolean"}}}}})j"},
    {"Login", R"({"type": "object", "description": "A name and a password, or a token.", "properties": {
        "username": {"type": "string"}, "password": {"type": "string"}, "token": {"type": "string"}}})"},
    {"Token", R"j({"type": "object", "required": ["id", "name"], "properties": {
        "id": {"type": "string"}, "name": {"type": "string"}, "owner": {"type": "string"},
        "grants": {"$ref": "#/components/schemas/Grants"}, "created": {"type": "string"},
        "expires": {"type": "string"},
        "token": {"type": "string", "description": "Its text, when it has just been made."}}})j"},
    {"Tokens", R"j({"type": "object", "required": ["tokens"], "properties": {
        "tokens": {"type": "array", "items": {"$ref": "#/components/schemas/Token"}}}})j"},
    {"NewToken", R"j({"type": "object", "required": ["name"], "properties": {
        "name": {"type": "string", "description": "What it is for."},
        "grants": {"$ref": "#/components/schemas/Grants"},
        "expiresIn": {"type": "string", "description": "As in 90d or 12h; 30d when absent."}}})j"},
    {"Error", R"({"type": "object", "required": ["error"], "properties": {
        "error": {"type": "string", "description": "What is wrong, and what to do about it."},
        "errorStackTrace": {"type": "string", "description": "Empty: for clients that look for it."}}})"},
};

// By what callers show who they are, where they are asked at all.
constexpr const char* kCredentials = R"({
    "token": {"type": "http", "scheme": "bearer", "description": "An API token, or in a cluster one of the cluster's."},
    "password": {"type": "http", "scheme": "basic", "description": "Of a user who logs in with a password."},
    "session": {"type": "apiKey", "in": "cookie", "name": "nuclio_session",
        "description": "Of a browser; a change must have the header X-Nuclio-Csrf, too."}})";

constexpr std::string_view kMethods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    if (blank > 0) out.push_back(text.substr(0, blank));
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

json::object reference(std::string_view kind, std::string_view name) {
  return {{"$ref", "#/components/" + std::string(kind) + "/" + std::string(name)}};
}

// The name of a parameter among the components, where a '?' has no place.
std::string key_of(const Parameter& parameter) {
  return std::string(parameter.name.substr(parameter.name.starts_with('?') ? 1 : 0));
}

json::object described(const Parameter& parameter) {
  const bool query = parameter.name.starts_with('?');
  const std::string_view header = parameter.header.empty() ? parameter.name : parameter.header;
  const std::string own = query ? std::string() : "X-Nuclio-";
  return {{"name", query && parameter.header.empty() ? key_of(parameter) : own + std::string(header)},
          {"in", query ? "query" : "header"},
          {"required", parameter.required},
          {"description", view(parameter.doc)},
          {"schema", json::parse(parameter.schema)}};
}

// "/api/functions/{id}" has the names {id}; "{rest...}" is "{rest}" in a description, which knows no rest of a path.
struct Path {
  std::string text;
  std::vector<std::string> names;
};
Path path_of(std::string_view pattern) {
  Path out;
  while (!pattern.empty()) {
    const std::size_t open = std::min(pattern.find('{'), pattern.size());
    out.text += pattern.substr(0, open);
    pattern.remove_prefix(open);
    if (pattern.empty()) break;
    const std::size_t close = pattern.find('}');
    std::string_view name = pattern.substr(1, close - 1);
    if (name.ends_with("...")) name.remove_suffix(3);
    out.text += "{" + std::string(name) + "}";
    out.names.emplace_back(name);
    pattern.remove_prefix(close + 1);
  }
  return out;
}

// "get_functions_by_id": what a generated client calls it.
std::string operation_id(std::string_view method, std::string_view pattern) {
  std::string out = lower(method);
  if (pattern.starts_with("/api/")) pattern.remove_prefix(4);
  bool between = true;
  for (const char c : pattern) {
    if (std::isalnum(static_cast<unsigned char>(c))) {
      if (between) out += '_';
      out += c;
      between = false;
    } else {
      if (c == '{') out += "_by";
      between = true;
    }
  }
  return out;
}

json::object content(std::string_view schema) {
  if (schema == "text") return {{"text/plain", {{"schema", {{"type", "string"}}}}}};
  if (schema == "event-stream") return {{"text/event-stream", {{"schema", {{"type", "string"}}}}}};
  if (schema == "anything") return {{"*/*", json::object{}}};
  return {{"application/json", {{"schema", reference("schemas", schema)}}}};
}

json::object answers(const Described& described) {
  json::object ok{{"description", described.answer.empty() ? "Done." : "The answer."}};
  if (described.status == 202) ok["description"] = "It has begun.";
  if (!described.answer.empty()) ok["content"] = content(described.answer);
  json::object out;
  out[std::to_string(described.status)] = std::move(ok);
  for (const std::string_view status : words(described.fails)) out[view(status)] = reference("responses", status);
  // What the call itself has no part in: a page from elsewhere, a full disk, a function's own status.
  out["default"] = reference("responses", described.answer == "anything" ? "anything" : "error");
  return out;
}

json::object operation(std::string_view method, const Line& line, const std::vector<std::string>& names) {
  json::array parameters;
  for (const std::string& name : names)
    parameters.push_back(
        json::object{{"name", name}, {"in", "path"}, {"required", true}, {"schema", json::object{{"type", "string"}}}});
  for (const std::string_view word : words(line.described.takes)) {
    const auto* found = std::ranges::find(kParameters, word, &Parameter::name);
    CHECK(found != std::end(kParameters));
    parameters.push_back(reference("parameters", key_of(*found)));
  }
  json::object out{{"operationId", operation_id(method, line.pattern)}, {"summary", view(line.doc)}};
  if (!parameters.empty()) out["parameters"] = std::move(parameters);
  if (!line.described.body.empty())
    out["requestBody"] = json::object{{"required", true}, {"content", content(line.described.body)}};
  out["responses"] = answers(line.described);
  if (line.asks == Asks::nobody) out["security"] = json::array{};
  return out;
}

json::value object_schema(const schema::Type& type, std::string_view title) {
  json::value out = schema::json_schema(type, title);
  out.get_object().erase("$schema");
  // The reader passes over what a Kubernetes object says of itself.
  json::object& properties = out.get_object()["properties"].get_object();
  for (const char* name : {"apiVersion", "kind"}) properties[name] = json::object{{"type", "string"}};
  return out;
}

json::object schemas() {
  json::object out{{"Function", object_schema(spec::function_type(), "Function")},
                   {"Project", object_schema(spec::project_type(), "Project")},
                   {"FunctionEvent", object_schema(spec::function_event_type(), "Function event")},
                   {"ApiGateway", object_schema(spec::api_gateway_type(), "API gateway")}};
  for (const Schema& schema : kSchemas) out[view(schema.name)] = json::parse(schema.text);
  return out;
}

json::object error_responses() {
  struct Status {
    const char* name;
    const char* doc;
  };
  constexpr Status kStatuses[] = {
      {"400", "What is asked for is wrong; the error says where."},
      {"401", "Who the caller is must be shown, by a token or a session."},
      {"403", "The caller may not do that."},
      {"404", "There is none."},
      {"409", "There is one already, or it has changed since."},
      {"412", "Not in the state that it is in."},
      {"413", "More than is taken."},
      {"429", "Too often; Retry-After says when to try again."},
      {"error", "It could not be done; the error says why."},
  };
  json::object out;
  for (const Status& status : kStatuses)
    out[status.name] = json::object{{"description", status.doc}, {"content", content("Error")}};
  out["anything"] = json::object{{"description", "What the function answered."}, {"content", content("anything")}};
  return out;
}

}  // namespace

json::object openapi(std::span<const Line> lines) {
  json::object paths;
  for (const Line& line : lines) {
    const Path path = path_of(line.pattern);
    json::object& operations = paths.emplace(path.text, json::object{}).first->value().get_object();
    for (const std::string_view method : kMethods)
      if (line.method == method || line.method == "*") operations[lower(method)] = operation(method, line, path.names);
  }
  json::object parameters;
  for (const Parameter& parameter : kParameters) parameters[key_of(parameter)] = described(parameter);
  json::object info{{"title", "Nuclio dashboard"},
                    {"version", view(kVersion)},
                    {"license", {{"name", "Apache 2.0"}, {"identifier", "Apache-2.0"}}}};
  json::object components{{"schemas", schemas()},
                          {"parameters", std::move(parameters)},
                          {"responses", error_responses()},
                          {"securitySchemes", json::parse(kCredentials)}};
  return {{"openapi", "3.1.0"},
          {"info", std::move(info)},
          {"servers", json::array{json::object{{"url", "/"}}}},
          {"security", json::parse(R"([{"token": []}, {"password": []}, {"session": []}, {}])")},
          {"paths", std::move(paths)},
          {"components", std::move(components)}};
}

}  // namespace nuclio::dashboard
