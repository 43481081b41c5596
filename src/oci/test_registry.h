// SPDX-License-Identifier: Apache-2.0
// A real registry (Debian's docker-registry) on a port of its own, and a server in front of it that can be told to
// fail.
#pragma once
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include "base/test_folder.h"
#include "http/client.h"
#include "http/test_server.h"
#include "loop/child.h"
#include "oci/keychain.h"
#include "oci/registry.h"

namespace nuclio::oci {

// "tester" may log in with "open sesame".
inline constexpr std::string_view kHtpasswd = "tester:$2b$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy\n";

struct RealRegistryOptions {
  bool htpasswd = false;
  std::string token_realm;  // with the certificate that signs tokens
  std::string token_certificate;
};

// Ends with this object, and its data with it.
class RealRegistry {
 public:
  explicit RealRegistry(Loop& loop, const RealRegistryOptions& options = {}) : port_(free_port(loop)) {
    std::string auth;
    if (options.htpasswd)
      auth = "auth: {htpasswd: {realm: test, path: " + folder_.write("htpasswd", kHtpasswd) + "}}\n";
    if (!options.token_realm.empty())
      auth = "auth: {token: {realm: \"" + options.token_realm +
             "\", service: test, issuer: test, rootcertbundle: " + options.token_certificate + "}}\n";
    const std::string config = folder_.write("config.yml",
                                             "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
                                             "storage: {filesystem: {rootdirectory: " +
                                                 folder_.at("data") +
                                                 "}, delete: {enabled: true}}\n"
                                                 "http: {addr: \"127.0.0.1:" +
                                                 std::to_string(port_) + "\", secret: test}\n" + auth);
    ChildOptions child;
    child.argv = {"docker-registry", "serve", config};
    child.env = {"PATH=/usr/bin:/bin", "OTEL_TRACES_EXPORTER=none"};
    const int log = ::open(folder_.at("log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    child.descriptors = {{log, 1}, {log, 2}};
    auto started = Child::spawn(loop, child);
    ::close(log);
    EXPECT_TRUE(started) << started.error().what;
    if (started) child_.emplace(std::move(*started));
    EXPECT_TRUE(run_until_done(loop, wait_until_up(loop))) << folder_.read("log");
  }
  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  const TestFolder& folder() const { return folder_; }
  std::string log() const { return folder_.read("log"); }
  // How many uploads are open for a repository.
  std::size_t open_uploads(const std::string& repository) const {
    const std::filesystem::path path = folder_.at("data/docker/registry/v2/repositories/" + repository + "/_uploads");
    std::error_code error;
    std::size_t open = 0;
    // It forgets to remove the folder of one that was cancelled.
    for (const auto& upload : std::filesystem::directory_iterator(path, error))
      if (std::filesystem::exists(upload.path() / "startedat")) ++open;
    return open;
  }

  static int free_port(Loop& loop) {
    auto listener = Listener::listen(loop, Address{"127.0.0.1", 0, ""});
    EXPECT_TRUE(listener) << listener.error().what;
    return listener->address().port;
  }

 private:
  Task<bool> wait_until_up(Loop& loop) {
    http::Client client{loop};
    const Deadline end = Deadline::in(std::chrono::seconds{30});
    while (!end.passed() && child_ && child_->running()) {
      http::ClientRequest request;
      request.url = "http://" + host() + "/v2/";
      auto answer = co_await client.fetch(std::move(request), end);
      if (answer) co_return true;
      co_await loop.sleep(std::chrono::milliseconds{5});
    }
    co_return false;
  }

  // The registry waits for the disk after each blob, which a disk in memory makes shorter. A container's may be small.
  static std::filesystem::path quick_disk() {
    const std::filesystem::path memory = "/dev/shm";
    std::error_code error;
    const bool is_large = std::filesystem::space(memory, error).available > (256u << 20);
    return !error && is_large && ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
  }

  TestFolder folder_{quick_disk()};
  int port_;
  std::optional<Child> child_;
};

// What happens to a request instead of being passed on.
struct Fault {
  std::optional<http::Response> answer = {};         // nothing: the registry answers
  std::optional<std::size_t> passed_on_before = {};  // the registry gets it first, with so many bytes of its body
  bool silent = false;                               // no answer comes in a test's time
};
inline Fault answers(http::Response response) {
  Fault fault;
  fault.answer = std::move(response);
  return fault;
}

// Passes requests on to a registry, but for those with a fault.
class FaultyFront {
 public:
  FaultyFront(Loop& loop, http::Client& client, std::string behind, const http::Tls* tls = nullptr, int port = 0)
      : loop_(loop),
        client_(client),
        behind_(std::move(behind)),
        answers_([this](http::Request& r) { return answer(r); }),
        server_(loop, limits(), answers_) {
    ignore_broken_pipes();
    auto listener = Listener::listen(loop, Address{"127.0.0.1", port, ""});
    EXPECT_TRUE(listener) << listener.error().what;
    server_.serve(std::move(*listener), tls);
  }
  std::string host() const { return "127.0.0.1:" + std::to_string(server_.addresses().front().port); }
  // "POST /v2/a/blobs/uploads/", without the query, in the order in which they came.
  std::vector<std::string> seen;
  std::function<Fault(http::Request&)> fault;

 private:
  // What the registry itself answers.
  Task<http::Response> pass_on(http::Request& request, std::string body) {
    http::ClientRequest out;
    out.method = request.method;
    out.url = "http://" + behind_ + std::string(request.target);
    for (const http::Header& field : request.headers) out.headers.add(field.name, field.value);
    out.body = std::move(body);
    auto answer = co_await client_.fetch(std::move(out), Deadline::in(std::chrono::seconds{20}));
    if (!answer) co_return http::Response::text(599, answer.error().what);
    http::Response response;
    response.status = answer->status;
    for (const http::Header& field : answer->headers)
      if (field.name != "Content-Length" || request.method == "HEAD") response.headers.add(field.name, field.value);
    response.body = std::move(answer->body);
    co_return std::move(response);
  }

  static http::Limits limits() {
    http::Limits limits;
    limits.body_bytes = Bytes{64u << 20};
    return limits;
  }
  Task<http::Response> answer(http::Request& request) {
    seen.push_back(std::string(request.method) + " " + std::string(request.path));
    Fault now;
    if (fault) now = fault(request);
    if (now.silent) co_await loop_.sleep(std::chrono::seconds{60});
    if (now.passed_on_before)
      (void)co_await pass_on(request, std::string(request.body.substr(0, *now.passed_on_before)));
    if (now.answer) co_return std::move(*now.answer);
    co_return co_await pass_on(request, std::string(request.body));
  }

  Loop& loop_;
  http::Client& client_;
  std::string behind_;
  http::Answers answers_;
  http::Server server_;
};

inline RegistryOptions plain_options() {
  RegistryOptions options;
  options.plain_http = PlainHttp::yes;
  options.retry = {.attempts = 3, .first = std::chrono::milliseconds{1}, .most = std::chrono::milliseconds{5}};
  options.chunk = Bytes{1u << 20};
  return options;
}

inline Blob blob_of(std::string_view bytes, std::string_view media_type = media::kLayerGzip) {
  return {std::string(media_type), Digest::of(bytes), Bytes{bytes.size()}};
}

// Bytes that neither repeat nor compress, and are the same each time.
inline std::string noise(std::size_t size, unsigned seed = 1) {
  std::string bytes(size, '\0');
  std::uint64_t state = seed * 2654435761u + 1;
  for (char& byte : bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<char>(state >> 56);
  }
  return bytes;
}

// Puts an image of one layer there, as a base for others.
inline Task<Result<Digest>> push_simple(Registry& registry, std::string repository, std::string tag, std::string layer,
                                        Deadline deadline) {
  const std::string config = R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[")" +
                             Digest::of(layer).text() + R"("]}})";
  const Blob config_blob = blob_of(config, media::kConfig);
  const Blob layer_blob = blob_of(layer, media::kLayer);
  CO_TRY_DO(co_await registry.upload_blob(Repository{repository}, config_blob, config, deadline));
  CO_TRY_DO(co_await registry.upload_blob(Repository{repository}, layer_blob, std::move(layer), deadline));
  const Manifest manifest = make_manifest(config_blob, {layer_blob});
  CO_TRY_DO(
      co_await registry.put_manifest(Repository{repository}, Version{tag}, manifest.blob(), manifest.text, deadline));
  co_return manifest.blob().digest;
}

// What the tests of registries share.
struct TestBench {
  TestBench() { ignore_broken_pipes(); }
  Deadline soon() const { return Deadline::in(std::chrono::seconds{30}); }
  template <class T>
  T run(Task<T> task) {
    return run_until_done(loop, std::move(task));
  }
  Loop loop;
  http::Client client{loop};
  Keychain keychain;
};

}  // namespace nuclio::oci
