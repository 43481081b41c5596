// SPDX-License-Identifier: Apache-2.0
#include "dashboard/template_source.h"

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "base/base64.h"
#include "base/log.h"
#include "builder/git_names.h"
#include "http/headers.h"
#include "oci/url.h"

namespace nuclio::dashboard {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kText = "function.yaml.template";
constexpr std::string_view kValues = "function.yaml.values";
constexpr std::string_view kPem = "-----BEGIN CERTIFICATE-----";

// Nuclio's chart says "nil" where its own default repository is not wanted.
bool is_given(const std::string& value) { return !value.empty() && value != "nil"; }

Result<std::string> web_url(const std::string& text, const std::string& flag) {
  auto url = oci::parse_url(text);
  if (!url) return std::unexpected(std::move(url).error().in(flag));
  return url->text();
}

Result<std::string> certificates(const std::string& given) {
  std::string text = given;
  if (!given.starts_with(kPem)) {
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    TRY(text, decode_base64(text));
  }
  if (text.find(kPem) == std::string::npos) return fail(Why::invalid, "there is no certificate in it");
  return text;
}

Result<builder::Origin> git_origin(const TemplateFlags& flags) {
  static const std::string kFlag = "--templates-git-repository";
  builder::GitCode code;
  code.url = builder::full_git_url(flags.git_repository);
  code.login = "--templates-git-username and --templates-git-password, or --templates-github-access-token";
  code.reference = is_given(flags.git_reference) ? flags.git_reference : "HEAD";
  const bool full = code.reference.starts_with("refs/") && builder::is_git_reference(code.reference);
  if (code.reference != "HEAD" && !full && !builder::is_git_commit(code.reference))
    return fail(Why::invalid,
                "--templates-git-ref must be a full name such as refs/heads/main, or a commit of 40 digits, is \"" +
                    code.reference + "\"");
  if (code.url.starts_with("http://") || code.url.starts_with("https://")) {
    TRY(code.url, web_url(code.url, kFlag));
  } else if (!code.url.starts_with("file:///") && !(code.url.starts_with("ssh://") && builder::is_ssh_url(code.url))) {
    return fail(Why::invalid, kFlag + " must be a repository's URL, of https, http or ssh, is \"" +
                                  builder::shown_url(flags.git_repository) + "\"");
  }
  std::string user = flags.git_username;
  std::string password = flags.git_password;
  if (!flags.github_access_token.empty()) {
    // GitHub takes a token as the password of this user, whoever's it is.
    user = "x-access-token";
    password = flags.github_access_token;
  }
  if (!user.empty() || !password.empty())
    code.headers["Authorization"] = "Basic " + encode_base64(user + ":" + password);
  if (!flags.git_ca_cert.empty()) {
    auto text = certificates(flags.git_ca_cert);
    if (!text) return std::unexpected(std::move(text).error().in("--templates-git-ca-cert-contents"));
    code.authorities = std::move(*text);
  }
  return builder::Origin{.where = code, .work_dir = {}, .name = builder::shown_url(code.url)};
}

Result<builder::Origin> archive_origin(const std::string& address) {
  static const std::string kFlag = "--templates-archive-address";
  constexpr std::string_view kFile = "file://";
  if (address.starts_with(kFile)) {
    const std::string path = address.substr(kFile.size());
    if (!path.starts_with('/'))
      return fail(Why::invalid, kFlag + " must be file:// and an absolute path, is \"" + address + "\"");
    return builder::Origin{.where = builder::ArchiveFile{path}, .work_dir = {}, .name = path};
  }
  builder::WebCode code;
  TRY(code.url, web_url(address, kFlag));
  code.must_be_archive = true;
  code.login = kFlag;
  return builder::Origin{.where = code, .work_dir = {}, .name = builder::shown_url(code.url)};
}

// Nothing for what is no file, or larger than `most`.
std::optional<std::string> text_of(const fs::path& path, Bytes most) {
  std::error_code error;
  if (!fs::is_regular_file(fs::symlink_status(path, error))) return std::nullopt;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error || size > most.count) return std::nullopt;
  std::string text(size, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(size));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

// The first by name of the files that can be the code. Nuclio takes any but those with .yaml in their names.
fs::path source_in(const fs::path& folder) {
  fs::path first;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with('.') || name.find(".yaml") != std::string::npos) continue;
    if (!fs::is_regular_file(entry->symlink_status(error))) continue;
    if (first.empty() || name < first.filename().string()) first = entry->path();
  }
  return first;
}

Result<FunctionTemplate> template_in(const fs::path& folder, Bytes most) {
  const std::string name = folder.filename().string();
  const auto text = text_of(folder / kText, most);
  const auto values = text_of(folder / kValues, most);
  if (!text || !values)
    return fail(Why::invalid, "must have " + std::string(kText) + " and " + std::string(kValues) +
                                  ", files of at most " + std::to_string(most.count >> 10) + " KiB");
  const fs::path source = source_in(folder);
  std::optional<std::string> code;
  if (!source.empty()) {
    code = text_of(source, most);
    if (!code)
      return fail(Why::too_large, "its source file must have at most " + std::to_string(most.count >> 10) + " KiB");
  }
  return make_template(name, *text, *values, code);
}

std::size_t size_of(const FunctionTemplate& each) {
  return each.name.size() + each.text.size() + boost::json::serialize(each.values).size();
}

// Whether a template may be in this folder of `root`.
bool fits(TemplateLayout layout, int depth) { return layout == TemplateLayout::any_folder ? depth >= 1 : depth == 2; }

}  // namespace

Result<std::vector<TemplateSource>> template_sources(const TemplateFlags& flags) {
  std::vector<TemplateSource> out;
  if (is_given(flags.git_repository)) {
    TRY(auto origin, git_origin(flags));
    out.push_back({std::move(origin), TemplateLayout::any_folder});
  }
  if (is_given(flags.archive_address)) {
    TRY(auto origin, archive_origin(flags.archive_address));
    out.push_back({std::move(origin), TemplateLayout::folders_of_the_first});
  }
  return out;
}

Task<std::vector<FunctionTemplate>> read_templates(Loop& loop, std::string folder, TemplateLayout layout,
                                                   TemplateLimits limits) {
  std::vector<fs::path> folders;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (fs::recursive_directory_iterator end; !error && entry != end; entry.increment(error))
    if (fits(layout, entry.depth()) && entry->path().filename() == kText)
      folders.push_back(entry->path().parent_path());
  std::ranges::sort(folders);

  std::map<std::string, FunctionTemplate> found;
  std::size_t total = 0;
  for (const fs::path& each : folders) {
    co_await loop.yield();
    const std::string place = each.lexically_relative(folder).string();
    auto made = template_in(each, limits.file);
    if (!made) {
      log::warn("Left out what is no template", {{"folder", place}, {"error", made.error().what}});
      continue;
    }
    total += size_of(*made);
    if (found.size() == limits.templates || total > limits.total.count) {
      log::warn("Left out further templates",
                {{"taken", found.size()}, {"most", limits.templates}, {"mostBytes", limits.total.count}});
      break;
    }
    const std::string name = made->name;
    if (!found.emplace(name, std::move(*made)).second)
      log::warn("Left out a template of a name that another one has", {{"folder", place}});
  }
  std::vector<FunctionTemplate> out;
  out.reserve(found.size());
  for (auto& [name, each] : found) out.push_back(std::move(each));
  co_return out;
}

}  // namespace nuclio::dashboard
