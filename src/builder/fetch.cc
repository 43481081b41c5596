// SPDX-License-Identifier: Apache-2.0
#include "builder/fetch.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "builder/artifact.h"
#include "builder/aws_signature.h"
#include "builder/code_archive.h"
#include "builder/download.h"
#include "builder/git.h"

namespace nuclio::builder {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxComplaint = 16 << 10;

// What was got, before anything is done with it.
struct Got {
  std::string file;
  std::string name;  // of a single file; "" when nobody said
  bool must_be_archive = true;
  InOnlyFolder only = InOnlyFolder::no;
};

class Fetch {
 public:
  Fetch(Loop& loop, http::Client& client, const Origin& origin, const FetchOptions& options, Deadline deadline)
      : loop_(loop),
        client_(client),
        origin_(origin),
        options_(options),
        proxies_(http::proxies_of(options.environment)),
        deadline_(deadline) {}

  // Invariant: everything that is written is beneath options.folder.
  Task<Result<std::string>> run() {
    CO_TRY_DO(make_folder(options_.folder));
    CO_TRY_DO(make_folder(code()));
    if (options_.log) options_.log("Fetching " + origin_.name);
    auto got = co_await std::visit([this](const auto& where) { return get(where); }, origin_.where);
    if (!got) co_return fail(std::move(got).error());
    const bool jar = got->name.ends_with(".jar");
    if (jar || (!got->must_be_archive && !is_archive(got->file))) co_return keep(*got);
    auto unpacked = co_await unpack_code(loop_, got->file, code(), options_.limits.unpacked);
    if (!unpacked) co_return fail(named_for_people(std::move(unpacked).error(), got->file, origin_));
    std::error_code ignored;
    if (!std::holds_alternative<ArchiveFile>(origin_.where)) fs::remove(got->file, ignored);
    auto folder = code_folder(code(), got->only, origin_.work_dir);
    if (!folder) co_return fail(named_for_people(std::move(folder).error().in(origin_.name), code(), origin_));
    co_return std::move(*folder);
  }

 private:
  std::string code() const { return options_.folder + "/code"; }
  std::string download() const { return options_.folder + "/download"; }

  static Result<void> make_folder(const std::string& path) {
    std::error_code error;
    if (!fs::create_directory(path, error) && !error) return fail(Why::conflict, path + " exists already");
    if (error) return fail(errno_error("making the folder " + path, error.value()));
    return {};
  }

  // One file is as it is; it stands alone in the folder.
  Result<std::string> keep(const Got& got) const {
    if (!origin_.work_dir.empty())
      return fail(Why::invalid, origin_.name +
                                    " is one file, in which there is no folder for "
                                    "spec.build.codeEntryAttributes.workDir; leave that out");
    const std::string name = got.name.empty() ? "main" : got.name;
    std::error_code error;
    fs::rename(got.file, code() + "/" + name, error);
    if (error) return fail(errno_error("making " + name, error.value()));
    return name.ends_with(".jar") ? code() : code() + "/" + name;
  }

  Task<Result<Got>> get(const WebCode& web) {
    WebRequest request{.url = web.url, .headers = web.headers, .asker = options_.asker, .proxies = proxies_};
    CO_TRY(WebAnswer answer, co_await ask(client_, std::move(request), deadline_));
    CO_TRY_DO(check_status(answer.stream.status, web.login));
    if (!web.must_be_archive && answer.stream.headers.get("Content-Type").starts_with("text/html"))
      co_return fail(Why::invalid, origin_.name + " is a web page and no code; give the address of the file itself");
    CO_TRY_DO(co_await save(answer, download(), options_.limits.download));
    co_return Got{download(), web.file_name, web.must_be_archive,
                  web.in_its_only_folder ? InOnlyFolder::yes : InOnlyFolder::no};
  }

  Task<Result<Got>> get(const S3Code& s3) {
    WebRequest request{
        .url = s3.endpoint + s3.path, .headers = {}, .asker = options_.asker, .proxies = proxies_, .redirects = 0};
    if (!s3.access_key_id.empty()) {
      const AwsKey key{s3.access_key_id, s3.secret_access_key, s3.session_token};
      const AwsRequest signed_request{.host = s3.endpoint.substr(s3.endpoint.find("://") + 3), .path = s3.path};
      request.headers = aws_signature(signed_request, key, s3.region, std::chrono::system_clock::now());
    }
    CO_TRY(WebAnswer answer, co_await ask(client_, std::move(request), deadline_));
    if (answer.stream.status != 200) co_return co_await s3_refused(answer, s3);
    CO_TRY_DO(co_await save(answer, download(), options_.limits.download));
    co_return Got{download(), s3.file_name, true};
  }

  Task<Result<Got>> get(const GitCode& git) {
    GitOptions git_options{.folder = options_.folder + "/git",
                           .tar = download(),
                           .asker = options_.asker,
                           .environment = options_.environment,
                           .max_pack = options_.limits.download,
                           .max_tar = options_.limits.unpacked.total};
    CO_TRY_DO(make_folder(git_options.folder));
    CO_TRY_DO(co_await fetch_git(loop_, client_, git, git_options, options_.log, deadline_));
    std::error_code ignored;
    fs::remove_all(git_options.folder, ignored);
    co_return Got{.file = download(), .name = {}};
  }

  Task<Result<Got>> get(const ArchiveFile& archive) {
    std::error_code error;
    if (!fs::is_regular_file(archive.path, error)) co_return fail(Why::invalid, "there is no archive " + archive.path);
    co_return Got{.file = archive.path, .name = {}};
  }

  Result<void> check_status(int status, const std::string& login) const {
    const std::string number = " (status " + std::to_string(status) + ")";
    if (status == 200) return {};
    if (status == 401 || status == 403)
      return fail(Why::forbidden,
                  origin_.name + " refuses us" + number + "; it needs a login, or another one, in " + login);
    if (status == 404 || status == 410)
      return fail(Why::not_found, origin_.name + " is not there, or needs a login" + number);
    return fail(Why::unavailable, origin_.name + " did not give the code" + number);
  }

  // S3 says why in a document of which only the code is safe to repeat: <Error><Code>NoSuchKey</Code>…
  Task<Result<Got>> s3_refused(WebAnswer& answer, const S3Code& s3) {
    const std::string region(answer.stream.headers.get("x-amz-bucket-region"));
    std::string text;
    while (text.size() < kMaxComplaint) {
      auto piece = co_await answer.stream.body->next();
      if (!piece || !*piece) break;
      text += **piece;
    }
    const std::size_t begin = text.find("<Code>");
    std::string code = begin == std::string::npos ? "" : text.substr(begin + 6, text.find('<', begin + 6) - begin - 6);
    if (code.size() > 64 || std::ranges::any_of(code, [](unsigned char c) { return !std::isalnum(c); })) code.clear();
    const bool elsewhere = !region.empty() && region.size() < 64 && region != s3.region &&
                           std::ranges::all_of(region, [](unsigned char c) { return std::isalnum(c) || c == '-'; });
    auto refused =
        check_status(answer.stream.status, "spec.build.codeEntryAttributes (s3AccessKeyId, s3SecretAccessKey)");
    Error error = std::move(refused).error();
    if (!code.empty()) error.what += ": " + code;
    if (elsewhere) error.what += "; the bucket is in region " + region + ", set s3Region to that";
    co_return fail(std::move(error));
  }

  Loop& loop_;
  http::Client& client_;
  const Origin& origin_;
  const FetchOptions& options_;
  const http::Proxies proxies_;
  Deadline deadline_;
};

}  // namespace

std::vector<std::string> fetch_environment(const std::vector<std::string>& environment, Asker asker) {
  std::vector<std::string> out = build_environment(environment);
  if (asker == Asker::local)
    for (const std::string& each : environment)
      if (each.starts_with("SSH_AUTH_SOCK=")) out.push_back(each);
  return out;
}

Error named_for_people(Error error, const std::string& path, const Origin& origin) {
  for (std::size_t at = 0; (at = error.what.find(path, at)) != std::string::npos; at += origin.name.size())
    error.what.replace(at, path.size(), origin.name);
  return error;
}

Task<Result<std::string>> fetch_code(Loop& loop, http::Client& client, const Origin& origin, FetchOptions options,
                                     Deadline deadline) {
  Fetch fetch{loop, client, origin, options, earlier(deadline, Deadline::in(options.limits.time))};
  co_return co_await fetch.run();
}

}  // namespace nuclio::builder
