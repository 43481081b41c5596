// SPDX-License-Identifier: Apache-2.0
#include "builder/source.h"

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/base64.h"
#include "builder/inline_folder.h"
#include "schema/describe.h"
#include "schema/document.h"
#include "spec/inline_config.h"
#include "spec/load.h"
#include "spec/merge.h"

namespace nuclio::builder {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::string_view kConfigFile = "function.yaml";
constexpr std::size_t kMaxTopLevelFiles = 10'000;

Result<std::string> read_file(const fs::path& path) {
  std::error_code error;
  auto size = fs::file_size(path, error);
  if (error) return fail(Why::invalid, "cannot read " + path.string() + ": " + error.message());
  if (size > kMaxSourceFile.count)
    return fail(Why::too_large, path.string() + " is larger than 16 MiB; a function's source file cannot be");
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return fail(Why::invalid, "cannot read " + path.string() + "; is it readable for the dashboard's user?");
  return std::move(text).str();
}

// The part of the handler that names a file.
std::string_view module_of(std::string_view handler) { return handler.substr(0, handler.find(':')); }

// Files of the folder itself that some runtime (or the given one) takes for its own, in order.
std::vector<std::string> source_files(const fs::path& folder, std::span<const wire::Runtime> runtimes,
                                      const wire::Runtime* only) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (names.size() >= kMaxTopLevelFiles) break;
    std::error_code none;
    if (!entry->is_regular_file(none)) continue;
    std::string name = entry->path().filename().string();
    const wire::Runtime* runtime = wire::runtime_of_file(runtimes, name);
    if (runtime && (!only || runtime == only)) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < 5; ++i) text += (i ? ", " : "") + names[i];
  if (names.size() > 5) text += ", …";
  return text;
}

std::string extensions(std::span<const wire::Runtime> runtimes) {
  std::string text;
  for (const auto& runtime : runtimes)
    for (const auto& extension : runtime.extensions) text += (text.empty() ? "" : ", ") + extension;
  return text;
}

// The config of a file, as JSON of which every value has the type of its field.
Result<json::value> config_json(const json::value& in, const std::string& where,
                                std::vector<schema::Problem>& warnings) {
  auto loaded = spec::read_function(in, spec::Unknown::problem, spec::Scalars::as_in_yaml);
  if (!loaded) return std::unexpected(std::move(loaded).error().in(where));
  for (auto& warning : loaded->warnings) warnings.push_back(std::move(warning));
  return spec::to_json(loaded->config, spec::Secrets::shown);
}

Result<std::optional<json::value>> inline_config(std::string_view text, const std::string& where,
                                                 const wire::Runtime& runtime, std::vector<schema::Problem>& warnings) {
  if (runtime.comment.empty()) return std::nullopt;
  auto found = spec::find_inline_config(text, runtime.comment);
  if (!found) return std::unexpected(std::move(found).error().in(where));
  if (!*found) return std::nullopt;
  TRY(json::value config, config_json(**found, where + ", @nuclio.configure", warnings));
  return std::optional{std::move(config)};
}

enum class CodeIs { here, fetched };

// The function.yaml of a folder, or the inline block of its only source file.
Result<std::optional<json::value>> folder_config(const fs::path& folder, CodeIs origin, const spec::Build& build,
                                                 std::span<const wire::Runtime> runtimes,
                                                 std::vector<schema::Problem>& warnings) {
  const fs::path name = build.function_config_path.empty() ? kConfigFile : build.function_config_path;
  if (origin == CodeIs::fetched && (name.is_absolute() || std::ranges::find(name, fs::path("..")) != name.end()))
    return fail(Why::invalid,
                "spec.build.functionConfigPath must be a file within the code, is \"" + name.string() + "\"");
  fs::path path = folder / name;
  std::error_code none;
  if (fs::is_regular_file(path, none)) {
    TRY(std::string text, read_file(path));
    auto document = schema::parse_document(text);
    if (!document) return std::unexpected(std::move(document).error().in(path.string()));
    TRY(json::value config, config_json(document->value, path.string(), warnings));
    return std::optional{std::move(config)};
  }
  if (!build.function_config_path.empty())
    return fail(Why::invalid, "spec.build.functionConfigPath: there is no file " + path.string());
  auto names = source_files(folder, runtimes, nullptr);
  if (names.size() != 1) return std::nullopt;
  TRY(std::string text, read_file(folder / names[0]));
  return inline_config(text, (folder / names[0]).string(), *wire::runtime_of_file(runtimes, names[0]), warnings);
}

// What is found beside code does not say where code is: whoever wrote it could have our next build fetch what they
// like, with the user's own credentials.
void forget_code_entry(json::value& config) {
  json::object* spec = config.as_object().contains("spec") ? config.as_object()["spec"].if_object() : nullptr;
  json::object* build = spec && spec->contains("build") ? (*spec)["build"].if_object() : nullptr;
  if (!build) return;
  for (const char* field : {"path", "functionSourceCode", "files", "codeEntryType", "codeEntryAttributes"})
    build->erase(field);
}

// Runtime and handler of code in one file, where the function does not say them.
Result<void> complete(spec::FunctionSpec& spec, const std::string& file_name, const wire::Runtime*& runtime,
                      std::span<const wire::Runtime> runtimes) {
  if (spec.runtime.empty()) {
    runtime = wire::runtime_of_file(runtimes, file_name);
    if (!runtime)
      return fail(Why::invalid, "spec.runtime is not set and cannot be told from the name of " + file_name +
                                    "; extensions that are known: " + extensions(runtimes));
    spec.runtime = runtime->name;
  } else {
    TRY(runtime, wire::find_runtime(runtimes, spec.runtime));
  }
  if (spec.handler.empty()) {
    std::map<std::string, std::string, std::less<>> values{{"module", fs::path(file_name).stem().string()}};
    std::vector<std::string> pattern{runtime->handler};
    TRY(auto handler, wire::expand(pattern, values));
    if (!handler.empty()) spec.handler = handler[0];
  }
  return {};
}

// The file that stands for a folder: the handler's when there is one, else the only source file, else main.
Result<std::string> main_file(const fs::path& folder, const spec::FunctionSpec& spec,
                              std::span<const wire::Runtime> runtimes) {
  const wire::Runtime* runtime = nullptr;
  if (!spec.runtime.empty()) {
    TRY(runtime, wire::find_runtime(runtimes, spec.runtime));
  }
  auto names = source_files(folder, runtimes, runtime);
  std::string module{module_of(spec.handler)};
  for (const std::string& name : names) {
    std::string stem = fs::path(name).stem().string();
    if (!module.empty() ? name == module || stem == module : names.size() == 1 || stem == "main") return name;
  }
  // The handler may be somewhere below; the runtime finds it, or says that it is not there.
  if (runtime && !spec.handler.empty()) return std::string{};
  if (names.empty())
    return fail(Why::invalid, folder.string() + " holds no " + (runtime ? runtime->name + " source file" : "function") +
                                  "; source files are known by their extension: " + extensions(runtimes));
  return fail(Why::invalid, folder.string() + " holds several source files (" + listed(names) +
                                "); say which is the function's with spec.handler, such as " +
                                fs::path(names[0]).stem().string() + ":handler, and spec.runtime");
}

// spec.build.files as they are; names were checked with the spec.
Result<SourceFiles> further_files(const std::map<std::string, std::string>& given, Bytes most) {
  SourceFiles files;
  for (const auto& [name, base64] : given) {
    auto text = decode_base64(base64);
    if (!text) return std::unexpected(std::move(text).error().in("spec.build.files, " + name));
    if (text->size() > most.count)
      return fail(Why::too_large, "spec.build.files and functionSourceCode are together larger than 16 MiB");
    most.count -= text->size();
    files.push_back({name, std::move(*text)});
  }
  return files;
}

// The code of a small folder, into the spec. Where it could not be built from there as it is from the folder, it stays
// where it is.
void keep_folder(const fs::path& folder, const wire::Runtime& runtime, std::span<const wire::Runtime> runtimes,
                 spec::FunctionSpec& spec) {
  const auto main = source_file_name(spec.handler, runtime);
  if (!main) return;
  auto files = inline_folder(folder);
  if (!files) return;
  // All of it is in the function by now.
  files->erase(spec.build.function_config_path.empty() ? std::string{kConfigFile} : spec.build.function_config_path);
  auto code = files->extract(*main);
  if (!code || code.mapped().empty()) return;
  // Of several source files none has a block that counts, but the code of functionSourceCode has.
  const bool has_block = code.mapped().find("@nuclio.configure") != std::string::npos;
  if (has_block && source_files(folder, runtimes, nullptr).size() > 1) return;
  spec.build.function_source_code = encode_base64(code.mapped());
  spec.build.files.clear();
  for (const auto& [name, text] : *files) spec.build.files[name] = encode_base64(text);
}

}  // namespace

Result<std::string> source_file_name(const std::string& handler, const wire::Runtime& runtime) {
  std::string module{module_of(handler)};
  std::string extension = runtime.extensions.empty() ? "" : runtime.extensions[0];
  std::string name;
  if (wire::runtime_of_file({&runtime, 1}, module)) {
    name = module;
  } else {
    name = module;
    std::ranges::replace(name, '.', '/');
    name += extension;
  }
  fs::path path{name};
  bool leads_out = path.is_absolute() || std::ranges::find(path, fs::path("..")) != path.end();
  if (module.empty() || leads_out || name.find('\0') != std::string::npos || name.find("//") != std::string::npos)
    return fail(Why::invalid,
                "spec.handler must name a module of the function's code, such as main:handler, is \"" + handler + "\"");
  return name;
}

Result<Source> find_source(const json::value& given, std::span<const wire::Runtime> runtimes,
                           const std::string& fetched) {
  TRY(auto explicit_config, spec::read_function(given, spec::Unknown::warning));
  spec::Build build = explicit_config.config.spec.build;
  Source source{.warnings = std::move(explicit_config.warnings)};

  // From here on `file_name` and `text` are the code, or `folder` is.
  std::optional<fs::path> folder;
  std::string file_name;
  std::string text;
  SourceFiles more;
  std::optional<json::value> beside;
  if (fetched.empty() && !build.function_source_code.empty()) {
    auto decoded = decode_base64(build.function_source_code);
    if (!decoded) return std::unexpected(std::move(decoded).error().in("spec.build.functionSourceCode"));
    if (decoded->size() > kMaxSourceFile.count)
      return fail(Why::too_large, "spec.build.functionSourceCode is larger than 16 MiB");
    text = std::move(*decoded);
    TRY(more, further_files(build.files, Bytes{kMaxSourceFile.count - text.size()}));
    // Which comments may hold a config depends on the runtime, which only the config may name: each is tried.
    std::string_view tried;
    for (const wire::Runtime& runtime : runtimes) {
      if (beside || runtime.comment == tried) continue;
      tried = runtime.comment;
      if (!explicit_config.config.spec.runtime.empty() &&
          wire::split_runtime(explicit_config.config.spec.runtime).name != runtime.name)
        continue;
      TRY(beside, inline_config(text, "spec.build.functionSourceCode", runtime, source.warnings));
    }
  } else if (!fetched.empty() || !build.path.empty()) {
    fs::path path{fetched.empty() ? build.path : fetched};
    if (!path.is_absolute())
      return fail(Why::invalid, "spec.build.path must be an absolute path, is \"" + build.path + "\"");
    std::error_code error;
    fs::path real = fs::canonical(path, error);
    if (error) return fail(Why::invalid, "spec.build.path: cannot find " + path.string() + ": " + error.message());
    if (fs::is_directory(real, error)) {
      folder = real;
      TRY(beside,
          folder_config(real, fetched.empty() ? CodeIs::here : CodeIs::fetched, build, runtimes, source.warnings));
    } else if (fs::is_regular_file(real, error)) {
      file_name = path.filename().string();
      TRY(text, read_file(real));
      if (const auto* runtime = wire::runtime_of_file(runtimes, file_name)) {
        TRY(beside, inline_config(text, path.string(), *runtime, source.warnings));
      }
    } else {
      return fail(Why::invalid, "spec.build.path must be a file or a folder; " + path.string() + " is neither");
    }
  } else {
    return fail(
        Why::invalid,
        "the function has no code: spec.build.path (a file, folder or URL) or spec.build.functionSourceCode must "
        "be set");
  }

  if (beside) forget_code_entry(*beside);
  json::value merged = beside ? spec::merge_function(*beside, given) : given;
  TRY(auto loaded, spec::read_function(merged, spec::Unknown::warning));
  source.config = std::move(loaded.config);
  spec::FunctionSpec& spec = source.config.spec;

  if (folder) {
    TRY(file_name, main_file(*folder, spec, runtimes));
    TRY_DO(complete(spec, file_name, source.runtime, runtimes));
    source.code = SourceFolder{folder->string()};
    if (fetched.empty()) keep_folder(*folder, *source.runtime, runtimes, spec);
  } else {
    bool unnamed = file_name.empty();
    if (unnamed && spec.runtime.empty())
      return fail(Why::invalid, "spec.runtime must be set when the code is given as spec.build.functionSourceCode");
    TRY_DO(complete(spec, unnamed ? "main" : file_name, source.runtime, runtimes));
    TRY(std::string expected, source_file_name(spec.handler, *source.runtime));
    if (unnamed) file_name = expected;
    if (fetched.empty() && file_name == expected && text.size() <= kMaxInlineSource.count)
      spec.build.function_source_code = encode_base64(text);
    for (const SourceFile& each : more)
      if (each.name == file_name || each.name.starts_with(file_name + "/") || file_name.starts_with(each.name + "/"))
        return fail(Why::invalid, "spec.build.files must not have " + each.name + ", since functionSourceCode is " +
                                      file_name + ", as spec.handler says");
    SourceFiles files{{std::move(file_name), std::move(text)}};
    std::ranges::move(more, std::back_inserter(files));
    source.code = std::move(files);
  }
  source.version = wire::split_runtime(spec.runtime).version;
  return source;
}

}  // namespace nuclio::builder
