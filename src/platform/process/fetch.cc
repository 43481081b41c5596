// SPDX-License-Identifier: Apache-2.0
// The beginning of a deploy whose code is elsewhere: it is got, and then known.
#include <boost/json.hpp>

#include "builder/fetch.h"
#include "platform/process/managed.h"

namespace nuclio::platform::process {

std::string fetched_code(const std::string& revision_folder) { return revision_folder + "/fetched"; }

builder::Asker ProcessPlatform::asker() const {
  // The dashboard listens on loopback alone, so whoever asks works on this machine.
  return options_.config.builder.local_sources.value_or(true) ? builder::Asker::local : builder::Asker::anyone;
}

Task<void> ProcessPlatform::fetch_and_bring_up(Managed& managed, boost::json::value given, builder::Origin origin,
                                               Deadline deadline) {
  Revision revision = managed.stored.latest;
  auto source = co_await fetch(managed, given, origin, deadline);
  if (!source) {
    failed(managed, source.error(), revision);
    co_return;
  }
  co_await bring_up(managed, std::move(*source), deadline);
}

// Gets the code, and only then knows all that the function is: what came with its code is merged in.
Task<Result<builder::Source>> ProcessPlatform::fetch(Managed& managed, const boost::json::value& given,
                                                     const builder::Origin& origin, Deadline deadline) {
  std::string folder = home_.revision(id_of(managed.stored.config), managed.stored.latest);
  CO_TRY_DO(make_private_folder(folder));
  builder::FetchOptions options;
  options.folder = fetched_code(folder);
  options.asker = asker();
  options.environment = builder::fetch_environment(options_.environment, options.asker);
  options.environment.push_back(std::string(kBuildVariable) + "=" + folder);
  options.log = [this, &managed](std::string_view line) { add_log(managed, "info", line); };
  CO_TRY(std::string path, co_await builder::fetch_code(loop_, client_, origin, std::move(options), deadline));
  auto source = builder::find_source(given, runtimes_, path);
  if (!source) co_return fail(builder::named_for_people(std::move(source).error(), path, origin));
  CO_TRY(auto warnings, complete(source->config));
  warnings.insert(warnings.end(), source->warnings.begin(), source->warnings.end());
  for (const auto& warning : warnings) add_log(managed, "warn", schema::text(warning));

  StoredFunction next = managed.stored;
  spec::FunctionStatus status = std::move(next.config.status);
  std::string version = std::move(next.config.metadata.resource_version);
  next.config = source->config;
  next.config.status = std::move(status);
  next.config.metadata.resource_version = std::move(version);
  CO_TRY_DO(store_.save(next));
  managed.stored = std::move(next);
  co_return source;
}

}  // namespace nuclio::platform::process
