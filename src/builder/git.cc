// SPDX-License-Identifier: Apache-2.0
#include "builder/git.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <utility>

#include "builder/copy.h"
#include "builder/download.h"

namespace nuclio::builder {
namespace {

constexpr std::string_view kAsk = "/info/refs?service=git-upload-pack";
constexpr std::string_view kAnswer = "application/x-git-upload-pack-advertisement";
constexpr std::uint64_t kMaxMemory = 2ull << 30;

// Where git is to go, and what it must know for that.
struct Way {
  std::string url;
  std::vector<std::pair<std::string, std::string>> config;
};

bool is_address(std::string_view host) {
  return host.find(':') != std::string_view::npos || host.find_first_not_of("0123456789.") == std::string_view::npos;
}

Result<void> check_answer(const WebAnswer& answer, const GitCode& code) {
  const std::string name = shown_url(code.url);
  const int status = answer.stream.status;
  if (status == 401 || status == 403)
    return fail(Why::forbidden, name + " refuses us (status " + std::to_string(status) +
                                    "); it needs a login, or another one, in " + code.login);
  if (status == 404)
    return fail(Why::not_found,
                name + " is not there, or needs a login (status 404); check its URL, and the login in " + code.login);
  if (status != 200) return fail(Why::unavailable, name + " answered with status " + std::to_string(status));
  if (answer.stream.headers.get("Content-Type") != kAnswer || !answer.url.text().ends_with(kAsk))
    return fail(Why::invalid, name + " is no git repository, or its server does not speak git's protocol over http");
  return {};
}

// Asks for the repository as git will, so that redirects are followed by our rules, and pins git to the address that
// was reached: it would look the name up again, and might be told another one.
Task<Result<Way>> way_over_http(http::Client& client, const GitCode& code, const GitOptions& options,
                                Deadline deadline) {
  const http::Proxies proxies = http::proxies_of(options.environment);
  WebRequest request{.url = code.url, .headers = code.headers, .asker = options.asker, .proxies = proxies};
  request.authorities = code.authorities;
  while (request.url.ends_with('/')) request.url.pop_back();
  request.url += kAsk;
  request.headers.emplace("User-Agent", "git/2 (nuclio)");  // some servers have a page for people at the same place
  CO_TRY(const WebAnswer answer, co_await ask(client, std::move(request), deadline));
  CO_TRY_DO(check_answer(answer, code));
  Way way{.url = answer.url.text(), .config = {}};
  way.url.resize(way.url.size() - kAsk.size());
  way.config.emplace_back("http.followRedirects", "false");
  const std::string host = answer.url.host();
  const std::string proxy = options.asker == Asker::local ? http::proxy_for(proxies, way.url) : std::string{};
  if (!proxy.empty()) {
    way.config.emplace_back("http.proxy", proxy);  // which looks the name up
  } else if (!is_address(host)) {
    const std::string rest = answer.url.authority.substr(host.size());
    const std::string port = !rest.empty() ? rest.substr(1) : answer.url.scheme == "https" ? "443" : "80";
    const std::string& address = answer.stream.address;
    way.config.emplace_back(
        "http.curloptResolve",
        host + ":" + port + ":" + (address.find(':') == std::string::npos ? address : "[" + address + "]"));
  }
  if (answer.moved) co_return way;
  for (const auto& [name, value] : code.headers) way.config.emplace_back("http.extraHeader", name + ": " + value);
  if (!code.authorities.empty()) {
    CO_TRY_DO(write_new_file(options.folder, "authorities.pem", code.authorities));
    way.config.emplace_back("http.sslCAInfo", options.folder + "/authorities.pem");
  }
  co_return way;
}

std::vector<std::string> environment_of(const GitOptions& options, const Way& way) {
  std::map<std::string, std::string> all;
  for (const std::string& variable : options.environment)
    all.emplace(variable.substr(0, variable.find('=')), variable.substr(variable.find('=') + 1));
  all["HOME"] = options.folder;
  all["LC_ALL"] = "C";
  all["GIT_CONFIG_NOSYSTEM"] = "1";
  all["GIT_CONFIG_GLOBAL"] = "/dev/null";
  all["GIT_TERMINAL_PROMPT"] = "0";
  all["GIT_ALLOW_PROTOCOL"] = way.url.substr(0, way.url.find(':'));
  all["GIT_SSH_COMMAND"] = "ssh -oBatchMode=yes";
  all["GIT_SSH_VARIANT"] = "ssh";
  // By the environment, and not by arguments, which every user of the machine may read.
  std::vector<std::pair<std::string, std::string>> config{
      {"core.hooksPath", "/dev/null"}, {"core.bigFileThreshold", "16m"},
      {"credential.helper", ""},       {"http.proxy", ""},  // as for our own client, whatever the environment says
      {"pack.threads", "1"},           {"fetch.unpackLimit", "1"}};
  config.insert(config.end(), way.config.begin(), way.config.end());
  for (std::size_t i = 0; i < config.size(); ++i) {
    all["GIT_CONFIG_KEY_" + std::to_string(i)] = config[i].first;
    all["GIT_CONFIG_VALUE_" + std::to_string(i)] = config[i].second;
  }
  all["GIT_CONFIG_COUNT"] = std::to_string(config.size());
  std::vector<std::string> out;
  for (const auto& [name, value] : all) out.push_back(std::string(name).append("=").append(value));
  return out;
}

// git does not print what headers hold; should it ever, that ends here.
std::string without_secrets(std::string text, const GitCode& code) {
  for (const auto& [name, value] : code.headers) {
    for (const std::string& secret : {value, value.substr(value.find(' ') + 1)})
      for (std::size_t at = 0; !secret.empty() && (at = text.find(secret, at)) != std::string::npos;)
        text.replace(at, secret.size(), "********");
  }
  return text;
}

std::string called(const std::string& reference) {
  if (reference.starts_with("refs/heads/")) return "branch \"" + reference.substr(11) + "\"";
  if (reference.starts_with("refs/tags/")) return "tag \"" + reference.substr(10) + "\"";
  return "reference \"" + reference + "\"";
}

Error explained(Error error, const GitCode& code, Bytes limit) {
  const std::string name = shown_url(code.url);
  const auto says = [&](std::string_view words) { return error.what.find(words) != std::string::npos; };
  if (error.why == Why::not_found)
    return {Why::unavailable, "fetching from a git repository needs the program git, which is not installed"};
  if (error.why == Why::timeout) return {Why::timeout, "fetching " + name + " took too long"};
  if (says("find remote ref") || says("not our ref"))
    return {Why::not_found, "the repository " + name + " has no " + called(code.reference)};
  // What git says when it may not write more, also in the middle of a pack: SIGXFSZ is 25.
  if (says("invalid index-pack output") || says("signal 25") || says("File size limit") || says("File too large"))
    return {Why::too_large, name + " has more than " + std::to_string(limit.count >> 20) +
                                " MiB, which is the limit of what is fetched for a function, or it is damaged"};
  return {error.why, "fetching " + name + ": " + without_secrets(std::move(error.what), code)};
}

// The commit that was fetched: FETCH_HEAD begins with it.
std::string fetched_commit(const std::string& repository) {
  std::string text;
  std::ifstream(repository + "/FETCH_HEAD") >> text;
  return text;
}

}  // namespace

Task<Result<void>> fetch_git(Loop& loop, http::Client& client, const GitCode& code, GitOptions options,
                             const LogLine& log, Deadline deadline) {
  Way way{.url = code.url, .config = {}};
  if (code.url.starts_with("http")) {
    CO_TRY(way, co_await way_over_http(client, code, options, deadline));
  }
  const std::string repository = options.folder + "/repository";
  const std::string directory = "--git-dir=" + repository;
  ChildOptions program;
  program.env = environment_of(options, way);
  program.memory_limit = kMaxMemory;
  program.file_limit = options.max_pack.count;
  const LogLine silent;

  // From here on `repository` is an empty one, without hooks.
  program.argv = {"git", "init", "--quiet", "--bare", "--template=", "--", repository};
  auto done = co_await run_program(loop, program, silent, deadline);
  if (!done) co_return fail(explained(std::move(done).error(), code, options.max_pack));
  // What the tree says of itself is not to leave out or change anything.
  CO_TRY_DO(write_new_file(repository, "info/attributes", "* -export-ignore -export-subst\n"));

  program.argv = {"git",
                  directory,
                  "fetch",
                  "--quiet",
                  "--depth=1",
                  "--no-tags",
                  "--no-recurse-submodules",
                  "--no-auto-maintenance",
                  "--",
                  way.url,
                  code.reference};
  done = co_await run_program(loop, program, silent, deadline);
  if (!done) co_return fail(explained(std::move(done).error(), code, options.max_pack));
  if (log) log("Fetched commit " + fetched_commit(repository) + " of " + shown_url(code.url));

  // A tar, since what is unpacked by our rules cannot do what git's own checkout might.
  program.argv = {"git", directory, "archive", "--format=tar", "--output=" + options.tar, "FETCH_HEAD"};
  program.file_limit = options.max_tar.count;
  done = co_await run_program(loop, program, silent, deadline);
  if (!done) co_return fail(explained(std::move(done).error(), code, options.max_tar));
  co_return Result<void>{};
}

}  // namespace nuclio::builder
