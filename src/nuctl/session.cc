// SPDX-License-Identifier: Apache-2.0
#include "nuctl/session.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/environment.h"
#include "http/status.h"
#include "loop/child.h"
#include "loop/stream.h"
#include "nuctl/cluster_dashboard.h"
#include "nuctl/logins.h"

namespace nuclio::nuctl {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
namespace json = boost::json;

constexpr auto kStartTime = 20s;
constexpr auto kClusterTime = 40s;
constexpr auto kEndTime = 5s;
constexpr Bytes kMaxAnswer{256u << 20};  // a listing or an export of many functions with their code
constexpr Bytes kMaxFile{256u << 20};

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The dashboard's {"error": "…"}; what it says is meant for a person. Other bodies come from something else.
Error error_of(const http::ClientResponse& answer, const std::string& what) {
  boost::system::error_code bad;
  json::value body = json::parse(answer.body, bad);
  const json::value* message = !bad && body.is_object() ? body.get_object().if_contains("error") : nullptr;
  std::string text = message && message->is_string()
                         ? std::string(message->get_string())
                         : what + " was answered with status " + std::to_string(answer.status);
  return {http::why_of(answer.status), std::move(text)};
}

}  // namespace

void Settings::declare(Flags& flags) {
  flags.yes({"verbose", 'v'}, verbose, "Say more");
  flags.text({"server", 0, "NUCTL_SERVER"}, server,
             "URL of a dashboard elsewhere that does it all, https://nuclio.example.com; see nuctl login");
  flags.text(
      {"platform", 0, "NUCTL_PLATFORM"}, platform,
      "Where functions run: process (this machine; also: local), kube, or auto: kube where there is a kubeconfig");
  flags.text({"namespace", 'n', "NUCTL_NAMESPACE"}, name_space, "Namespace (process: nuclio; kube: the context's)");
  flags.text({"concurrency"}, concurrency, "Kept for Nuclio's scripts; has no effect here");
  flags.yes({"mask-sensitive-fields"}, mask_sensitive_fields,
            "Kept for Nuclio's scripts; the platform's sensitiveFields decide");
  flags.text({"kubeconfig", 'k'}, kubeconfig, "Path to a kubeconfig (kube; else KUBECONFIG, else ~/.kube/config)");
  flags.text({"context"}, context, "Context of the kubeconfig (kube; else its current one)");
}

Session::Session(Loop& loop, Settings settings) : loop_(loop), settings_(std::move(settings)), client_(loop) {}
Session::~Session() = default;

Task<void> Session::close() {
  if (cluster_) co_await cluster_->end(Deadline::in(kEndTime));
}

Result<bool> Session::on_cluster() const {
  if (is_elsewhere()) return false;
  const std::string& platform = settings_.platform;
  if (platform == "kube") return true;
  if (platform == "process" || platform == "local") return false;
  if (platform != "auto")
    return fail(Why::invalid, "--platform must be process, kube or auto, is \"" + platform + "\"");
  if (!settings_.kubeconfig.empty() || !settings_.context.empty()) return true;
  for (const char* name : {"KUBECONFIG", "KUBERNETES_SERVICE_HOST"})
    if (!variable(settings_.environment, name).empty()) return true;
  std::error_code error;
  const std::string home = variable(settings_.environment, "HOME");
  return !home.empty() && fs::exists(home + "/.kube/config", error);
}

Result<k8s::Cluster> Session::cluster() const {
  k8s::ClusterQuery query{.kubeconfig = settings_.kubeconfig, .context = settings_.context};
  query.environment = settings_.environment;
  return k8s::find_cluster(query);
}

std::string Session::name_space() const {
  if (!settings_.name_space.empty() || is_elsewhere()) return settings_.name_space;
  const auto kube = on_cluster();
  if (!kube || !*kube) return "nuclio";
  const auto found = cluster();
  return found ? found->namespace_name : "default";
}

Task<Result<std::string>> Session::dashboard() {
  if (!base_url_.empty()) co_return base_url_;
  if (is_elsewhere()) {
    CO_TRY(base_url_, server());
    co_return base_url_;
  }
  CO_TRY(const bool kube, on_cluster());
  co_return co_await (kube ? cluster_dashboard() : local_dashboard());
}

Result<std::string> Session::server() const {
  std::string url = settings_.server;
  while (url.ends_with('/')) url.pop_back();
  if (!url.starts_with("https://") && !url.starts_with("http://"))
    return fail(Why::invalid, "--server must be a URL such as https://nuclio.example.com, is \"" + url + "\"");
  return url;
}

Result<std::string> Session::saved_token() const {
  std::string token = variable(settings_.environment, "NUCTL_TOKEN");
  if (!token.empty()) return token;
  TRY(const Logins logins, Logins::read(settings_.home + "/logins.json"));
  if (!is_elsewhere()) return logins.token("local");
  TRY(const std::string url, server());
  return logins.token(url);
}

Result<void> Session::save_token(const std::string& token) const {
  TRY(Logins logins, Logins::read(settings_.home + "/logins.json"));
  std::string url = "local";
  if (is_elsewhere()) {
    TRY(url, server());
  }
  return logins.save(url, token);
}

// A dashboard of our own knows who we are.
Result<void> Session::find_token() {
  if (token_) return {};
  token_ = "";
  if (cluster_) return {};
  TRY(token_, saved_token());
  return {};
}

Task<Result<std::string>> Session::cluster_dashboard() {
  // What is wrong with the kubeconfig is said here, and not by another program.
  CO_TRY_DO(cluster());
  ClusterDashboard::Options options;
  options.program = settings_.programs + "/dashboard";
  options.arguments = {"--namespace", name_space()};
  if (!settings_.kubeconfig.empty()) {
    options.arguments.emplace_back("--kubeconfig");
    options.arguments.push_back(absolute(settings_.kubeconfig));
  }
  if (!settings_.context.empty()) {
    options.arguments.emplace_back("--context");
    options.arguments.push_back(settings_.context);
  }
  options.environment = settings_.environment;
  options.verbose = settings_.verbose;
  CO_TRY(cluster_, co_await ClusterDashboard::start(loop_, std::move(options), Deadline::in(kClusterTime)));
  base_url_ = "http://dashboard";
  co_return base_url_;
}

Task<std::string> Session::running_dashboard() {
  const std::string address = first_line(settings_.home + "/dashboard.address");
  if (address.empty()) co_return "";
  std::string url = "http://" + address;
  http::ClientRequest hello{.method = "GET", .url = url + "/api/versions"};
  auto answer = co_await client_.fetch(hello, Deadline::in(5s));
  co_return answer && answer->status == 200 ? url : "";
}

Task<Result<std::string>> Session::local_dashboard() {
  base_url_ = co_await running_dashboard();
  if (!base_url_.empty()) co_return base_url_;
  CO_TRY_DO(co_await start_dashboard(Deadline::in(kStartTime)));
  base_url_ = co_await running_dashboard();
  if (!base_url_.empty()) co_return base_url_;
  co_return fail(Why::unavailable, "the dashboard was started but does not answer\nsee " + settings_.home +
                                       "/dashboard.log for the reason");
}

Task<Result<void>> Session::start_dashboard(Deadline deadline) {
  std::error_code error;
  fs::create_directories(settings_.home, error);
  if (error) co_return fail(Why::forbidden, "cannot make the folder " + settings_.home + ": " + error.message());
  std::string log_path = settings_.home + "/dashboard.log";
  Descriptor log{::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
  if (!log) co_return fail_errno("opening " + log_path);
  CO_TRY(Pipe ready, make_pipe());
  constexpr int kReady = 3;
  ChildOptions options;
  options.argv = {settings_.programs + "/dashboard", "--platform", "process", "--ready-fd", std::to_string(kReady)};
  options.env = settings_.environment;
  options.directory = "/";
  options.descriptors = {{log.get(), 1}, {log.get(), 2}, {ready.write.get(), kReady}};
  options.group = ChildOptions::Group::own_session;
  options.signal_when_parent_dies = 0;
  options.no_new_privileges = false;
  CO_TRY(Child child, Child::spawn(loop_, options));
  ready.write.reset();
  CO_TRY(const std::string address,
         co_await wait_ready(loop_, std::move(ready.read), "the dashboard", "see " + log_path, deadline));
  note("started the dashboard on http://" + address + " (log: " + log_path + ")\n");
  child.release();
  co_return Result<void>{};
}

http::ClientRequest Session::request(const std::string& base, Api api) const {
  http::ClientRequest request{.method = std::move(api.method), .url = base + api.path};
  for (auto& [name, value] : api.headers) request.headers.add(name, value);
  if (token_ && !token_->empty() && !request.headers.has("Authorization"))
    request.headers.add("Authorization", "Bearer " + *token_);
  if (!api.body.empty()) request.headers.add("Content-Type", "application/json");
  request.body = std::move(api.body);
  request.max_body = kMaxAnswer;
  if (cluster_) request.unix_socket = cluster_->socket();
  return request;
}

Task<Result<json::value>> Session::call(Api api, Deadline deadline) {
  CO_TRY(std::string base, co_await dashboard());
  CO_TRY_DO(find_token());
  std::string what = api.method + " " + api.path;
  http::ClientRequest to_send = request(base, std::move(api));
  CO_TRY(auto answer, co_await client_.fetch(to_send, deadline));
  if (answer.status >= 300) co_return std::unexpected(error_of(answer, what));
  if (answer.body.empty()) co_return json::value{};
  boost::system::error_code bad;
  json::value body = json::parse(answer.body, bad);
  if (bad) co_return fail(Why::internal, what + " was answered with something that is not JSON");
  co_return body;
}

Task<Result<http::ClientStream>> Session::open(Api api, Deadline deadline) {
  CO_TRY(std::string base, co_await dashboard());
  CO_TRY_DO(find_token());
  std::string what = api.method + " " + api.path;
  http::ClientRequest to_send = request(base, std::move(api));
  CO_TRY(auto stream, co_await client_.open(to_send, deadline));
  if (stream.status < 300) co_return std::move(stream);
  http::ClientResponse answer{.status = stream.status};
  while (answer.body.size() < 1 << 20) {
    auto piece = co_await stream.body->next();
    if (!piece || !*piece) break;
    answer.body += **piece;
  }
  co_return std::unexpected(error_of(answer, what));
}

std::string Session::absolute(const std::string& path) const {
  return (fs::path(settings_.working_directory) / path).lexically_normal().string();
}

Result<std::string> Session::read_file(const std::string& path) const {
  std::error_code error;
  std::string full = absolute(path);
  if (fs::is_directory(full, error)) return fail(Why::invalid, path + " is a folder; a file was expected");
  auto size = fs::file_size(full, error);
  if (error) return fail(Why::not_found, "cannot read " + path + ": " + error.message());
  if (size > kMaxFile.count) return fail(Why::too_large, path + " is larger than 256 MiB");
  std::ifstream file(full, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return fail(Why::forbidden, "cannot read " + path);
  return std::move(text).str();
}

Result<void> Session::write_file(const std::string& path, const std::string& text) const {
  std::ofstream file(absolute(path), std::ios::binary | std::ios::trunc);
  file << text;
  file.flush();
  if (!file) return fail(Why::forbidden, "cannot write " + path);
  return {};
}

Result<std::string> Session::read_input() const {
  std::string text;
  char buffer[65536];
  for (;;) {
    ssize_t count = ::read(0, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("reading standard input");
    if (count == 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
    if (text.size() > kMaxFile.count) return fail(Why::too_large, "standard input is larger than 256 MiB");
  }
}

void Session::print(std::string_view text) const {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void Session::note(std::string_view text) const { std::fwrite(text.data(), 1, text.size(), stderr); }

}  // namespace nuclio::nuctl
