// SPDX-License-Identifier: Apache-2.0
#include "builder/engines.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <utility>

#include "base/base64.h"
#include "base/environment.h"
#include "oci/file.h"
#include "oci/put_file.h"
#include "oci/tar_writer.h"
#include "oci/url.h"
#include "schema/json.h"

namespace nuclio::builder {
namespace {

namespace json = boost::json;

constexpr std::string_view kDefaultSocket = "/var/run/docker.sock";
constexpr std::string_view kKept = "-._~";  // in a query's value
constexpr std::size_t kMaxLine = 1u << 20;
constexpr Bytes kMaxDigest{256};

Result<std::string> engine_socket(const std::vector<std::string>& environment) {
  constexpr std::string_view kUnix = "unix://";
  const std::string host = variable(environment, "DOCKER_HOST");
  if (host.empty()) return std::string(kDefaultSocket);
  if (host.starts_with(kUnix)) return host.substr(kUnix.size());
  return fail(Why::invalid,
              "DOCKER_HOST must be unix:///PATH, since only a docker on this machine is used, is \"" + host + "\"");
}

// What one line of the engine's answer says.
struct Said {
  std::string text;
  std::string error;
  std::string digest;  // of what was pushed
};

Said read_line(std::string_view line) {
  Said said;
  const auto document = schema::parse_json(line);
  const json::object* object = document ? document->if_object() : nullptr;
  if (!object) return said;
  const auto text = [&](std::string_view key) {
    const json::value* value = object->if_contains(key);
    return value && value->is_string() ? std::string(value->get_string()) : std::string{};
  };
  said.text = text("stream");
  said.error = text("error");
  if (const json::value* aux = object->if_contains("aux"); aux && aux->is_object())
    if (const json::value* digest = aux->get_object().if_contains("Digest"); digest && digest->is_string())
      said.digest = digest->get_string();
  return said;
}

// Reads an answer that comes line by line, to its end. The result is the digest that it told, or "".
Task<Result<std::string>> follow(http::ClientStream& stream, const LogLine& log) {
  std::string rest;
  std::string digest;
  std::optional<std::string> error;
  const auto take = [&](std::string_view line) {
    Said said = read_line(line);
    while (said.text.ends_with('\n')) said.text.pop_back();
    if (log && !said.text.empty()) log(said.text);
    if (!said.error.empty()) error = said.error;
    if (!said.digest.empty()) digest = said.digest;
  };
  for (;;) {
    CO_TRY(auto piece, co_await stream.body->next());
    if (!piece) break;
    rest += *piece;
    std::size_t begin = 0;
    for (std::size_t end; (end = rest.find('\n', begin)) != std::string::npos; begin = end + 1)
      take(std::string_view(rest).substr(begin, end - begin));
    rest.erase(0, begin);
    if (rest.size() > kMaxLine) co_return fail(Why::internal, "docker's answer has a line of more than 1 MiB");
  }
  take(rest);
  if (error) co_return fail(Why::invalid, *error);
  co_return digest;
}

Task<Result<http::ClientStream>> ask(http::Client& client, http::ClientRequest request, const std::string& socket,
                                     Deadline deadline) {
  request.unix_socket = socket;
  auto stream = co_await client.open(std::move(request), deadline, deadline);
  if (!stream && (stream.error().why == Why::unavailable || stream.error().why == Why::forbidden))
    co_return fail(stream.error().why,
                   "no docker engine answers at " + socket +
                       "; start it, say where it is with DOCKER_HOST=unix:///PATH, or use --builder-kind layers, which "
                       "needs none");
  if (!stream || stream->status < 300) co_return stream;
  std::string text;
  for (;;) {
    CO_TRY(auto piece, co_await stream->body->next());
    if (!piece || text.size() > kMaxLine) break;
    text += *piece;
  }
  const auto document = schema::parse_json(text);
  const json::value* message =
      document && document->is_object() ? document->get_object().if_contains("message") : nullptr;
  co_return fail(stream->status == 404 ? Why::not_found : Why::invalid,
                 "docker: " + (message && message->is_string() ? std::string(message->get_string())
                                                               : "status " + std::to_string(stream->status)));
}

// The build's context as the engine wants it.
Task<Result<std::string>> context_tar(Loop& loop, const EngineBuild& engine) {
  const std::string path = engine.context + "/context.tar";
  CO_TRY(oci::NewFile file, oci::NewFile::create(path));
  oci::TarWriter tar{[&file](std::string_view bytes) { return file.write(bytes); }};
  for (const std::string& name : engine.files) {
    const std::string from = engine.context + "/" + name;
    struct stat status{};
    if (::stat(from.c_str(), &status) != 0) co_return fail_errno("reading " + from);
    const oci::TarEntry entry{.name = name, .size = Bytes{static_cast<std::uint64_t>(status.st_size)}};
    CO_TRY_DO(co_await oci::put_file(loop, tar, entry, from));
  }
  CO_TRY_DO(tar.finish());
  CO_TRY_DO(file.keep());
  co_return path;
}

// As X-Registry-Auth has it; an empty object for nobody.
std::string registry_auth(const std::optional<oci::Login>& login, const std::string& registry) {
  json::object auth;
  if (login) {
    auth["serveraddress"] = registry;
    if (!login->identity_token.empty()) {
      auth["identitytoken"] = login->identity_token;
    } else if (!login->registry_token.empty()) {
      auth["registrytoken"] = login->registry_token;
    } else {
      auth["username"] = login->user;
      auth["password"] = login->password;
    }
  }
  std::string text = encode_base64(json::serialize(auth));
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

// buildah fails where DOCKER_CONFIG names a folder in which nobody has logged in yet.
std::vector<std::string> environment_of_buildah(std::vector<std::string> environment) {
  const std::string folder = variable(environment, "DOCKER_CONFIG");
  if (!folder.empty() && ::access((folder + "/config.json").c_str(), R_OK) != 0)
    std::erase_if(environment, [](const std::string& each) { return each.starts_with("DOCKER_CONFIG="); });
  return environment;
}

Task<Result<void>> run_buildah(Loop& loop, std::vector<std::string> words, const EngineBuild& engine,
                               const std::vector<std::string>& environment, Deadline deadline) {
  ChildOptions program;
  program.argv = std::move(words);
  program.env = environment;
  program.directory = engine.context;
  program.no_new_privileges = false;  // newuidmap has some
  auto done = co_await run_program(loop, std::move(program), engine.log, deadline);
  if (!done && done.error().why == Why::not_found)
    co_return fail(Why::not_found,
                   "buildah is not installed; install it, or use --builder-kind layers, which needs nothing");
  if (!done && done.error().why == Why::timeout)
    co_return fail(Why::timeout, "the build took longer than spec.build.buildTimeoutSeconds allows");
  co_return done;
}

}  // namespace

Task<Result<oci::Digest>> build_with_docker(Loop& loop, http::Client& client, const oci::Keychain& keychain,
                                            const spec::Build& build, const EngineBuild& engine, Deadline deadline) {
  CO_TRY(const std::string socket, engine_socket(engine.environment));
  const std::string name = engine.target.name.registry + "/" + engine.target.name.repository;
  CO_TRY(const std::string tar, co_await context_tar(loop, engine));
  const Descriptor file{::open(tar.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) co_return fail_errno("reading " + tar);
  json::object args;
  for (const auto& [key, value] : build.args) args[key] = value;
  http::ClientRequest request;
  request.method = "POST";
  request.url = "http://docker/v1.40/build?t=" + oci::percent_encode(name + ":" + engine.target.name.tag, kKept) +
                "&forcerm=1&networkmode=" + (build.offline ? "none" : "host") + (build.no_cache ? "&nocache=1" : "") +
                "&buildargs=" + oci::percent_encode(json::serialize(args), kKept);
  request.headers.add("Content-Type", "application/x-tar");
  request.file = http::FilePart{file.get(), 0, Bytes{static_cast<std::uint64_t>(status.st_size)}};
  {
    CO_TRY(auto stream, co_await ask(client, std::move(request), socket, deadline));
    CO_TRY_DO(co_await follow(stream, engine.log));
  }
  CO_TRY(const auto login, co_await keychain.find(loop, engine.target.name.registry,
                                                  oci::Repository{engine.target.name.repository}, deadline));
  http::ClientRequest push;
  push.method = "POST";
  push.url = "http://docker/v1.40/images/" + name + "/push?tag=" + oci::percent_encode(engine.target.name.tag, kKept);
  push.headers.add("X-Registry-Auth", registry_auth(login, engine.target.name.registry));
  CO_TRY(auto stream, co_await ask(client, std::move(push), socket, deadline));
  auto digest = co_await follow(stream, engine.log);
  if (!digest) co_return fail(std::move(digest).error().in("docker pushing " + engine.target.name.text()));
  co_return oci::Digest::parse(*digest);
}

Task<Result<oci::Digest>> build_with_buildah(Loop& loop, const spec::Build& build, const EngineBuild& engine,
                                             Deadline deadline) {
  const std::string name = engine.target.name.text();
  const std::string tls = engine.target.plain_http == oci::PlainHttp::yes ? "--tls-verify=false" : "--tls-verify=true";
  const std::vector<std::string> own = environment_of_buildah(engine.environment);
  std::vector<std::string> environment = own;
  std::vector<std::string> words{"buildah", "bud", "--isolation", "chroot", "--format", "oci", "--layers", tls};
  if (build.no_cache) words.emplace_back("--no-cache");
  if (build.offline) words.insert(words.end(), {"--network", "none"});
  if (build.no_base_images_pull) words.emplace_back("--pull=false");
  // Their values are in the environment, since every process of the machine may read arguments.
  for (const auto& [key, value] : build.args) {
    words.insert(words.end(), {"--build-arg", key});
    environment.push_back(key + "=" + value);
  }
  words.insert(words.end(), {"--tag", name, "--file", engine.context + "/Dockerfile", engine.context});
  CO_TRY_DO(co_await run_buildah(loop, std::move(words), engine, environment, deadline));
  const std::string told = engine.context + "/digest";
  std::vector<std::string> push{"buildah", "push", tls, "--digestfile", told, name, "docker://" + name};
  auto pushed = co_await run_buildah(loop, std::move(push), engine, own, deadline);
  if (!pushed) co_return fail(std::move(pushed).error().in("buildah pushing " + name));
  CO_TRY(std::string digest, oci::read_whole_file(told, kMaxDigest));
  while (digest.ends_with('\n')) digest.pop_back();
  co_return oci::Digest::parse(digest);
}

}  // namespace nuclio::builder
