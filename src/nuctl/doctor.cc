// SPDX-License-Identifier: Apache-2.0
// `nuctl doctor`: what is well and what is not with what nuctl would work on, and what to do about it.
#include <fmt/ranges.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <optional>

#include "builder/image_plan.h"
#include "nuctl/commands.h"
#include "nuctl/examine_cluster.h"
#include "nuctl/findings.h"
#include "nuctl/output.h"
#include "nuctl/session.h"
#include "oci/keychain.h"
#include "oci/registry.h"
#include "schema/json.h"
#include "spec/function.h"
#include "wire/runtime.h"

namespace nuclio::nuctl {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto kRegistryTime = 15s;  // logging in takes up to five round trips

Finding look_at_home(const Session& session) {
  const std::string& home = session.settings().home;
  std::error_code error;
  fs::create_directories(home, error);
  if (!error && ::access(home.c_str(), W_OK | X_OK) == 0) return well(home);
  const std::string why = error ? error.message() : errno_error("", errno).what;
  return wrong(home + " cannot be written: " + why, "make it yours, or name another folder by NUCLIO_HOME");
}

Task<Finding> look_at_dashboard(Session& session) {
  if (const std::string url = co_await session.running_dashboard(); !url.empty()) co_return well(url);
  const std::string program = session.settings().programs + "/dashboard";
  if (::access(program.c_str(), X_OK) == 0) co_return well("none runs; nuctl starts one when it needs it");
  co_return wrong("none runs, and there is no program " + program, "install nuctl with all that belongs to it");
}

Finding look_at_runtimes(const Session& session) {
  const fs::path share = fs::path(session.settings().programs).parent_path() / "share/nuclio/runtimes";
  const auto runtimes = wire::load_runtimes(share.string());
  constexpr const char* kRemedy = "install nuctl with all that belongs to it";
  if (!runtimes) return wrong(runtimes.error(), kRemedy);
  if (runtimes->empty()) return wrong("there are none in " + share.string(), kRemedy);
  std::vector<std::string> names;
  for (const wire::Runtime& runtime : *runtimes) names.push_back(runtime.name);
  return well(fmt::format("{}", fmt::join(names, ", ")));
}

Task<void> examine_machine(Session& session, Findings& findings) {
  findings.add("home", look_at_home(session));
  findings.add("dashboard", co_await look_at_dashboard(session));
  findings.add("runtimes", look_at_runtimes(session));
}

class Doctor final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.text({"registry", 'r', "NUCTL_REGISTRY"}, registry_, "Also whether images may be pushed to this registry");
    flags.text({"registry-ca"}, authorities_, "PEM file with the registry's certificate authorities");
    flags.yes({"pull"}, pull_, "Also whether a node can pull --image, with a pod that is made for it (kube)");
    flags.text({"image"}, image_, "Image for --pull");
    flags.text({"output", 'o'}, format_, "text, json");
  }

  Task<Result<int>> run(Session& session) override {
    CO_TRY(const Format format, parse_format(format_));
    if (format != Format::text && format != Format::json)
      co_return fail(Why::invalid, "--output must be text or json, is \"" + format_ + "\"");
    CO_TRY(const bool kube, session.on_cluster());
    Findings findings{[&](std::string_view subject, const Finding& finding) {
      if (format == Format::text) session.print(line_of(subject, finding));
    }};
    if (kube) {
      std::optional<std::string> pulled;
      if (pull_ && !image_.empty()) pulled = image_;
      co_await examine_cluster(session, findings, pulled);
      if (pull_ && image_.empty()) findings.add("pull", skipped("name an image by --image"));
    } else {
      co_await examine_machine(session, findings);
    }
    if (!registry_.empty()) {
      Finding registry = co_await look_at_registry(session);
      findings.add("registry", std::move(registry));
    } else if (kube) {
      findings.add("registry", skipped("name one by --registry or NUCTL_REGISTRY"));
    }
    if (format == Format::json) session.print(schema::to_pretty_json(findings.json()));
    co_return findings.all_well() ? 0 : 1;
  }

 private:
  // As `nuctl build` would push a function's image there.
  Task<Finding> look_at_registry(Session& session) {
    const std::vector<std::string>& environment = session.settings().environment;
    spec::FunctionConfig function;
    function.metadata.name = "doctor";
    function.spec.build.registry = registry_;
    const builder::ImageDefaults defaults;
    auto target = builder::plan_target(function, defaults);
    if (!target) co_return wrong(target.error(), "--registry is HOST[:PORT][/PATH], http:// before it without TLS");
    if (!*target) co_return skipped("name one by --registry or NUCTL_REGISTRY");
    oci::Keychain keychain{environment};
    if (const std::string path = oci::docker_config_path(environment); !path.empty())
      if (auto read = keychain.add_docker_config(path); !read) co_return wrong(read.error(), "mend " + path);
    oci::RegistryOptions options;
    options.plain_http = (*target)->plain_http;
    options.proxies = http::proxies_of(environment);
    options.authorities = authorities_.empty() ? "" : session.absolute(authorities_);
    const ImageReference& name = (*target)->name;
    oci::Registry registry{session.loop(), session.client(), keychain, name.registry, std::move(options)};
    const oci::Repository repository{name.repository};
    auto accepted = co_await registry.preflight(repository, Deadline::in(kRegistryTime));
    if (accepted) co_return well(registry_ + " takes images");
    const bool login = accepted.error().why == Why::forbidden;
    co_return wrong(accepted.error(), login ? "docker login " + name.registry + ", as somebody who may push"
                                            : "see that it runs and is reached from here; one without TLS is "
                                              "named with http:// before it");
  }

  std::string registry_;
  std::string authorities_;
  std::string image_;
  std::string format_ = "text";
  bool pull_ = false;
};

}  // namespace

std::unique_ptr<Command> make_doctor() { return std::make_unique<Doctor>(); }

}  // namespace nuclio::nuctl
