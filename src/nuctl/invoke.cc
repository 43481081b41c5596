// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "base/duration.h"
#include "base/log.h"
#include "http/status.h"
#include "nuctl/commands.h"
#include "nuctl/function_client.h"
#include "nuctl/function_flags.h"
#include "schema/json.h"
#include "spec/invocation.h"
#include "spec/load.h"

namespace nuclio::nuctl {
namespace {

namespace json = boost::json;

// The function's lines, which it sends back in a header when asked for with X-Nuclio-Log-Level.
void print_function_logs(Session& session, std::string_view header) {
  auto lines = schema::parse_json(header);
  if (!lines || !lines->is_array() || lines->get_array().empty()) return;
  session.print(">>> Start of function logs\n");
  for (json::value& line : lines->get_array()) {
    if (!line.is_object()) continue;
    json::object& record = line.get_object();
    auto level = log::parse_level(text_at(record, "level")).value_or(log::Level::info);
    const json::value* time = record.if_contains("time");
    double milliseconds = time && time->is_number() ? time->to_number<double>() : 0;
    std::vector<log::Field> fields;
    for (const auto& [key, value] : record)
      if (key != "level" && key != "time" && key != "name" && key != "message")
        fields.push_back(log::Field::raw_json(key, json::serialize(value)));
    std::chrono::system_clock::time_point when{std::chrono::milliseconds{static_cast<std::int64_t>(milliseconds)}};
    session.print(log::format({}, text_at(record, "name"), level, when, text_at(record, "message"), fields));
  }
  session.print("<<< End of function logs\n");
}

// A pipe or a file is taken as body; a terminal, or what a service manager gives its programs, is not.
bool input_is_given() {
  struct stat about{};
  return fstat(STDIN_FILENO, &about) == 0 && (S_ISFIFO(about.st_mode) || S_ISREG(about.st_mode));
}

class Invoke final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.argument("name", name_, "Name of the function");
    flags.text({"method", 'm'}, method_, "HTTP method (GET, or POST with a body)");
    flags.text({"path", 'p'}, path_, "Path and query to call the function with");
    flags.text({"body", 'b'}, body_, "Body of the request; piped input is taken too");
    flags.text({"content-type", 'c'}, content_type_, "Content type of the body (text/plain)");
    flags.text({"headers", 'd'}, headers_, "Headers, name=value,…");
    flags.text({"log-level", 'l'}, log_level_, "Function's log lines to show: debug, info, warn, error, none");
    flags.text({"timeout", 't'}, timeout_, "How long the answer may take");
    flags.yes({"raise-on-status"}, raise_on_status_, "Exit with 1 when the status is 400 or more");
    flags.text({"via"}, via_, "Kept for Nuclio's scripts: any, external-ip, loadbalancer");
    flags.text({"external-ips", 0, "NUCTL_EXTERNAL_IP_ADDRESSES"}, external_ips_,
               "Addresses of the cluster's nodes, commas between them: the first is called (kube)");
    flags.yes({"skip-tls"}, skip_tls_, "Call a function that speaks HTTPS whatever its certificate is");
  }

  Task<Result<int>> run(Session& session) override {
    auto timeout = parse_duration(timeout_);
    if (!timeout) co_return std::unexpected(std::move(timeout.error()).in("--timeout"));
    CO_TRY(auto request, build_request(session));
    CO_TRY(json::object function, co_await get_function(session, name_));
    CO_TRY(std::string address, address_of(session, function));
    CO_TRY_DO(direct(request, function, address));

    log::debug("Executing function", {{"method", request.method}, {"url", request.url}});
    CO_TRY(const bool kube, session.on_cluster());
    if (kube) request.refused_patience = spec::kServicePatience;
    auto answer = co_await session.client().fetch(request, Deadline::in(*timeout));
    if (!answer) co_return std::unexpected(not_answered(std::move(answer.error())));
    print(session, *answer);
    co_return raise_on_status_ && answer->status >= 400 ? 1 : 0;
  }

 private:
  Result<http::ClientRequest> build_request(const Session& session) const {
    http::ClientRequest request;
    request.body = body_;
    if (body_.empty() && input_is_given()) {
      TRY(request.body, session.read_input());
    }
    request.method = !method_.empty() ? method_ : request.body.empty() ? "GET" : "POST";
    if (!content_type_.empty()) {
      request.headers.add("Content-Type", content_type_);
    } else if (!request.body.empty()) {
      request.headers.add("Content-Type", "text/plain");
    }
    if (log_level_ != "none") {
      if (!log::parse_level(log_level_))
        return fail(Why::invalid, "--log-level must be debug, info, warn, error or none, is \"" + log_level_ + "\"");
      request.headers.add("X-Nuclio-Log-Level", log_level_);
    }
    json::object headers;
    TRY_DO(add_pairs(headers, headers_, "headers"));
    for (const auto& [name, value] : headers) request.headers.set(name, std::string(value.get_string()));
    request.max_body = Bytes{1u << 30};
    return request;
  }

  Result<void> direct(http::ClientRequest& request, json::object function, const std::string& address) const {
    function.erase("status");
    TRY(auto loaded, spec::read_function(function, spec::Unknown::warning));
    auto verify = skip_tls_ ? http::VerifyPeer::no : http::VerifyPeer::yes;
    std::string target = (path_.starts_with('/') ? "" : "/") + path_;
    auto directed = spec::direct_to_function(request, loaded.config.spec, address, target, verify);
    if (!directed) return std::unexpected(not_answered(std::move(directed.error())));
    return {};
  }

  Error not_answered(Error error) const {
    if (error.why == Why::forbidden) error.what += "; --skip-tls calls it whatever its certificate is";
    return std::move(error).in("Failed to invoke function " + name_);
  }

  Result<std::string> address_of(const Session& session, const json::object& function) const {
    const json::value* port = value_at(function, "status.httpPort");
    const bool has_port = port && port->is_int64() && port->get_int64() > 0;
    if (has_port && !external_ips_.empty())
      return external_ips_.substr(0, external_ips_.find(',')) + ":" + std::to_string(port->get_int64());
    const json::value* urls = value_at(function, "status.externalInvocationUrls");
    if (urls && urls->is_array() && !urls->get_array().empty() && urls->get_array().front().is_string())
      return std::string(urls->get_array().front().get_string());
    std::string state = text_at(function, "status.state");
    std::string message = text_at(function, "status.message");
    if (state != "ready")
      return fail(Why::unavailable, "function " + name_ + " cannot be invoked: its state is " + state +
                                        (message.empty() ? "" : " (" + message + ")"));
    TRY(const bool kube, session.on_cluster());
    if (!kube) return fail(Why::unavailable, "function " + name_ + " has no HTTP trigger to be invoked by");
    if (!has_port)
      return fail(Why::unavailable, "function " + name_ +
                                        " cannot be reached from outside the cluster: its service has " +
                                        "no node port\ndeploy it with --http-trigger-service-type NodePort");
    // Nobody said where nodes are reached; where the API server is, often a node is.
    TRY(const auto cluster, session.cluster());
    std::string host = cluster.server.substr(cluster.server.find("://") + 3);
    host = host.substr(0, host.find_first_of("/"));
    if (const std::size_t colon = host.rfind(':'); colon != std::string::npos && !host.ends_with(']'))
      host.resize(colon);
    return host + ":" + std::to_string(port->get_int64());
  }

  void print(Session& session, const http::ClientResponse& answer) const {
    print_function_logs(session, answer.headers.get("X-Nuclio-Logs"));
    session.print("\n> Response status: " + std::to_string(answer.status) + " " +
                  std::string(http::reason_phrase(answer.status)) + "\n");
    session.print("\n> Response headers:\n");
    for (auto header : answer.headers)
      if (!http::same_ignoring_case(header.name, "X-Nuclio-Logs"))
        session.print(std::string(header.name) + " = " + std::string(header.value) + "\n");
    session.print("\n> Response body:\n");
    session.print(answer.body);
    if (session.settings().terminal && !answer.body.ends_with('\n')) session.print("\n");
  }

  std::string name_, method_, path_, body_, content_type_, headers_, via_ = "any", external_ips_;
  std::string log_level_ = "info";
  std::string timeout_ = "60s";
  bool raise_on_status_ = false;
  bool skip_tls_ = false;
};

}  // namespace

std::unique_ptr<Command> make_invoke() { return std::make_unique<Invoke>(); }

}  // namespace nuclio::nuctl
