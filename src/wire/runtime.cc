// SPDX-License-Identifier: Apache-2.0
#include "wire/runtime.h"

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "schema/describe.h"
#include "schema/json.h"

namespace nuclio::wire {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxRuntimes = 64;

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

// `{name}` at the start of the text gives the name, anything else nothing: a brace may also be just a brace.
std::string_view placeholder_at(std::string_view text) {
  std::size_t end = text.find('}');
  if (text.empty() || text[0] != '{' || end == std::string_view::npos || end == 1) return {};
  std::string_view name = text.substr(1, end - 1);
  bool word = std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
  return word ? name : std::string_view{};
}

}  // namespace

Result<Runtime> load_runtime(const std::string& folder) {
  std::error_code error;
  std::string absolute = fs::absolute(folder, error).lexically_normal().string();
  if (absolute.ends_with('/')) absolute.pop_back();
  std::string path = absolute + "/runtime.json";
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Why::not_found, "there is no runtime in " + absolute + ": runtime.json is missing");
  std::ostringstream text;
  text << file.rdbuf();
  auto json = schema::parse_json(text.view());
  if (!json) return std::unexpected(std::move(json).error().in(path));
  auto loaded = schema::read<Runtime>(*json);
  if (!loaded) return std::unexpected(std::move(loaded).error().in(path));
  Runtime runtime = std::move(loaded->config);
  if (fs::path(absolute).filename() != runtime.name)
    return fail(Why::invalid, path + ": name must be that of its folder, is \"" + runtime.name + "\"");
  if (runtime.worker.empty() && runtime.protocol != Protocol::cpp_object)
    return fail(Why::invalid, path + ": worker must be the command of a worker, is empty");
  for (const std::string& transport : runtime.transports)
    if (transport != kRing && transport != kSocket)
      return fail(Why::invalid, path + ": transports must be ring or socket, has \"" + transport + "\"");
  // The socket is what a worker falls back to, on a system without the ring's memory as well as by setting.
  if (!speaks(runtime, kSocket)) return fail(Why::invalid, path + ": transports must have socket");
  runtime.folder = std::move(absolute);
  return runtime;
}

bool speaks(const Runtime& runtime, std::string_view transport) {
  return std::ranges::find(runtime.transports, transport) != runtime.transports.end();
}

Result<std::vector<Runtime>> load_runtimes(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> folders;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code none;
    if (fs::exists(entry->path() / "runtime.json", none)) folders.push_back(entry->path().string());
    if (folders.size() > kMaxRuntimes) return fail(Why::too_large, folder + " holds more than 64 runtimes");
  }
  if (error) return fail(Why::not_found, "the runtimes' folder " + folder + " cannot be read: " + error.message());
  std::ranges::sort(folders);
  std::vector<Runtime> runtimes;
  runtimes.reserve(folders.size());
  for (const std::string& each : folders) {
    TRY(Runtime runtime, load_runtime(each));
    runtimes.push_back(std::move(runtime));
  }
  return runtimes;
}

RuntimeName split_runtime(std::string_view text) {
  std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {std::string(text), ""};
  return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

Result<const Runtime*> find_runtime(std::span<const Runtime> runtimes, std::string_view text) {
  RuntimeName wanted = split_runtime(text);
  std::vector<std::string> known;
  for (const Runtime& runtime : runtimes) {
    if (runtime.name == wanted.name) {
      if (wanted.version.empty() || std::ranges::find(runtime.versions, wanted.version) != runtime.versions.end())
        return &runtime;
      return fail(Why::invalid, runtime.versions.empty()
                                    ? "runtime " + wanted.name + " has no versions; write \"" + wanted.name + "\""
                                    : "runtime " + wanted.name + " has the versions " + listed(runtime.versions) +
                                          ", not \"" + wanted.version + "\"");
    }
    known.push_back(runtime.name);
  }
  return fail(Why::invalid, "there is no runtime \"" + wanted.name + "\"; there are: " + listed(known));
}

const Runtime* runtime_of_file(std::span<const Runtime> runtimes, std::string_view file_name) {
  for (const Runtime& runtime : runtimes)
    for (const std::string& extension : runtime.extensions)
      if (file_name.size() > extension.size() && file_name.ends_with(extension)) return &runtime;
  return nullptr;
}

std::map<std::string, std::string, std::less<>> placeholders(const Runtime& runtime, const std::string& code) {
  return {{"runtime", runtime.folder}, {"code", code}, {"out", code + "/" + std::string(kPreparedFolder)}};
}

Result<std::vector<std::string>> expand(std::span<const std::string> command,
                                        const std::map<std::string, std::string, std::less<>>& values) {
  std::vector<std::string> out;
  out.reserve(command.size());
  for (const std::string& element : command) {
    std::string text;
    for (std::string_view rest = element; !rest.empty();) {
      std::string_view name = placeholder_at(rest);
      if (name.empty()) {
        text += rest[0];
        rest.remove_prefix(1);
        continue;
      }
      auto value = values.find(name);
      if (value == values.end())
        return fail(Why::invalid, "the command " + command[0] + " asks for {" + std::string(name) +
                                      "}, for which there is no value here");
      text += value->second;
      rest.remove_prefix(name.size() + 2);
    }
    bool only_empty_name = text.empty() && !element.empty();
    if (only_empty_name) {
      if (!out.empty() && out.back().starts_with("--")) out.pop_back();
      continue;
    }
    out.push_back(std::move(text));
  }
  return out;
}

}  // namespace nuclio::wire
