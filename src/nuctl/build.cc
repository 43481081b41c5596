// SPDX-License-Identifier: Apache-2.0
// `nuctl build`: a function becomes an image, or a folder that a processor runs, without a dashboard.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>

#include "base/environment.h"
#include "base/log.h"
#include "builder/artifact.h"
#include "builder/fetch.h"
#include "builder/image_builder.h"
#include "builder/origin.h"
#include "loop/group.h"
#include "loop/signals.h"
#include "loop/wait_list.h"
#include "nuctl/commands.h"
#include "nuctl/function_client.h"
#include "nuctl/function_flags.h"
#include "oci/keychain.h"
#include "spec/enrich.h"
#include "spec/load.h"
#include "spec/platform_config.h"
#include "spec/rules.h"
#include "wire/runtime.h"

namespace nuclio::nuctl {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// For one build, and gone with it.
class WorkFolder {
 public:
  static Result<WorkFolder> create(const std::string& parent, bool keep) {
    std::string path = parent + "/nuclio-build-XXXXXX";
    std::error_code error;
    fs::create_directories(parent, error);
    if (!::mkdtemp(path.data())) return fail_errno("making a folder in " + parent);
    return WorkFolder{std::move(path), keep};
  }
  WorkFolder(WorkFolder&& other) noexcept : path_(std::exchange(other.path_, {})), keep_(other.keep_) {}
  WorkFolder& operator=(WorkFolder&&) = delete;
  ~WorkFolder() {
    std::error_code ignored;
    if (!path_.empty() && !keep_) fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  WorkFolder(std::string path, bool keep) : path_(std::move(path)), keep_(keep) {}
  std::string path_;
  bool keep_;
};

// What --output says: a folder that a processor runs, or the image as a file or folder.
struct Output {
  std::optional<builder::ImageFile> image;
  std::string folder;
};

Result<Output> parse_output(const Session& session, std::string_view text) {
  using Kind = builder::ImageFile::Kind;
  struct Prefix {
    std::string_view name;
    Kind kind;
  };
  // As skopeo and others call them.
  static constexpr Prefix kPrefixes[] = {
      {"docker-archive:", Kind::docker_archive}, {"oci-archive:", Kind::oci_archive}, {"oci:", Kind::oci_layout}};
  for (const Prefix& prefix : kPrefixes) {
    if (!text.starts_with(prefix.name)) continue;
    const std::string path{text.substr(prefix.name.size())};
    if (path.empty()) return fail(Why::invalid, "--output " + std::string(text) + " names no file");
    return Output{builder::ImageFile{prefix.kind, session.absolute(path)}, {}};
  }
  if (text.ends_with(".tar"))
    return Output{builder::ImageFile{Kind::docker_archive, session.absolute(std::string(text))}, {}};
  return Output{{}, session.absolute(std::string(text))};
}

Result<oci::ImageTime> image_time(const std::string& text) {
  if (text.empty()) return oci::kEpoch;
  long seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size() || seconds < 0 || seconds > 253'402'300'799)
    return fail(Why::invalid, "SOURCE_DATE_EPOCH must be seconds since 1970, is \"" + text + "\"");
  return oci::ImageTime{std::chrono::seconds{seconds}};
}

class Build final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.optional_argument("name", name_, "Name of the function");
    function_.declare(flags);
    flags.text({"output"}, output_,
               "Write it here instead of, or with --registry beside, pushing it: FOLDER that a processor runs, "
               "FILE.tar for docker load, oci:FOLDER, oci-archive:FILE or docker-archive:FILE");
    flags.text({"output-image-file"}, output_image_file_, "The same as --output docker-archive:FILE");
    flags.text({"builder-kind", 0, "NUCLIO_CONTAINER_BUILDER_KIND"}, kind_,
               "Who makes the image: layers (ourselves; needs nothing), docker or buildah");
    flags.text({"registry-ca"}, authorities_, "PEM file with the registry's certificate authorities");
  }

  Task<Result<int>> run(Session& session) override {
    CO_TRY(json::object config, function_.file(session));
    CO_TRY_DO(function_.apply(config, session));
    if (!name_.empty()) object_at(config, "metadata")["name"] = name_;
    if (text_at(config, "metadata.name").empty())
      co_return fail(Why::invalid, "the function has no name\nnuctl build NAME, or metadata.name in the file");
    const json::value* build = value_at(config, "spec.build");
    if (!function_.has_code() && (!build || !build->is_object() || build->get_object().empty()))
      co_return fail(
          Why::invalid,
          "there is no code to build\ngive --path FILE-OR-FOLDER, --source BASE64, or spec.build in a --file");
    CO_TRY(config, checked(config, session));
    if (!output_image_file_.empty()) output_ = "docker-archive:" + output_image_file_;
    Output output;
    if (!output_.empty()) {
      CO_TRY(output, parse_output(session, output_));
    }
    if (output_.empty() && text_at(config, "spec.build.registry").empty())
      co_return fail(
          Why::invalid,
          "there is no place for the image\ngive --registry HOST[:PORT][/PATH] to push it there, or --output "
          "FOLDER or FILE.tar to write it here");
    co_return co_await build_unless_interrupted(session, config, std::move(output));
  }

 private:
  // Interrupted, it ends with all that it has started, and takes its folders away.
  Task<Result<int>> build_unless_interrupted(Session& session, const json::object& config, Output output) {
    Signals signals{session.loop(), {SIGINT, SIGTERM}};
    WaitList changed{session.loop()};
    std::optional<Result<int>> done;
    std::optional<int> signal;
    {
      Group group{session.loop()};
      group.spawn(keep_signal(signals, signal, changed));
      group.spawn(keep_result(build_it(session, config, std::move(output)), done, changed));
      while (!done && !signal) (void)co_await changed.wait();
    }
    if (done) co_return std::move(*done);
    session.note("\n");
    co_return fail(Why::unavailable, "the build was interrupted; nothing was pushed that counts");
  }
  static Task<void> keep_signal(Signals& signals, std::optional<int>& signal, WaitList& changed) {
    signal = co_await signals.next();
    changed.notify_all();
  }
  static Task<void> keep_result(Task<Result<int>> task, std::optional<Result<int>>& done, WaitList& changed) {
    done = co_await std::move(task);
    changed.notify_all();
  }

  Task<Result<int>> build_it(Session& session, const json::object& config, Output output) {
    const std::vector<std::string>& environment = session.settings().environment;
    const std::string share = fs::path(session.settings().programs).parent_path().string() + "/share/nuclio";
    CO_TRY(const auto runtimes, wire::load_runtimes(share + "/runtimes"));
    CO_TRY(const auto loaded, spec::read_function(config, spec::Unknown::problem));
    const spec::Build& build = loaded.config.spec.build;
    const Deadline deadline = builder::build_deadline(build);
    const std::string scratch = build.temp_dir.empty() ? variable(environment, "TMPDIR") : build.temp_dir;
    CO_TRY(const WorkFolder work, WorkFolder::create(scratch.empty() ? "/tmp" : scratch, build.no_cleanup));
    if (build.no_cleanup) session.note("the build's files are kept in " + work.path() + "\n");

    oci::Keychain keychain{environment};
    if (const std::string path = oci::docker_config_path(environment); !path.empty())
      CO_TRY_DO(keychain.add_docker_config(path));
    builder::ImageBuilderOptions options;
    CO_TRY(options.kind, builder::parse_builder_kind(kind_));
    options.cache = session.settings().home + "/cache/images";
    options.parts = share + "/image";
    options.program = session.settings().programs + "/builder";
    options.environment = builder::build_environment(environment);
    options.engine_environment = environment;
    options.registries.proxies = http::proxies_of(environment);
    options.registries.authorities = authorities_.empty() ? "" : session.absolute(authorities_);
    builder::ImageBuilder images{session.loop(), session.client(), keychain, std::move(options)};

    CO_TRY(const auto source,
           co_await find_source(session, images, config, loaded.config, runtimes, work.path(), deadline));
    // Of these, what was given was checked and warned about already.
    for (const schema::Problem& warning : source.warnings)
      if (std::ranges::find(loaded.warnings, warning) == loaded.warnings.end())
        session.note("warning: " + schema::text(warning) + "\n");
    CO_TRY_DO(spec::validate(spec::enrich(source.config, {})));
    if (!output.folder.empty()) {
      CO_TRY_DO(co_await write_folder(session, source, output.folder, deadline));
      if (source.config.spec.build.registry.empty()) co_return 0;
    }
    builder::ImageRequest request;
    request.folder = work.path() + "/image";
    request.file = output.image;
    CO_TRY(request.created, image_time(variable(environment, "SOURCE_DATE_EPOCH")));
    request.log = build_log();
    const auto began = std::chrono::steady_clock::now();
    CO_TRY(const builder::BuiltImage image, co_await images.build(source, std::move(request), deadline));
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
    const auto sent = static_cast<std::int64_t>(image.push ? image.push->sent.count : 0);
    log::info(
        "Build complete",
        {{"image", image.name}, {"digest", image.digest.text()}, {"milliseconds", took.count()}, {"sentBytes", sent}});
    co_return 0;
  }

  static builder::LogLine build_log() {
    return [](std::string_view line) { log::info(std::string(line)); };
  }

  // Gets code that is elsewhere; nothing is got while it is known already that the image could not be pushed.
  static Task<Result<builder::Source>> find_source(Session& session, builder::ImageBuilder& images,
                                                   const json::object& config, const spec::FunctionConfig& given,
                                                   const std::vector<wire::Runtime>& runtimes, std::string work,
                                                   Deadline deadline) {
    CO_TRY(const auto origin, builder::origin_of(given.spec.build, builder::Asker::local));
    if (!origin) co_return builder::find_source(config, runtimes);
    CO_TRY_DO(co_await images.check_target(given, {}, deadline));
    builder::FetchOptions options;
    options.folder = work + "/fetched";
    options.asker = builder::Asker::local;
    options.environment = builder::fetch_environment(session.settings().environment, options.asker);
    options.log = build_log();
    CO_TRY(const std::string path,
           co_await builder::fetch_code(session.loop(), session.client(), *origin, std::move(options), deadline));
    auto source = builder::find_source(config, runtimes, path);
    if (!source) co_return fail(builder::named_for_people(std::move(source).error(), path, *origin));
    co_return source;
  }

  // The code and what it needs, for a processor of this machine.
  static Task<Result<void>> write_folder(Session& session, const builder::Source& source, std::string folder,
                                         Deadline deadline) {
    builder::ArtifactOptions options;
    options.code = folder;
    options.cache = session.settings().home + "/cache";
    options.environment = builder::build_environment(session.settings().environment);
    options.log = build_log();
    std::error_code error;
    if (fs::exists(folder, error))
      co_return fail(Why::conflict, folder + " exists already\nremove it, or write to another folder");
    auto made = co_await builder::make_artifact(session.loop(), source, std::move(options), deadline);
    if (!made) {
      fs::remove_all(folder, error);  // half of it is of no use, and would be in the way next time
      co_return made;
    }
    spec::FunctionConfig shown = source.config;
    shown.spec.build = {};  // its code is here, and how it was got may be secret
    CO_TRY_DO(session.write_file(folder + "/processor.yaml", spec::to_processor_yaml(shown)));
    log::info("Build complete", {{"folder", folder}});
    session.note("run it with: " + session.settings().programs + "/processor --config " + folder + "/processor.yaml\n");
    co_return Result<void>{};
  }

  std::string name_;
  std::string output_;
  std::string output_image_file_;
  std::string authorities_;
  std::string kind_;
  FunctionFlags function_;
};

}  // namespace

std::unique_ptr<Command> make_build() { return std::make_unique<Build>(); }

}  // namespace nuclio::nuctl
