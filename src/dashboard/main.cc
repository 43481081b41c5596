// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <sstream>

#include "base/log.h"
#include "base/version.h"
#include "dashboard/auth/auth.h"
#include "dashboard/auth/token_secret.h"
#include "dashboard/cluster.h"
#include "dashboard/events/hub.h"
#include "dashboard/function_templates.h"
#include "dashboard/guard.h"
#include "dashboard/instance.h"
#include "dashboard/metrics/collector.h"
#include "dashboard/metrics/history.h"
#include "dashboard/routes.h"
#include "dashboard/settings.h"
#include "dashboard/token_command.h"
#include "dashboard/web_app.h"
#include "http/client.h"
#include "http/limits.h"
#include "http/server.h"
#include "http/tls.h"
#include "loop/group.h"
#include "loop/run.h"
#include "loop/signals.h"
#include "platform/process/process_platform.h"
#include "spec/load.h"

namespace nuclio::dashboard {
namespace {

using namespace std::chrono_literals;

constexpr auto kServerDrain = 5s;
constexpr auto kFunctionDrain = 30s;
constexpr auto kClusterTime = 30s;    // until everything in the cluster is known
constexpr Bytes kMaxBody{64u << 20};  // a function with its code, an import, an invocation's body

Result<spec::PlatformConfig> read_platform_config(const std::string& path) {
  std::string text;
  if (!path.empty()) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(Why::not_found, "--platform-config: cannot read " + path);
    std::ostringstream all;
    all << file.rdbuf();
    text = std::move(all).str();
  }
  auto loaded = spec::parse_platform_config(text, spec::Unknown::problem);
  if (!loaded) return std::unexpected(std::move(loaded).error().in(path));
  if (loaded->config.kind != spec::PlatformKind::kube)
    std::ranges::move(spec::without_effect(loaded->config, "process"), std::back_inserter(loaded->warnings));
  for (const auto& warning : loaded->warnings) log::warn(path + ": " + schema::text(warning));
  return std::move(loaded->config);
}

// Tells whoever started us, by the descriptor that they gave us.
void report(int descriptor, std::string line) {
  if (descriptor < 0) return;
  for (char& c : line)
    if (c == '\n') c = ' ';
  line += '\n';
  (void)!::write(descriptor, line.data(), line.size());
  ::close(descriptor);
}

AuthOptions auth_options(const Settings& settings, const spec::PlatformConfig& config) {
  // Nobody but our user reaches it.
  if (settings.private_socket) return {.audit_log = settings.audit_log};
  return {.kinds = settings.auth_kind,
          .config = settings.auth_config,
          .audit_log = settings.audit_log,
          .https = !settings.tls_certificate.empty(),
          .opa = config.opa};
}

Served served_by(Auth& auth, platform::Platform& platform, http::Client& client, const spec::PlatformConfig& config,
                 const Namespace& name_space, std::vector<std::string> external_addresses, FunctionTemplates& templates,
                 EventHub& events, const MetricsHistory& metrics) {
  return {.platform = platform,
          .client = client,
          .config = config,
          .namespace_name = name_space,
          .external_addresses = std::move(external_addresses),
          .authenticator = auth.authenticator(),
          .authorizer = auth.authorizer(),
          .oidc = auth.oidc(),
          .audit_log = auth.audit_log(),
          .templates = templates,
          .events = events,
          .metrics = metrics};
}

Registries registries_of(const Settings& settings) {
  return {.push = settings.registry,
          .run = settings.run_registry.empty() ? settings.registry : settings.run_registry,
          .base = settings.base_registry};
}

FunctionTemplatesOptions template_options(const Settings& settings, const std::string& folder,
                                          const std::vector<std::string>& environment) {
  FunctionTemplatesOptions options;
  options.sources = settings.template_sources;
  options.folder = folder + "/templates";
  options.environment = environment;
  return options;
}

// Answers requests about a platform until told to end.
Task<Result<int>> serve(Loop& loop, const Settings& settings, Served& served, Listener listener, Signals& signals) {
  const std::string address = listener.address().text();
  http::Router router{api_routes(served)};
  WebApp web_app{router};
  // Whoever is asked who they are cannot be tricked by a page that made its own name mean this machine.
  const bool any_host = settings.in_cluster || settings.private_socket || served.authenticator.asks();
  Guard guard{web_app, {any_host ? Hosts::any : Hosts::this_machine, served.authenticator.config().allowed_origins}};
  std::unique_ptr<http::Tls> tls;
  Group background{loop};
  if (!settings.tls_certificate.empty()) {
    CO_TRY(tls, http::Tls::load({.certificate = settings.tls_certificate, .key = settings.tls_key}));
    background.spawn(tls->follow_files(loop));
  }
  http::Limits limits;
  limits.body_bytes = kMaxBody;
  http::Server server{loop, limits, guard};
  server.serve(std::move(listener), tls.get());
  if (!served.authenticator.asks() && settings.in_cluster)
    log::warn("Nobody is asked who they are: whoever reaches the dashboard can deploy functions");
  log::info("Listening", {{"address", address}, {"platform", served.platform.kind()}, {"pid", getpid()}});
  report(settings.ready_descriptor, "ready " + address);
  int number = co_await signals.next();
  log::info("Ending", {{"signal", number}});
  served.events.close();
  // Followed logs never end by themselves, and must not keep the functions from draining.
  // Whoever has a private one is gone when it is told to end: nobody waits for answers.
  (void)co_await server.drain(Deadline::in(settings.private_socket ? 0s : kServerDrain));
  co_return number;
}

// The life of a laptop's dashboard: be the only one, listen, start the functions, serve until told to end, end them.
Task<Result<void>> run_processes(Loop& loop, const Settings& settings, const std::vector<std::string>& environment,
                                 Signals& signals) {
  platform::process::Home home{settings.home};
  CO_TRY(Instance instance, Instance::claim(home));
  CO_TRY(auto config, read_platform_config(settings.platform_config));
  CO_TRY(Listener listener, Listener::listen(loop, settings.listen));
  std::string address = listener.address().text();

  platform::process::ProcessPlatformOptions options;
  options.home = settings.home;
  options.processor = settings.processor();
  options.log_keeper = settings.log_keeper();
  options.runtimes = std::filesystem::path(settings.runtimes()).lexically_normal().string();
  options.environment = environment;
  options.namespace_name = Namespace{settings.namespace_name};
  options.config = config;
  CO_TRY(auto platform, platform::process::ProcessPlatform::open(loop, std::move(options)));

  http::Client client{loop};
  MetricsHistory history;
  EventHub events{loop, *platform};
  MetricsCollector collector{loop, client, *platform, history, [&](const auto& round) { events.collected(round); }};
  collector.start(home.metrics());
  FunctionTemplates templates{loop, client, template_options(settings, home.cache(), environment)};
  CO_TRY(auto auth, Auth::open(loop, client, auth_options(settings, config),
                               std::make_unique<TokenFolder>(token_folder(settings.home)), nullptr));
  Served served = served_by(*auth, *platform, client, config, Namespace{settings.namespace_name}, {"127.0.0.1"},
                            templates, events, history);
  CO_TRY_DO(instance.publish(address));
  CO_TRY_DO(co_await serve(loop, settings, served, std::move(listener), signals));
  collector.save();
  co_await platform->shut_down(Deadline::in(kFunctionDrain));
  log::info("Ended");
  co_return Result<void>{};
}

// The life of a cluster's dashboard, or of the one that nuctl has for a command: know what there is, serve until told
// to end. What it deploys goes on without it.
Task<Result<void>> run_cluster(Loop& loop, const Settings& settings, const std::vector<std::string>& environment,
                               Signals& signals) {
  CO_TRY(auto config, read_platform_config(settings.platform_config));
  if (config.kind == spec::PlatformKind::automatic) config.kind = spec::PlatformKind::kube;
  CO_TRY(auto cluster, Cluster::find(loop, settings, environment, config));
  Address address = settings.listen;
  if (settings.private_socket) address.unix_path = cluster->folder() + "/socket";
  CO_TRY(Listener listener, Listener::listen(loop, address));
  CO_TRY_DO(co_await cluster->platform().open(Deadline::in(kClusterTime)));
  http::Client client{loop};
  FunctionTemplates templates{loop, client, template_options(settings, cluster->folder(), environment)};
  MetricsHistory history;
  EventHub events{loop, cluster->platform()};
  MetricsCollector collector{loop, client, cluster->platform(), history,
                             [&](const auto& round) { events.collected(round); }};
  // From elsewhere pods cannot be reached.
  if (settings.in_cluster) collector.start("");
  CO_TRY(auto auth,
         Auth::open(loop, client, auth_options(settings, config),
                    std::make_unique<TokenSecret>(cluster->api(), cluster->namespace_name()), &cluster->api()));
  Served served = served_by(*auth, cluster->platform(), client, config, cluster->namespace_name(),
                            cluster->external_addresses(), templates, events, history);
  served.registries = registries_of(settings);
  CO_TRY_DO(co_await serve(loop, settings, served, std::move(listener), signals));
  co_await cluster->platform().shut_down(Deadline::in(kServerDrain));
  log::info("Ended");
  co_return Result<void>{};
}

int main(int argc, char** argv) {
  ignore_broken_pipes();
  std::vector<std::string> arguments(argv + 1, argv + argc);
  std::vector<std::string> environment;
  for (char** each = environ; *each; ++each) environment.emplace_back(*each);
  std::error_code error;
  std::string programs = std::filesystem::read_symlink("/proc/self/exe", error).parent_path().string();
  if (!arguments.empty() && arguments[0] == "token")
    return run_token_command(std::span(arguments).subspan(1), environment);
  if (!arguments.empty() && arguments[0] == "hash-password") return run_hash_password();
  auto settings = read_settings(arguments, environment, programs);
  if (!settings) {
    std::fprintf(stderr, "dashboard: %s\n", settings.error().what.c_str());
    return 1;
  }
  if (settings->asked == Asked::help) {
    std::fputs(help_text().c_str(), stdout);
    return 0;
  }
  if (settings->asked == Asked::version) {
    std::printf("dashboard %.*s (%.*s)\n", static_cast<int>(kVersion.size()), kVersion.data(),
                static_cast<int>(kCommit.size()), kCommit.data());
    return 0;
  }
  if (settings->ready_descriptor >= 0) ::fcntl(settings->ready_descriptor, F_SETFD, FD_CLOEXEC);
  log::configure({.level = log::Level::info, .logger = "dashboard"});
  Loop loop;
  Signals signals{loop, {SIGTERM, SIGINT}};
  const bool kube = settings->platform == PlatformChoice::kube;
  auto done = run_until_done(loop, kube ? run_cluster(loop, *settings, environment, signals)
                                        : run_processes(loop, *settings, environment, signals));
  if (done) return 0;
  std::fprintf(stderr, "dashboard: %s\n", done.error().what.c_str());
  report(settings->ready_descriptor, done.error().what);
  return 1;
}

}  // namespace
}  // namespace nuclio::dashboard

int main(int argc, char** argv) { return nuclio::dashboard::main(argc, argv); }
