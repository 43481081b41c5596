// SPDX-License-Identifier: Apache-2.0
#include "builder/origin.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "base/base64.h"
#include "builder/aws_signature.h"
#include "builder/git_names.h"
#include "http/headers.h"
#include "oci/url.h"

namespace nuclio::builder {
namespace {

namespace fs = std::filesystem;
using spec::CodeEntryType;

constexpr std::string_view kAttributes = "spec.build.codeEntryAttributes.";
constexpr std::size_t kMaxName = 255;
constexpr std::string_view kArchiveEndings[] = {".zip", ".tar",     ".tar.gz", ".tgz",    ".tar.bz2", ".tbz2",
                                                ".txz", ".tar.zst", ".tzst",   ".tar.xz", ".tar.lz4"};

std::unexpected<Error> wrong(std::string_view attribute, const std::string& what) {
  return fail(Why::invalid, std::string(kAttributes) + std::string(attribute) + " " + what);
}

bool is_url(std::string_view text) { return text.find("://") != std::string_view::npos; }

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_archive_name(std::string_view name) {
  return std::ranges::any_of(kArchiveEndings, [&](std::string_view ending) { return lower(name).ends_with(ending); });
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) {
      out += text[i];
    } else {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

// The last part of a path, decoded, as the name of a file.
Result<std::string> file_name_of(std::string_view path, bool encoded) {
  path = path.substr(0, path.find('?'));
  std::string_view last = path.substr(path.rfind('/') + 1);
  std::string name = encoded ? percent_decode(last) : std::string(last);
  const bool bad = name == "." || name == ".." || name.size() > kMaxName ||
                   std::ranges::any_of(name, [](char c) { return c == '/' || c == '\\' || is_control(c); });
  if (bad)
    return fail(Why::invalid, "spec.build: what is to be fetched must be named like a file, without separators, is \"" +
                                  std::string(last.substr(0, kMaxName)) + "\"");
  return name;
}

// What users write: "/a/b" is meant within the archive, too.
Result<std::string> work_dir_of(const spec::CodeEntryAttributes& attributes) {
  std::string out;
  for (const fs::path& part : fs::path(attributes.work_dir)) {
    if (part == ".." || std::ranges::any_of(part.string(), is_control))
      return wrong("workDir", "must be a folder within the code, is \"" + attributes.work_dir + "\"");
    if (part.empty() || part == "." || part == "/" || part == "//") continue;
    out += (out.empty() ? "" : "/") + part.string();
  }
  return out;
}

Result<void> check_headers(const std::map<std::string, std::string>& headers) {
  // A value is never quoted: it may be a secret.
  for (const auto& [name, value] : headers)
    if (!http::is_header_name(name) || !http::is_header_value(value))
      return wrong("headers", "must be headers of HTTP; the name or value of \"" + name + "\" cannot be one");
  return {};
}

Result<oci::Url> web_url(std::string_view text, std::string_view field) {
  auto url = oci::parse_url(text);
  if (url) return url;
  return std::unexpected(std::move(url).error().in(
      std::string(field) + " must be a URL of http or https, with credentials in spec.build.codeEntryAttributes only"));
}

Result<WebCode> web_code(const spec::Build& build, const std::string& url) {
  TRY_DO(check_headers(build.code_entry_attributes.headers));
  TRY(const oci::Url parsed, web_url(url, "spec.build.path"));
  WebCode code{.url = parsed.text(), .headers = build.code_entry_attributes.headers};
  TRY(code.file_name, file_name_of(parsed.target, true));
  code.must_be_archive = build.code_entry_type == CodeEntryType::archive;
  return code;
}

Result<std::string> reference_of(const spec::CodeEntryAttributes& attributes) {
  const std::array named{&attributes.branch, &attributes.tag, &attributes.reference};
  const auto given = std::ranges::count_if(named, [](const std::string* each) { return !each->empty(); });
  if (given == 0) return "HEAD";
  if (given > 1)
    return fail(Why::invalid, "spec.build.codeEntryAttributes must have one of branch, tag and reference, has several");
  const auto checked = [](std::string_view attribute, const std::string& name,
                          const std::string& prefix) -> Result<std::string> {
    if (is_git_reference(name)) return prefix + name;
    return wrong(attribute, "must be a name as git allows it, is \"" + name + "\"");
  };
  if (!attributes.branch.empty()) return checked("branch", attributes.branch, "refs/heads/");
  if (!attributes.tag.empty()) return checked("tag", attributes.tag, "refs/tags/");
  if (is_git_commit(attributes.reference) || attributes.reference == "HEAD") return attributes.reference;
  if (!attributes.reference.starts_with("refs/"))
    return wrong("reference", "must be a full name such as refs/heads/main, or a commit of 40 digits, is \"" +
                                  attributes.reference + "\"");
  return checked("reference", attributes.reference, "");
}

Result<GitCode> git_code(const spec::Build& build, Asker asker) {
  const spec::CodeEntryAttributes& attributes = build.code_entry_attributes;
  GitCode code;
  TRY(code.reference, reference_of(attributes));
  const std::string url = full_git_url(build.path);
  const std::string scheme = lower(url.substr(0, url.find("://")));
  if (scheme == "http" || scheme == "https") {
    TRY(const oci::Url parsed, web_url(url, "spec.build.path"));
    if (parsed.target.find('?') != std::string::npos)
      return fail(Why::invalid, "spec.build.path must be the URL of a repository, without a query");
    TRY_DO(check_headers(attributes.headers));
    code.url = parsed.text();
    code.headers = attributes.headers;
    if (!attributes.password.empty() || !attributes.username.empty())
      code.headers["Authorization"] = "Basic " + encode_base64(attributes.username + ":" + attributes.password);
    return code;
  }
  if (std::ranges::any_of(url, is_control))
    return fail(Why::invalid, "spec.build.path must be the URL of a repository, and has control characters in it");
  if ((scheme == "ssh" && is_ssh_url(url)) || url.starts_with("file:///")) {
    if (asker != Asker::local)
      return fail(Why::forbidden, "spec.build.path must be a repository's URL of http or https: " + scheme +
                                      ": would use files or keys of the machine that builds, which its platform's "
                                      "configuration does not allow (builder.localSources)");
    code.url = scheme + url.substr(scheme.size());
    return code;
  }
  return fail(Why::invalid, "spec.build.path must be a repository's URL, of https, http or ssh, is \"" +
                                shown_url(build.path) + "\"");
}

Result<S3Code> s3_code(const spec::CodeEntryAttributes& attributes) {
  S3Code code{.region = attributes.s3_region.empty() ? "us-east-1" : attributes.s3_region,
              .access_key_id = attributes.s3_access_key_id,
              .secret_access_key = attributes.s3_secret_access_key,
              .session_token = attributes.s3_session_token};
  const auto only = [](std::string_view text, std::string_view more) {
    return !text.empty() && std::ranges::all_of(text, [&](unsigned char c) {
      return std::isalnum(c) || more.find(static_cast<char>(c)) != std::string_view::npos;
    });
  };
  const std::string& bucket = attributes.s3_bucket;
  if (!only(bucket, "-._") || bucket.size() > 63 || bucket.starts_with('.') || bucket.starts_with('-'))
    return wrong("s3Bucket",
                 "must be the name of a bucket, of letters, digits, dots and dashes, is \"" + bucket + "\"");
  if (!only(code.region, "-"))
    return wrong("s3Region", "must be a region such as eu-west-1, is \"" + code.region + "\"");
  const std::string_view key =
      std::string_view(attributes.s3_item_key)
          .substr(std::min(attributes.s3_item_key.find_first_not_of('/'), attributes.s3_item_key.size()));
  if (key.empty()) return wrong("s3ItemKey", "must be the key of an archive in the bucket, is empty");
  if (code.access_key_id.empty() != code.secret_access_key.empty())
    return fail(Why::invalid,
                "spec.build.codeEntryAttributes must have both s3AccessKeyId and s3SecretAccessKey, or "
                "none of them for a bucket that anyone may read");
  if (!code.access_key_id.empty() && !only(code.access_key_id, "-._:/+=@"))
    return wrong("s3AccessKeyId", "must be the id of an access key");
  if (!http::is_header_value(code.session_token)) return wrong("s3SessionToken", "must be a session's token");
  TRY(code.file_name, file_name_of(key, false));
  // A bucket with dots in its name matches no certificate as part of a host.
  const bool own_host = attributes.s3_endpoint.empty() && bucket.find_first_of("._") == std::string::npos;
  const std::string amazon = "s3." + code.region + ".amazonaws.com";
  code.endpoint = "https://" + (own_host ? lower(bucket) + "." : "") + amazon;
  std::string base;
  if (!attributes.s3_endpoint.empty()) {
    TRY(const oci::Url endpoint, web_url(attributes.s3_endpoint, std::string(kAttributes) + "s3Endpoint"));
    code.endpoint = endpoint.scheme + "://" + endpoint.authority;
    base = endpoint.target.substr(0, endpoint.target.find_last_not_of('/') + 1);
    if (base.find('?') != std::string::npos) return wrong("s3Endpoint", "must have no query");
  }
  code.path = base + (own_host ? "" : "/" + bucket) + "/" + aws_encode(key);
  return code;
}

Result<Origin> github_origin(const spec::Build& build) {
  const std::string& branch = build.code_entry_attributes.branch;
  if (branch.empty()) return wrong("branch", "must name the branch to take, is empty");
  if (!is_git_reference(branch)) return wrong("branch", "must be a name as git allows it, is \"" + branch + "\"");
  std::string repository = build.path.substr(0, build.path.find_last_not_of('/') + 1);
  if (repository.find_first_of("?#") != std::string::npos)
    return fail(Why::invalid, "spec.build.path must be the URL of a repository, without a query");
  TRY(WebCode code, web_code(build, repository + "/archive/" + oci::percent_encode(branch) + ".zip"));
  code.must_be_archive = code.in_its_only_folder = true;
  return Origin{.where = code, .work_dir = {}, .name = shown_url(code.url)};
}

std::unexpected<Error> not_yours(const std::string& path) {
  return fail(Why::forbidden, "spec.build.path must not name a file or folder of the machine that builds, is \"" +
                                  path + "\"; its platform's configuration does not allow that (builder.localSources)");
}

Result<std::optional<Origin>> found(const spec::Build& build, Asker asker) {
  switch (build.code_entry_type) {
    case CodeEntryType::git: {
      TRY(GitCode code, git_code(build, asker));
      return Origin{.where = code, .work_dir = {}, .name = shown_url(code.url)};
    }
    case CodeEntryType::github: return github_origin(build);
    case CodeEntryType::s3: {
      TRY(S3Code code, s3_code(build.code_entry_attributes));
      return Origin{.where = code, .work_dir = {}, .name = code.endpoint + code.path};
    }
    case CodeEntryType::image:
      return fail(Why::invalid,
                  "spec.build.codeEntryType image names an image that was built before, which only a platform with "
                  "containers can run; give the code instead, as spec.build.path or spec.build.functionSourceCode");
    case CodeEntryType::implicit:
    case CodeEntryType::source_code:
    case CodeEntryType::archive:
    case CodeEntryType::jar: break;
  }
  const bool archive = build.code_entry_type == CodeEntryType::archive;
  if (!archive && !build.function_source_code.empty()) return std::nullopt;
  if (build.path.empty() && !archive) return std::nullopt;
  if (is_url(build.path)) {
    TRY(WebCode code, web_code(build, build.path));
    return Origin{.where = code, .work_dir = {}, .name = shown_url(code.url)};
  }
  if (!build.path.starts_with('/'))
    return fail(Why::invalid,
                "spec.build.path must be a URL or an absolute path, is \"" + shown_url(build.path) + "\"");
  if (asker != Asker::local) return not_yours(build.path);
  std::error_code error;
  if (!archive && (!is_archive_name(build.path) || fs::is_directory(build.path, error))) return std::nullopt;
  return Origin{.where = ArchiveFile{build.path}, .work_dir = {}, .name = build.path};
}

}  // namespace

std::string shown_url(std::string_view url) {
  std::string out(url.substr(0, url.find_first_of("?#")));
  const std::size_t scheme = out.find("://");
  const std::size_t host = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t at = out.substr(host, out.find('/', host) - host).rfind('@');
  if (at != std::string::npos) out.erase(host, at + 1);
  return out;
}

Result<std::optional<Origin>> origin_of(const spec::Build& build, Asker asker) {
  TRY(auto origin, found(build, asker));
  if (!origin) return origin;
  TRY(origin->work_dir, work_dir_of(build.code_entry_attributes));
  return origin;
}

}  // namespace nuclio::builder
