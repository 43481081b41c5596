// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/log.h"
#include "base/random_text.h"
#include "base/version.h"
#include "controller/controller.h"
#include "controller/settings.h"
#include "http/client.h"
#include "http/router.h"
#include "http/server.h"
#include "k8s/cluster.h"
#include "k8s/lease.h"
#include "loop/group.h"
#include "loop/run.h"
#include "loop/signals.h"
#include "loop/wait_list.h"
#include "spec/load.h"

namespace nuclio::controller {
namespace {

using namespace std::chrono_literals;

constexpr auto kReadyTime = 120s;  // until everything in the cluster is known
constexpr auto kReleaseTime = 3s;

Result<spec::PlatformConfig> read_platform_config(const std::string& path) {
  std::string text;
  std::error_code error;
  // A cluster without the ConfigMap has the defaults.
  if (std::filesystem::exists(path, error)) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(Why::forbidden, "--platform-config: cannot read " + path);
    std::ostringstream all;
    all << file.rdbuf();
    text = std::move(all).str();
  }
  auto loaded = spec::parse_platform_config(text, spec::Unknown::warning);
  if (!loaded) return std::unexpected(std::move(loaded).error().in(path));
  for (const auto& warning : loaded->warnings) log::warn(path + ": " + schema::text(warning));
  if (loaded->config.kind == spec::PlatformKind::automatic) loaded->config.kind = spec::PlatformKind::kube;
  return std::move(loaded->config);
}

Task<http::Response> answer(bool well) { co_return http::Response::json(well ? 200 : 503, "{}"); }

std::vector<http::Route> health_routes(const std::unique_ptr<Controller>& controller) {
  auto live = [](http::Request&, const http::PathParams&) { return answer(true); };
  // One that waits for its turn to lead is as ready as it can be.
  auto ready = [&controller](http::Request&, const http::PathParams&) {
    return answer(!controller || controller->ready());
  };
  return {{"GET", "/live", live, "Whether it runs."}, {"GET", "/ready", ready, "Whether it has seen everything."}};
}

struct End {
  std::optional<Error> failure;
  bool asked = false;
};

Task<void> wait_for_signal(Signals& signals, End& end, WaitList& changed) {
  const int number = co_await signals.next();
  log::info("Ending", {{"signal", number}});
  end.asked = true;
  changed.notify_all();
}

Task<void> hold(k8s::Lease& lease, End& end, WaitList& changed) {
  Error error = co_await lease.hold();
  end.failure = std::move(error).in("no longer the leader");
  changed.notify_all();
}

// `lease` null: without asking others.
Task<void> lead(Loop& loop, k8s::Api& api, k8s::Lease* lease, ControllerOptions options,
                std::unique_ptr<Controller>& controller, End& end, WaitList& changed) {
  Group holding{loop};
  if (lease) {
    co_await lease->acquire();
    holding.spawn(hold(*lease, end, changed));
  }
  controller = std::make_unique<Controller>(loop, api, std::move(options));
  Error error = co_await controller->run(Deadline::in(kReadyTime));
  end.failure = std::move(error);
  changed.notify_all();
}

// The life of the controller: find the cluster, wait for our turn, work until told to end. Whatever takes away the
// right to work ends the program: who starts it again starts it clean.
Task<Result<void>> run(Loop& loop, const Settings& settings, const std::vector<std::string>& environment,
                       Signals& signals) {
  CO_TRY(auto platform, read_platform_config(settings.platform_config));
  k8s::ClusterQuery query{.kubeconfig = settings.kubeconfig, .environment = environment};
  CO_TRY(auto cluster, k8s::find_cluster(query));
  const std::string own_namespace = cluster.namespace_name;
  http::Client client{loop};
  k8s::Api api{loop, client, std::move(cluster), "nuclio-controller/" + std::string(kVersion)};

  ControllerOptions options;
  if (!settings.all_namespaces)
    options.namespace_name = settings.namespace_name.empty() ? own_namespace : settings.namespace_name;
  options.instance = settings.identity;
  options.workers = settings.workers;
  options.resync = settings.resync;
  options.evicted_cleanup = settings.evicted_cleanup;
  options.reconcile.platform = std::move(platform);
  options.reconcile.external_addresses = settings.external_addresses;
  options.reconcile.version = std::string(kVersion);

  std::unique_ptr<Controller> controller;
  http::Router router{health_routes(controller)};
  http::Server server{loop, {}, router};
  if (!settings.health.empty()) {
    CO_TRY(const Address address, parse_address(settings.health));
    CO_TRY(Listener listener, Listener::listen(loop, address));
    server.serve(std::move(listener));
  }

  k8s::LeaseOptions lease_options;
  lease_options.name = {settings.lease_namespace.empty() ? own_namespace : settings.lease_namespace,
                        "nuclio-controller-" + (options.namespace_name.empty() ? "all" : options.namespace_name)};
  lease_options.identity = settings.identity + "_" + random_text(8);  // no other start of this program has it
  k8s::Lease lease{loop, api, std::move(lease_options)};
  End end;
  WaitList changed{loop};
  {
    Group work{loop};
    work.spawn(wait_for_signal(signals, end, changed));
    work.spawn(
        lead(loop, api, settings.leader_election ? &lease : nullptr, std::move(options), controller, end, changed));
    while (!end.asked && !end.failure) (void)co_await changed.wait();
  }
  const bool led = controller != nullptr;
  controller.reset();
  if (led && settings.leader_election) co_await lease.release(Deadline::in(kReleaseTime));
  if (end.failure) co_return fail(std::move(*end.failure));
  log::info("Ended");
  co_return Result<void>{};
}

int main(int argc, char** argv) {
  ignore_broken_pipes();
  std::vector<std::string> arguments(argv + 1, argv + argc);
  std::vector<std::string> environment;
  for (char** each = environ; *each; ++each) environment.emplace_back(*each);
  auto settings = read_settings(arguments, environment);
  if (!settings) {
    std::fprintf(stderr, "controller: %s\n", settings.error().what.c_str());
    return 1;
  }
  if (settings->asked == Asked::help) {
    std::fputs(help_text().c_str(), stdout);
    return 0;
  }
  if (settings->asked == Asked::version) {
    std::printf("controller %.*s (%.*s)\n", static_cast<int>(kVersion.size()), kVersion.data(),
                static_cast<int>(kCommit.size()), kCommit.data());
    return 0;
  }
  log::configure({.level = log::Level::info, .logger = "controller"});
  Loop loop;
  Signals signals{loop, {SIGTERM, SIGINT}};
  auto done = run_until_done(loop, run(loop, *settings, environment, signals));
  if (done) return 0;
  std::fprintf(stderr, "controller: %s\n", done.error().what.c_str());
  return 1;
}

}  // namespace
}  // namespace nuclio::controller

int main(int argc, char** argv) { return nuclio::controller::main(argc, argv); }
