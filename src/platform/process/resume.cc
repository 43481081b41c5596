// SPDX-License-Identifier: Apache-2.0
// The start of the platform: what it finds of the time before, after an end in good order or a crash, and how that goes
// on.
#include <algorithm>
#include <filesystem>
#include <set>

#include "base/log.h"
#include "platform/process/managed.h"
#include "platform/process/revision_files.h"
#include "spec/invocation.h"

namespace nuclio::platform::process {
namespace {

namespace fs = std::filesystem;
using spec::FunctionState;
using namespace std::chrono_literals;

constexpr auto kLeftoversEnd = 30s;

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    out.push_back(entry->path().filename().string());
  return out;
}

}  // namespace

Result<void> ProcessPlatform::load() {
  TRY(auto projects, store_.projects());
  for (auto& project : projects) projects_.emplace(id_of(project), std::move(project));
  ProjectId usual{options_.namespace_name, ProjectName{std::string(spec::kDefaultProject)}};
  if (!projects_.contains(usual)) {
    spec::Project project;
    project.metadata.name = usual.name.value();
    project.metadata.namespace_name = usual.namespace_name.value();
    TRY_DO(add_project(project));
  }
  TRY(auto functions, store_.functions());
  for (auto& stored : functions) settle(add(std::move(stored)));
  sort_leftovers();
  TRY_DO(sweep());
  for (auto& [id, managed] : functions_) resume(*managed);
  work_.spawn(run_all_again());
  return {};
}

// What was being done when the platform ended: it is as wanted when nothing is missing for that, and else it failed.
void ProcessPlatform::settle(Managed& managed) {
  auto& status = managed.status();
  const StoredFunction& stored = managed.stored;
  if (stored.desired == Desired::stopped) {
    status.state = FunctionState::scaled_to_zero;
    status.message.clear();
    served_at(managed.stored, 0);
  } else if (stored.desired == Desired::running && status.state != FunctionState::error) {
    if (stored.serving != Revision{0} && stored.serving == stored.latest) {
      status.state = good_state(stored.config.spec);
      status.message.clear();
    } else {
      status.state = FunctionState::error;
      status.message = "the dashboard ended while this was being deployed; deploy it again";
      if (stored.serving != Revision{0}) status.message += kOldVersionServes;
    }
  }
  if (status.state == FunctionState::error) managed.outcome = fail(Why::internal, status.message);
}

// Gives processes that are still there to their functions.
void ProcessPlatform::sort_leftovers() {
  auto leftovers = find_leftovers(loop_, home_, options_.processor);
  if (!leftovers.empty())
    log::info("Processes of an earlier dashboard are still there", {{"number", leftovers.size()}});
  // Those that end at once come first.
  std::ranges::partition(leftovers, [](const auto& each) { return each->kind() == Leftover::Kind::builder; });
  for (auto& leftover : leftovers) {
    Managed* managed = find(leftover->id());
    (managed ? managed->leftovers : of_nobody_).push_back(std::move(leftover));
  }
  if (!of_nobody_.empty()) work_.spawn(leftovers_ended(of_nobody_));
}

// Takes away the folders of functions that were being deleted, and those of revisions that nobody runs.
Result<void> ProcessPlatform::sweep() {
  TRY(auto known_ids, store_.ids());
  std::set<FunctionId> known{known_ids.begin(), known_ids.end()};
  for (const std::string& root : {home_.functions(), home_.all_logs()})
    for (const std::string& space : names_in(root))
      for (const std::string& name : names_in(root + "/" + space))
        if (!known.contains({Namespace{space}, FunctionName{name}})) trash_.take(root + "/" + space + "/" + name);
  for (const auto& [id, managed] : functions_)
    for (const std::string& revision : names_in(home_.function(id)))
      if (revision != std::to_string(managed->stored.serving.value())) trash_.take(home_.function(id) + "/" + revision);
  // Builds in the cache take a hidden name until they are done.
  for (const std::string& runtime : names_in(home_.cache()))
    for (const std::string& entry : names_in(home_.cache() + "/" + runtime))
      if (entry.starts_with(".building.")) trash_.take(home_.cache() + "/" + runtime + "/" + entry);
  return {};
}

// What served before serves again, at the same port; a little later, so that we are there for requests first.
void ProcessPlatform::resume(Managed& managed) {
  const StoredFunction& stored = managed.stored;
  managed.resuming = true;
  bool runs = stored.desired == Desired::running && replica_count(stored.config.spec) > 0;
  if (managed.status().state == FunctionState::ready && runs) {
    managed.status().state = FunctionState::unhealthy;
    managed.status().message = managed.leftovers.empty()
                                   ? "it is being started"
                                   : "it is started again once its processes of before have finished what they had";
  }
  if (!managed.leftovers.empty()) managed.work.spawn(run_again_later(managed));
}

// One after the other, with requests in between.
Task<void> ProcessPlatform::run_all_again() {
  std::vector<FunctionId> ids;
  for (const auto& [id, managed] : functions_) ids.push_back(id);
  for (const FunctionId& id : ids) {
    co_await loop_.yield();
    Managed* managed = find(id);  // it may have been deleted meanwhile
    if (managed && managed->resuming && !managed->being_deleted && managed->leftovers.empty()) run_again(*managed);
  }
}

// Once its processes of before have ended, since no event may be handled twice, and they hold the port.
Task<void> ProcessPlatform::run_again_later(Managed& managed) {
  co_await leftovers_ended(managed.leftovers);
  run_again(managed);
}

// To be waited for before anything of a function is started or stopped.
Task<void> ProcessPlatform::resumed(Managed& managed) {
  while (managed.resuming) (void)co_await changed_.wait();
}

Task<void> ProcessPlatform::leftovers_ended(std::vector<std::unique_ptr<Leftover>>& leftovers) {
  Deadline deadline = Deadline::in(kLeftoversEnd);
  for (auto& leftover : leftovers)
    co_await leftover->ended(leftover->kind() == Leftover::Kind::builder ? Deadline::in(0s) : deadline);
  leftovers.clear();
}

void ProcessPlatform::run_again(Managed& managed) {
  managed.resuming = false;
  changed(id_of(managed.stored.config));
  auto& stored = managed.stored;
  FunctionId id = id_of(stored.config);
  if (stored.desired != Desired::running || stored.serving == Revision{0}) return;
  auto complain = [&](const std::string& message) {
    log::error("A function cannot be started again", {{"function", id.name.value()}, {"reason", message}});
    if (spec::provisioned(managed.status().state)) set_state(managed, FunctionState::error, message);
  };
  auto config = store_.revision(id, stored.serving);
  if (!config) return complain(config.error().what + "; deploy it again");
  int count = replica_count(config->spec);
  if (count == 0) return;
  bool listens = spec::http_trigger(config->spec) != nullptr;
  auto socket = socket_for(managed, *config);
  if (!socket) return complain(socket.error().what);
  if (auto folder = make_private_folder(home_.logs(id)); !folder) return complain(folder.error().what);
  managed.socket = std::move(*socket);
  auto port = listens ? port_of(managed.socket.get()) : Result<int>{0};
  served_at(stored, port.value_or(0));
  if (managed.status().state == FunctionState::ready) managed.status().state = FunctionState::unhealthy;
  managed.supervisor.resume(launch(managed, *config, stored.serving, managed.socket.get()), count, times(*config));
  health_changed(managed);
}

}  // namespace nuclio::platform::process
