// SPDX-License-Identifier: Apache-2.0
// The moment from which a function is what it was asked to be.
#include <algorithm>
#include <boost/json.hpp>
#include <iterator>

#include "builder/artifact.h"
#include "platform/process/managed.h"
#include "platform/process/revision_files.h"
#include "spec/enrich.h"
#include "spec/load.h"
#include "spec/rules.h"

namespace nuclio::platform::process {

using spec::FunctionState;

namespace {

// Here a function runs from a folder, in which its image would be only promised.
void warn_about_images(const spec::Build& build, std::vector<schema::Problem>& warnings) {
  const auto warn = [&](bool is_set, const char* field) {
    if (is_set) warnings.push_back({std::string("spec.build.") + field, "has no effect here: no image is made"});
  };
  warn(!build.registry.empty(), "registry");
  warn(!build.base_image_registry.empty(), "baseImageRegistry");
  warn(!build.base_image.empty(), "baseImage");
  warn(!build.directives.empty(), "directives");
  warn(!build.args.empty(), "args");
}

}  // namespace

// Takes what was asked for, if it can be as far as is known now, and goes on by itself. Code that is elsewhere is
// looked at later: getting it may take long.
Result<void> ProcessPlatform::begin(boost::json::value given, spec::Loaded<spec::FunctionConfig> asked,
                                    Managed* existing) {
  const Deadline deadline = builder::build_deadline(asked.config.spec.build);
  TRY(auto origin, builder::origin_of(asked.config.spec.build, asker()));
  std::optional<builder::Source> source;
  std::vector<schema::Problem> warnings;
  spec::FunctionConfig config = asked.config;
  if (origin) {
    // What comes with the code is to be merged with what was given, not with what we add to that.
    TRY_DO(complete(asked.config));
  } else {
    TRY(source, builder::find_source(given, runtimes_));
    TRY(warnings, complete(source->config));
    warnings.insert(warnings.end(), source->warnings.begin(), source->warnings.end());
    config = source->config;
  }

  StoredFunction fresh;
  fresh.config.metadata = config.metadata;
  Managed& managed = existing ? *existing : add(std::move(fresh));
  auto accepted = accept(managed, std::move(config));
  if (!accepted) {
    if (!existing) functions_.erase(id_of(managed.stored.config));
    return accepted;
  }
  for (const auto& warning : warnings) add_log(managed, "warn", schema::text(warning));
  managed.work.spawn(origin ? fetch_and_bring_up(managed, std::move(given), std::move(*origin), deadline)
                            : bring_up(managed, std::move(*source), deadline));
  return {};
}

// The config as it will run; the result are warnings.
Result<std::vector<schema::Problem>> ProcessPlatform::complete(spec::FunctionConfig& config) const {
  config = spec::enrich(std::move(config), options_.config);
  config.spec.build.mode = spec::BuildMode::when_needed;
  TRY(auto warnings, spec::validate(config));
  TRY_DO(check_project(config));
  if (replica_count(config.spec) > kMaxReplicas)
    return fail(Why::invalid, "spec.replicas must be at most " + std::to_string(kMaxReplicas) +
                                  " on this platform, is " + std::to_string(replica_count(config.spec)));
  warn_about_images(config.spec.build, warnings);
  std::ranges::move(spec::without_effect(config, kind()), std::back_inserter(warnings));
  return warnings;
}

// From here on the function is what it was asked to be, also after a restart, whether or not it can be brought up.
Result<void> ProcessPlatform::accept(Managed& managed, spec::FunctionConfig config) {
  StoredFunction next = managed.stored;
  std::int64_t version = std::atoll(next.config.metadata.resource_version.c_str());
  spec::FunctionStatus status = std::move(next.config.status);
  status.state = FunctionState::building;
  status.message.clear();
  status.logs.clear();
  next.config = std::move(config);
  next.config.status = std::move(status);
  next.config.metadata.resource_version = std::to_string(version + 1);
  next.desired = Desired::running;
  next.latest = Revision{next.latest.value() + 1};
  TRY_DO(store_.begin_revision(next, std::chrono::system_clock::now()));
  managed.stored = std::move(next);
  managed.outcome = {};
  changed(id_of(managed.stored.config));
  return {};
}

}  // namespace nuclio::platform::process
