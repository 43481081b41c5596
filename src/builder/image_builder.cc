// SPDX-License-Identifier: Apache-2.0
#include "builder/image_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <filesystem>

#include "builder/artifact.h"
#include "builder/copy.h"
#include "builder/dockerfile.h"
#include "builder/engines.h"
#include "oci/json.h"
#include "oci/parallel.h"
#include "schema/json.h"
#include "spec/load.h"

namespace nuclio::builder {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using namespace std::chrono_literals;
using Pairs = std::vector<std::pair<std::string, std::string>>;

// For what is found out before any work; who waits for it has seen nothing yet.
constexpr auto kPreflightTime = 20s;
// Where things are in an image.
constexpr std::string_view kProcessor = "usr/local/bin/processor";
constexpr std::string_view kLibraries = "usr/local/lib/nuclio";
constexpr std::string_view kRuntimes = "usr/local/share/nuclio/runtimes";
constexpr std::string_view kCode = "opt/nuclio";
constexpr std::string_view kConfig = "etc/nuclio/config/processor/processor.yaml";
constexpr int kPort = 8080;

std::string size_text(Bytes size) {
  const auto count = static_cast<double>(size.count);
  if (size.count < 10'000) return fmt::format("{} B", size.count);
  if (size.count < 10'000'000) return fmt::format("{:.0f} kB", count / 1e3);
  return fmt::format("{:.0f} MB", count / 1e6);
}

BaseSettings settings_of(const oci::Image& image) {
  BaseSettings settings;
  const auto document = schema::parse_json(image.config);
  const json::object* object = document ? document->if_object() : nullptr;
  const json::object* config = object ? oci::object_of(*object, "config") : nullptr;
  if (!config) return settings;
  settings.user = oci::text_of(*config, "User");
  settings.working_directory = oci::text_of(*config, "WorkingDir");
  const json::value* list = config->if_contains("Env");
  if (!list || !list->is_array()) return settings;
  for (const json::value& variable : list->get_array()) {
    if (!variable.is_string()) continue;
    const std::string text{variable.get_string()};
    const std::size_t sign = text.find('=');
    if (sign != std::string::npos) settings.environment.emplace_back(text.substr(0, sign), text.substr(sign + 1));
  }
  return settings;
}

// "3.11" of "3.11.7": what runtimes call a version has as many parts as their versions have.
std::string short_version(const std::string& version, const wire::Runtime& runtime) {
  for (const std::string& known : runtime.versions)
    if (version == known || version.starts_with(known + ".")) return known;
  return version;
}

// The version of the language that the function will meet: what the base says, else what the function asks for.
Result<std::string> version_for(const Source& source, const wire::Runtime& runtime, const BaseSettings& settings,
                                const std::optional<RemoteImage>& base) {
  const auto said = std::ranges::find(settings.environment, runtime.version_variable, &Pairs::value_type::first);
  if (said == settings.environment.end() || runtime.version_variable.empty())
    return source.version.empty() ? runtime.image_version : source.version;
  const std::string version = short_version(said->second, runtime);
  if (!source.version.empty() && version != source.version)
    return fail(Why::invalid,
                fmt::format("spec.runtime must be {}:{} for the base image {}, which has that version; is {}",
                            runtime.name, version, base->name.text(), source.config.spec.runtime));
  if (!runtime.versions.empty() && std::ranges::find(runtime.versions, version) == runtime.versions.end())
    return fail(Why::invalid, fmt::format("the base image {} has {} {}, which the runtime {} does not know",
                                          base->name.text(), runtime.name, said->second, runtime.name));
  return version;
}

// What the processor of an image goes by until a platform tells it more, without what could be secret.
std::string config_in_image(const spec::FunctionConfig& config) {
  spec::FunctionConfig shown;
  shown.metadata.name = config.metadata.name;
  shown.spec.runtime = config.spec.runtime;
  shown.spec.handler = config.spec.handler;
  shown.spec.runtime_attributes = config.spec.runtime_attributes;
  return spec::to_processor_yaml(shown);
}

// What is where in a function's image. No coroutines, in which g++ 12 cannot take lists in braces.
std::vector<oci::LayerPart> our_parts(const std::string& parts, const wire::Runtime& runtime) {
  return {{parts + "/processor", std::string(kProcessor)},
          {parts + "/lib", std::string(kLibraries)},
          {runtime.folder, std::string(kRuntimes) + "/" + runtime.name}};
}

std::vector<oci::LayerPart> package_parts(const std::string& packages, const wire::Runtime& runtime) {
  return {{packages, std::string(kCode) + "/" + std::string(wire::kPreparedFolder) + "/" +
                         fs::path(runtime.packages).filename().string()}};
}

std::vector<oci::LayerPart> function_parts(const std::string& code, const std::string& config) {
  return {{code, std::string(kCode)}, {config, std::string(kConfig)}};
}

// `more` after `changes`: what it says counts.
void add_changes(oci::ConfigChanges& changes, const oci::ConfigChanges& more) {
  // With an entry point of its own, such as an init, the processor is what that starts.
  if (more.entrypoint) changes.entrypoint = more.entrypoint;
  if (more.command) changes.command = more.command;
  changes.environment.insert(changes.environment.end(), more.environment.begin(), more.environment.end());
  for (const auto& [name, value] : more.labels) changes.labels[name] = value;
  changes.exposed_ports.insert(changes.exposed_ports.end(), more.exposed_ports.begin(), more.exposed_ports.end());
  if (more.user) changes.user = more.user;
  if (more.working_directory) changes.working_directory = more.working_directory;
}

std::string first_line(std::string_view text, std::size_t most) {
  text = text.substr(0, text.find('\n'));
  return text.size() <= most ? std::string(text) : std::string(text.substr(0, most)) + "…";
}

}  // namespace

Result<BuilderKind> parse_builder_kind(std::string_view text) {
  if (text.empty() || text == "layers" || text == "kaniko") return BuilderKind::layers;
  if (text == "docker") return BuilderKind::docker;
  if (text == "buildah") return BuilderKind::buildah;
  return fail(Why::invalid, "--builder-kind (NUCLIO_CONTAINER_BUILDER_KIND) must be layers, docker or buildah, is \"" +
                                std::string(text) + "\"");
}

struct ImageBuilder::Build {
  const Source& source;
  ImageRequest request;
  ImagePlan plan;
  LayerCache& cache;
  std::unique_ptr<oci::Registry> target = nullptr;
  std::unique_ptr<oci::Registry> base_registry = nullptr;
  oci::Image base = oci::empty_image(oci::this_platform());
  BaseSettings base_settings = {};
  std::string language_version = {};
  std::string code = {};      // staged
  std::string packages = {};  // "" when there are none
  std::vector<oci::NewLayer> layers = {};
  oci::Image image = base;
  std::optional<oci::PushReport> push = {};

  oci::Repository base_repository() const { return oci::Repository{plan.base->name.repository}; }
  void say(std::string_view line) const {
    if (request.log) request.log(line);
  }
};

// One of the builds that work. Who waits for one is woken when another ends, on every path.
class ImageBuilder::Slot {
 public:
  static Task<Result<Slot>> take(ImageBuilder& builder, Deadline deadline) {
    while (builder.working_ >= builder.options_.at_once)
      if (!co_await builder.free_.wait(deadline))
        co_return fail(Why::busy, "the build waited for other builds for too long; try again");
    ++builder.working_;
    co_return Slot{builder};
  }
  Slot(Slot&& other) noexcept : builder_(std::exchange(other.builder_, nullptr)) {}
  Slot& operator=(Slot&&) = delete;
  ~Slot() {
    if (!builder_) return;
    --builder_->working_;
    builder_->free_.notify_all();
  }

 private:
  explicit Slot(ImageBuilder& builder) : builder_(&builder) {}
  ImageBuilder* builder_;
};

ImageBuilder::ImageBuilder(Loop& loop, http::Client& client, const oci::Keychain& keychain, ImageBuilderOptions options)
    : loop_(loop), client_(client), keychain_(keychain), options_(std::move(options)), free_(loop) {}

std::unique_ptr<oci::Registry> ImageBuilder::registry_for(const RemoteImage& image) {
  oci::RegistryOptions options = options_.registries;
  options.plain_http = image.plain_http;
  return std::make_unique<oci::Registry>(loop_, client_, keychain_, image.name.registry, options);
}

// The whole life of a build. What is not done here is a detail of one of these lines.
Task<Result<BuiltImage>> ImageBuilder::build(const Source& source, ImageRequest request, Deadline deadline) {
  CO_TRY(ImagePlan plan, plan_image(source, request.defaults));
  const bool ourselves = options_.kind == BuilderKind::layers;
  // Once without the base's environment, so that what is wrong is said before anybody is asked.
  if (ourselves) CO_TRY_DO(read_instructions(source.config.spec.build, {}, plan));
  if (!ourselves && (request.file || !plan.target))
    co_return fail(Why::invalid, "docker and buildah only push images; for a file use --builder-kind layers");
  if (!plan.target && !request.file)
    co_return fail(Why::invalid,
                   "there is no place for the image: spec.build.registry must be the registry to push it to");
  if (!cache_ || !*cache_) cache_ = LayerCache::open(options_.cache);
  if (!*cache_) co_return fail(cache_->error());
  Build build{source, std::move(request), std::move(plan), **cache_};

  // Nothing has been done yet when a name, a login or a registry turns out to be wrong.
  const Deadline soon = earlier(Deadline::in(kPreflightTime), deadline);
  constexpr std::size_t kLooks = 2;
  std::vector<Task<Result<void>>> looks;
  looks.push_back(preflight(build, soon));
  looks.push_back(find_base(build, soon));
  CO_TRY_DO(co_await oci::in_parallel(loop_, kLooks, std::move(looks)));

  CO_TRY(const Slot slot, co_await Slot::take(*this, deadline));
  CO_TRY_DO(co_await stage(build, deadline));
  if (!ourselves) {
    CO_TRY(oci::Digest digest, co_await have_it_built(build, deadline));
    build.say("Pushed " + build.plan.target->name.text());
    co_return BuiltImage{build.plan.target->name.text(), std::move(digest), {}};
  }
  CO_TRY_DO(co_await assemble(build, deadline));
  CO_TRY_DO(co_await deliver(build, deadline));
  build.cache.trim(options_.keep);
  co_return BuiltImage{build.plan.target ? build.plan.target->name.text() : build.source.config.metadata.name,
                       build.image.manifest.blob().digest, build.push};
}

Task<Result<void>> ImageBuilder::check_target(const spec::FunctionConfig& config, const ImageDefaults& defaults,
                                              Deadline deadline) {
  CO_TRY(const auto target, plan_target(config, defaults));
  if (!target) co_return Result<void>{};
  auto registry = registry_for(*target);
  co_return co_await registry->preflight(oci::Repository{target->name.repository},
                                         earlier(Deadline::in(kPreflightTime), deadline));
}

Task<Result<void>> ImageBuilder::preflight(Build& build, Deadline deadline) {
  if (!build.plan.target) co_return Result<void>{};
  build.target = registry_for(*build.plan.target);
  co_return co_await build.target->preflight(oci::Repository{build.plan.target->name.repository}, deadline);
}

// Only its manifest and config: most builds never see its layers.
Task<Result<void>> ImageBuilder::look_up_base(Build& build, Deadline deadline) {
  const ImageReference& name = build.plan.base->name;
  const spec::Build& spec = build.source.config.spec.build;
  build.base_registry = registry_for(*build.plan.base);
  if (spec.no_base_images_pull || spec.offline) {
    if (auto known = build.cache.image_of(name.text())) {
      build.base = std::move(*known);
      co_return Result<void>{};
    }
  }
  CO_TRY(build.base, co_await oci::find_image(*build.base_registry, build.base_repository(),
                                              oci::Version{name.version()}, oci::this_platform(), deadline));
  co_return build.cache.remember_image(name.text(), build.base);
}

Task<Result<void>> ImageBuilder::find_base(Build& build, Deadline deadline) {
  const wire::Runtime& runtime = *build.source.runtime;
  const bool ourselves = options_.kind == BuilderKind::layers;
  if (build.plan.base) {
    auto found = co_await look_up_base(build, deadline);
    if (!found && ourselves) co_return found;
    // Docker and buildah may have an image that no registry has, or know how to reach one that we do not.
    if (!found) build.say("what the base image is cannot be seen from here: " + found.error().what);
  }
  build.base_settings = settings_of(build.base);
  CO_TRY(build.language_version, version_for(build.source, runtime, build.base_settings, build.plan.base));
  // Instructions may ask for variables of the base.
  if (ourselves) co_return read_instructions(build.source.config.spec.build, build.base_settings, build.plan);
  co_return Result<void>{};
}

// The code, as it will be in the image, in a folder.
Task<Result<void>> ImageBuilder::stage(Build& build, Deadline deadline) {
  build.say(fmt::format("Building {} on {}", build.source.config.metadata.name,
                        build.plan.base ? build.plan.base->name.text() : "an empty image"));
  build.code = build.request.folder + "/code";
  ArtifactOptions options;
  options.code = build.code;
  options.cache = options_.cache;
  options.environment = options_.environment;
  options.target = ArtifactTarget::image;
  options.version = build.language_version;
  options.log = build.request.log;
  std::error_code error;
  fs::create_directories(build.request.folder, error);
  if (error) co_return fail(errno_error("making the folder " + build.request.folder, error.value()));
  CO_TRY_DO(co_await make_artifact(loop_, build.source, std::move(options), deadline));
  if (!build.source.runtime->packages.empty()) {
    const auto values = wire::placeholders(*build.source.runtime, build.code);
    CO_TRY(const auto path, wire::expand(std::vector<std::string>{build.source.runtime->packages}, values));
    const fs::path real = fs::canonical(path.front(), error);
    if (!error && fs::is_symlink(path.front(), error)) {
      fs::remove(path.front(), error);
      build.packages = real.string();
    }
  }
  co_return write_new_file(build.request.folder, "processor.yaml", config_in_image(build.source.config));
}

// What images of functions have of ours and of the function, each in a layer that changes when it does.
Task<Result<void>> ImageBuilder::add_own_layers(Build& build) {
  const wire::Runtime& runtime = *build.source.runtime;
  const oci::LayerOptions options{.modified = build.request.created};
  CO_TRY(oci::Layer layer, co_await build.cache.layer_of(loop_, our_parts(options_.parts, runtime), options));
  build.layers.push_back({std::move(layer), "nuclio: processor and runtime " + runtime.name});
  if (!build.packages.empty()) {
    CO_TRY(layer, co_await build.cache.layer_of(loop_, package_parts(build.packages, runtime), options));
    build.say(fmt::format("Layer of packages: {}", size_text(layer.blob.size)));
    build.layers.push_back({std::move(layer), "nuclio: packages"});
  }
  std::vector<oci::LayerPart> function = function_parts(build.code, build.request.folder + "/processor.yaml");
  CO_TRY(layer, co_await oci::write_layer(loop_, build.cache.layout(), std::move(function), options));
  build.say(fmt::format("Layer of code: {}", size_text(layer.blob.size)));
  build.layers.push_back({std::move(layer), "nuclio: code"});
  co_return Result<void>{};
}

Task<Result<void>> ImageBuilder::assemble(Build& build, Deadline deadline) {
  CO_TRY_DO(co_await run_steps(build, build.plan.before_copy, 0, deadline));
  const std::size_t without_code = build.layers.size();
  CO_TRY_DO(co_await add_own_layers(build));
  CO_TRY_DO(co_await run_steps(build, build.plan.after_copy, without_code, deadline));
  oci::ConfigChanges changes;
  changes.command = {"/" + std::string(kProcessor)};
  changes.exposed_ports = {kPort};
  changes.labels["org.opencontainers.image.title"] = build.source.config.metadata.name;
  add_changes(changes, build.plan.before_copy.changes);
  add_changes(changes, build.plan.after_copy.changes);
  std::map<std::string, std::string> annotations;
  if (build.plan.base) {
    annotations["org.opencontainers.image.base.name"] = build.plan.base->name.text();
    annotations["org.opencontainers.image.base.digest"] = build.base.manifest.blob().digest.text();
  }
  CO_TRY(build.image, oci::extend_image(build.base, build.layers, changes, build.request.created, annotations));
  co_return Result<void>{};
}

// The same layers as archives that a Dockerfile adds.
Task<Result<oci::Digest>> ImageBuilder::have_it_built(Build& build, Deadline deadline) {
  CO_TRY_DO(co_await add_own_layers(build));
  EngineBuild engine;
  engine.context = build.request.folder + "/context";
  engine.target = *build.plan.target;
  engine.environment = options_.engine_environment;
  engine.log = build.request.log;
  std::error_code error;
  fs::create_directory(engine.context, error);
  if (error) co_return fail(errno_error("making the folder " + engine.context, error.value()));
  DockerfileParts parts;
  parts.base = build.plan.base ? build.plan.base->name.text() : "scratch";
  parts.command = {"/" + std::string(kProcessor)};
  parts.title = build.source.config.metadata.name;
  parts.port = kPort;
  for (const oci::NewLayer& added : build.layers) {
    const std::string name = std::to_string(parts.archives.size()) + ".tar.gz";
    const std::string from = build.cache.layout().path(added.layer.blob.digest);
    const std::string to = engine.context + "/" + name;
    fs::create_hard_link(from, to, error);
    if (error) fs::copy_file(from, to, error);
    if (error) co_return fail(errno_error("copying a layer to " + to, error.value()));
    parts.archives.push_back(name);
  }
  CO_TRY(const std::string dockerfile, make_dockerfile(build.source.config.spec.build, parts));
  CO_TRY_DO(write_new_file(engine.context, "Dockerfile", dockerfile));
  engine.files = parts.archives;
  engine.files.emplace_back("Dockerfile");
  const spec::Build& spec = build.source.config.spec.build;
  if (options_.kind == BuilderKind::buildah) co_return co_await build_with_buildah(loop_, spec, engine, deadline);
  co_return co_await build_with_docker(loop_, client_, keychain_, spec, engine, deadline);
}

// The base's layers are here from then on.
Task<Result<void>> ImageBuilder::pull_base(Build& build, Deadline deadline) {
  if (!build.plan.base) co_return Result<void>{};
  CO_TRY_DO(co_await oci::pull_layers(loop_, *build.base_registry, build.base_repository(), build.base,
                                      build.cache.layout(), {}, deadline));
  for (const oci::Blob& layer : build.base.manifest.layers) build.cache.mark_used(layer);
  co_return Result<void>{};
}

// The base and the first `kept` layers on it are unpacked once and stay so, since a change of code does not change
// them.
Task<Result<void>> ImageBuilder::run_steps(Build& build, const Instructions& instructions, std::size_t kept,
                                           Deadline deadline) {
  if (instructions.steps.empty()) co_return Result<void>{};
  CO_TRY_DO(co_await pull_base(build, deadline));
  for (const CommandStep& step : instructions.steps) {
    CommandsJob job = job_of(build, step, kept);
    CommandsOptions options;
    options.cache = options_.cache + "/commands";
    options.program = options_.program;
    options.sandbox = build.request.commands;
    options.fresh = build.source.config.spec.build.no_cache;
    options.modified = build.request.created;
    options.log = build.request.log;
    CO_TRY(oci::Layer layer,
           co_await run_commands(loop_, build.cache.layout(), std::move(job), std::move(options), deadline));
    build.say(fmt::format("Layer of commands: {}", size_text(layer.blob.size)));
    build.layers.push_back({std::move(layer), "nuclio: RUN " + first_line(step.commands.front(), 200)});
  }
  co_return Result<void>{};
}

// The root that the commands see is made of all layers so far.
CommandsJob ImageBuilder::job_of(const Build& build, const CommandStep& step, std::size_t kept) {
  CommandsJob job;
  const auto add = [&](const oci::Blob& blob, std::vector<std::string>& layers, std::string& digests) {
    layers.push_back(build.cache.layout().path(blob.digest));
    digests += blob.digest.text() + "\n";
  };
  for (const oci::Blob& blob : build.base.manifest.layers) add(blob, job.layers, job.base);
  for (std::size_t i = 0; i < build.layers.size(); ++i) {
    const bool is_kept = i < kept;
    add(build.layers[i].layer.blob, is_kept ? job.layers : job.over, is_kept ? job.base : job.over_digests);
  }
  job.commands = step.commands;
  for (const Pairs* pairs : {&build.base_settings.environment, &step.environment})
    for (const auto& [name, value] : *pairs) job.environment.push_back(name + "=" + value);
  job.working_directory = step.working_directory;
  job.user = step.user;
  job.network = !build.source.config.spec.build.offline;
  return job;
}

Task<Result<void>> ImageBuilder::deliver(Build& build, Deadline deadline) {
  if (build.request.file) CO_TRY_DO(co_await write_file(build, deadline));
  if (!build.plan.target) co_return Result<void>{};
  const auto began = std::chrono::steady_clock::now();
  const ImageReference& name = build.plan.target->name;
  std::optional<oci::Origin> origin;
  if (build.plan.base) origin = oci::Origin{build.base_registry.get(), build.base_repository(), &build.base.manifest};
  CO_TRY(build.push,
         co_await oci::push_image(loop_, *build.target, oci::Repository{name.repository}, oci::Version{name.tag},
                                  build.image, build.cache.layout(), origin, {}, deadline));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  const oci::PushReport& report = *build.push;
  build.say(report.unchanged ? fmt::format("{} is this image already", name.text())
                             : fmt::format("Pushed {} in {} ms: {} sent, {} layers were there, {} mounted", name.text(),
                                           took.count(), size_text(report.sent), report.present, report.mounted));
  co_return Result<void>{};
}

Task<Result<void>> ImageBuilder::write_file(Build& build, Deadline deadline) {
  const ImageFile& file = *build.request.file;
  const oci::Layout& layers = build.cache.layout();
  CO_TRY_DO(co_await pull_base(build, deadline));
  const std::string& function = build.source.config.metadata.name;
  const std::string full =
      build.plan.target ? build.plan.target->name.text() : "nuclio/processor-" + function + ":latest";
  if (file.kind == ImageFile::Kind::docker_archive) {
    const oci::ArchiveTarget target{file.path, full, build.request.created};
    CO_TRY_DO(co_await oci::write_docker_archive(loop_, layers, build.image, target));
  } else if (file.kind == ImageFile::Kind::oci_archive) {
    const oci::ArchiveTarget target{file.path, "latest", build.request.created};
    CO_TRY_DO(co_await oci::write_oci_archive(loop_, layers, build.image, target));
  } else {
    CO_TRY(const oci::Layout layout, oci::Layout::create(file.path));
    CO_TRY_DO(oci::copy_image(layers, build.image, layout));
    CO_TRY_DO(layout.name(build.image.manifest.blob(), "latest"));
  }
  build.say("Wrote " + file.path);
  co_return Result<void>{};
}

}  // namespace nuclio::builder
