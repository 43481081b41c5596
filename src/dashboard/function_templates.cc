// SPDX-License-Identifier: Apache-2.0
#include "dashboard/function_templates.h"

#include <filesystem>
#include <map>
#include <optional>

#include "base/log.h"
#include "builder/fetch.h"

namespace nuclio::dashboard {
namespace {

namespace fs = std::filesystem;

// Far more than templates are, and little enough to be fetched by anyone's dashboard.
constexpr Bytes kMostFetched{32u << 20};
constexpr oci::UnpackLimits kMostUnpacked{.entries = 10'000, .depth = 16, .total = Bytes{64u << 20}};

// Later lists win.
std::vector<FunctionTemplate> merged(const std::vector<std::vector<FunctionTemplate>>& lists) {
  std::map<std::string, FunctionTemplate> by_name;
  for (const FunctionTemplate& each : gallery()) by_name.insert_or_assign(each.name, each);
  for (const auto& list : lists)
    for (const FunctionTemplate& each : list) by_name.insert_or_assign(each.name, each);
  std::vector<FunctionTemplate> out;
  out.reserve(by_name.size());
  for (auto& [name, each] : by_name) out.push_back(std::move(each));
  return out;
}

// Gone on every path, also when its load is cancelled.
class Scratch {
 public:
  explicit Scratch(std::string path) : path_(std::move(path)) { remove(); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { remove(); }
  const std::string& path() const { return path_; }

 private:
  void remove() const {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  std::string path_;
};

Result<void> make_parent(const std::string& folder) {
  std::error_code error;
  fs::create_directories(fs::path(folder).parent_path(), error);
  if (error) return fail(errno_error("making the folder for " + folder, error.value()));
  return {};
}

}  // namespace

FunctionTemplates::FunctionTemplates(Loop& loop, http::Client& client, FunctionTemplatesOptions options)
    : loop_(loop),
      client_(client),
      options_(std::move(options)),
      of_sources_(options_.sources.size()),
      all_(std::make_shared<const std::vector<FunctionTemplate>>(merged({}))),
      complete_(options_.sources.empty()),
      loaded_(loop),
      group_(loop) {}

Task<FunctionTemplates::List> FunctionTemplates::all() {
  if (!options_.sources.empty() && !loading_ && due_.passed()) {
    loading_ = true;
    group_.spawn(load());
  }
  if (loading_ && !complete_) (void)co_await loaded_.wait(Deadline::in(options_.patience));
  co_return all_;
}

Task<void> FunctionTemplates::load() {
  bool all_came = true;
  for (std::size_t i = 0; i < options_.sources.size(); ++i) {
    auto got = co_await get(options_.sources[i]);
    if (got) {
      of_sources_[i] = std::move(*got);
      continue;
    }
    all_came = false;
    log::warn("Could not get templates", {{"source", options_.sources[i].origin.name}, {"error", got.error().what}});
  }
  all_ = std::make_shared<const std::vector<FunctionTemplate>>(merged(of_sources_));
  complete_ = complete_ || all_came;
  due_ = Deadline::in(all_came ? options_.interval : options_.retry);
  loading_ = false;
  loaded_.notify_all();
}

Task<Result<std::vector<FunctionTemplate>>> FunctionTemplates::get(const TemplateSource& source) {
  CO_TRY_DO(make_parent(options_.folder));
  const Scratch scratch{options_.folder};
  builder::FetchOptions fetch;
  fetch.folder = scratch.path();
  // Whoever starts the dashboard says where templates are, and may mean this machine.
  fetch.asker = builder::Asker::local;
  fetch.environment = builder::fetch_environment(options_.environment, fetch.asker);
  fetch.limits.download = kMostFetched;
  fetch.limits.unpacked = kMostUnpacked;
  const Deadline deadline = Deadline::in(options_.time);
  CO_TRY(const std::string folder,
         co_await builder::fetch_code(loop_, client_, source.origin, std::move(fetch), deadline));
  auto found = co_await read_templates(loop_, folder, source.layout, options_.limits);
  log::info("Got templates", {{"source", source.origin.name}, {"templates", found.size()}});
  co_return std::move(found);
}

}  // namespace nuclio::dashboard
