// SPDX-License-Identifier: Apache-2.0
// What is asked of a registry in one request, and reading. Uploads are in upload.cc.
#include "oci/registry.h"

#include <algorithm>
#include <utility>

#include "oci/range.h"
#include "oci/upload.h"

namespace nuclio::oci {
namespace {

constexpr std::uint64_t kWorthAnAttempt = 1 << 20;

std::string accepted() {
  std::string types;
  for (std::string_view type : {media::kManifest, media::kIndex, media::kDockerManifest, media::kDockerIndex})
    types += std::string(types.empty() ? "" : ", ") + std::string(type);
  return types;
}

// Without what may come behind ";".
std::string bare_type(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.ends_with(' ')) content_type.remove_suffix(1);
  return std::string(content_type);
}

Call manifest_call(const Exchange& exchange, const std::string& method, const Repository& repository,
                   const Version& version) {
  Call call;
  call.method = method;
  call.url = exchange.url(repository.value() + "/manifests/" + version.value());
  call.access = {Access::Action::pull, repository.value(), ""};
  call.headers.add("Accept", accepted());
  call.moves = call.max_answer = kMaxManifest;
  return call;
}

bool is_digest(const Version& version) { return version.value().find(':') != std::string::npos; }

std::string name_of(const Repository& repository, const Version& version) {
  return repository.value() + (is_digest(version) ? "@" : ":") + version.value();
}

// Passes a blob on as it comes, over as many connections as it takes.
class Reading {
 public:
  Reading(const Blob& blob, Sink& sink) : blob_(blob), sink_(sink) {}

  std::uint64_t got() const { return got_; }
  // The registry began again from the start, at `offset` of the blob.
  void begins_at(std::uint64_t offset) { skip_ = got_ - offset; }

  Result<void> take(std::string_view piece) {
    const std::size_t known = std::min<std::uint64_t>(skip_, piece.size());
    skip_ -= known;
    piece.remove_prefix(known);
    if (piece.empty()) return {};
    if (got_ + piece.size() > blob_.size.count)
      return fail(Why::invalid, "it must have " + std::to_string(blob_.size.count) + " bytes, and more come");
    sum_.update(piece);
    got_ += piece.size();
    return sink_(piece);
  }
  Result<void> end() {
    if (const Digest digest = sum_.finish(); digest != blob_.digest)
      return fail(Why::invalid, "its bytes have the digest " + digest.text() +
                                    ", so they were changed or damaged on their way or in the registry; push it again");
    return {};
  }

 private:
  const Blob& blob_;
  Sink& sink_;
  Sha256 sum_;
  std::uint64_t got_ = 0;
  std::uint64_t skip_ = 0;
};

struct Progress {
  bool done = false;
  std::optional<std::chrono::seconds> asked;  // to wait before the next attempt
  Error broken{Why::unavailable, ""};
};

// One connection's worth of a blob. An error is final; what may pass is told in `broken`.
Task<Result<Progress>> read_some(Exchange& exchange, Call call, Reading& reading, std::uint64_t size,
                                 Deadline deadline) {
  Progress progress;
  if (reading.got() > 0) call.headers.set("Range", "bytes=" + std::to_string(reading.got()) + "-");
  auto stream = co_await exchange.attempt(call, deadline);
  if (!stream && http::passes(stream.error())) {
    progress.broken = std::move(stream).error();
    co_return std::move(progress);
  }
  if (!stream) co_return fail(std::move(stream).error());
  const auto begin = stream->status == 206 ? range_begin(stream->headers.get("Content-Range")) : 0;
  if ((stream->status != 200 && stream->status != 206) || !begin || *begin > reading.got()) {
    auto body = co_await read_all(*stream, call.max_answer);
    Answer answer{stream->status, std::move(stream->headers), body ? std::move(*body) : std::string{}};
    progress.broken = exchange.unexpected(call, answer);
    progress.asked = http::retry_after(answer.headers);
    if (!http::passes(answer.status)) co_return fail(std::move(progress.broken));
    co_return std::move(progress);
  }
  reading.begins_at(*begin);
  for (;;) {
    auto piece = co_await stream->body->next();
    if (!piece) {
      progress.broken = std::move(piece).error();
      co_return std::move(progress);
    }
    if (!*piece) break;
    CO_TRY_DO(reading.take(**piece));
  }
  progress.done = reading.got() == size;
  if (!progress.done)
    progress.broken = {Why::unavailable,
                       "it ended after " + std::to_string(reading.got()) + " of " + std::to_string(size) + " bytes"};
  co_return std::move(progress);
}

Task<Result<void>> read_to_end(Exchange& exchange, const Repository& repository, const Blob& blob, Sink& sink,
                               Deadline deadline) {
  Call call;
  call.url = exchange.url(repository.value() + "/blobs/" + blob.digest.text());
  call.access = {Access::Action::pull, repository.value(), ""};
  call.moves = blob.size;
  Reading reading{blob, sink};
  http::Backoff backoff{exchange.loop(), exchange.options().retry, deadline};
  for (;;) {
    const std::uint64_t before = reading.got();
    CO_TRY(Progress progress, co_await read_some(exchange, call, reading, blob.size.count, deadline));
    if (progress.done) co_return reading.end();
    const bool again = co_await backoff.again(progress.asked);
    if (!again) co_return fail(std::move(progress.broken));
    // Who gets on has not used an attempt up.
    if (reading.got() > before + kWorthAnAttempt) backoff.begin_anew();
  }
}

}  // namespace

Registry::Registry(Loop& loop, http::Client& client, const Keychain& keychain, std::string host,
                   RegistryOptions options)
    : exchange_(loop, client, keychain, std::move(host), options) {}

Task<Result<void>> Registry::ping(Deadline deadline) {
  const Call call{.url = exchange_.url("")};
  CO_TRY(const Answer answer, co_await exchange_.send_once(call, deadline));
  if (answer.status == 200) co_return Result<void>{};
  if (answer.status == 404)
    co_return fail(Why::invalid, host() + " answers, and is no registry of images (" + call.url + " is not there)");
  co_return fail(exchange_.unexpected(call, answer));
}

Task<Result<Found>> Registry::manifest(Repository repository, Version version, Deadline deadline) {
  const Call call = manifest_call(exchange_, "GET", repository, version);
  CO_TRY(Answer answer, co_await exchange_.send(call, deadline));
  if (answer.status == 404)
    co_return fail(Why::not_found, "the registry " + host() + " has no image " + name_of(repository, version) +
                                       "; check its name and tag");
  if (answer.status != 200) co_return fail(exchange_.unexpected(call, answer));
  Digest digest = Digest::of(answer.body);
  std::string promised(answer.headers.get("Docker-Content-Digest"));
  if (is_digest(version)) promised = version.value();
  if (promised.starts_with("sha256:") && promised != digest.text())
    co_return fail(Why::invalid, "the registry " + host() + " gave other bytes for " + name_of(repository, version) +
                                     " than were asked for: they must have the digest " + promised + ", and have " +
                                     digest.text());
  Found found{bare_type(answer.headers.get("Content-Type")), std::move(answer.body), std::move(digest)};
  co_return std::move(found);
}

Task<Result<std::optional<Digest>>> Registry::digest_of(Repository repository, Version tag, Deadline deadline) {
  const Call call = manifest_call(exchange_, "HEAD", repository, tag);
  CO_TRY(const Answer answer, co_await exchange_.send(call, deadline));
  if (answer.status == 404) co_return std::optional<Digest>{};
  if (answer.status != 200) co_return fail(exchange_.unexpected(call, answer));
  auto digest = Digest::parse(answer.headers.get("Docker-Content-Digest"));
  if (digest) co_return std::optional<Digest>{std::move(*digest)};
  // A registry need not say it; then the manifest tells.
  CO_TRY(Found found, co_await manifest(std::move(repository), std::move(tag), deadline));
  co_return std::optional<Digest>{std::move(found.digest)};
}

Task<Result<bool>> Registry::has_blob(Repository repository, Digest digest, Deadline deadline) {
  Call call;
  call.method = "HEAD";
  call.url = exchange_.url(repository.value() + "/blobs/" + digest.text());
  call.access = {Access::Action::push, repository.value(), ""};  // asked before pushing: one token for both
  CO_TRY(const Answer answer, co_await exchange_.send(call, deadline));
  if (answer.status == 200 || answer.status == 404) co_return answer.status == 200;
  co_return fail(exchange_.unexpected(call, answer));
}

Task<Result<void>> Registry::read_blob(Repository repository, Blob blob, Sink sink, Deadline deadline) {
  auto read = co_await read_to_end(exchange_, repository, blob, sink, deadline);
  if (read) co_return Result<void>{};
  co_return fail(std::move(read).error().in("reading the blob " + blob.digest.text() + " of " + host() + "/" +
                                            repository.value()));
}

Task<Result<std::string>> Registry::read_blob_text(Repository repository, Blob blob, Bytes max, Deadline deadline) {
  if (blob.size > max)
    co_return fail(Why::too_large, "the blob " + blob.digest.text() + " must have at most " +
                                       std::to_string(max.count) + " bytes, has " + std::to_string(blob.size.count));
  std::string text;
  Sink sink = [&text](std::string_view piece) {
    text += piece;
    return Result<void>{};
  };
  CO_TRY_DO(co_await read_blob(std::move(repository), std::move(blob), std::move(sink), deadline));
  co_return std::move(text);
}

Task<Result<bool>> Registry::mount_blob(Repository repository, Digest digest, MountFrom from, Deadline deadline) {
  return mount(exchange_, repository.value(), std::move(digest), from.value(), deadline);
}

Task<Result<void>> Registry::upload_blob(Repository repository, Blob blob, std::variant<std::string, BlobFile> bytes,
                                         Deadline deadline) {
  return upload(exchange_, repository.value(), std::move(blob), std::move(bytes), deadline);
}

Task<Result<void>> Registry::preflight(Repository repository, Deadline deadline) {
  return try_upload(exchange_, repository.value(), deadline);
}

Task<Result<void>> Registry::put_manifest(Repository repository, Version version, Blob manifest, std::string text,
                                          Deadline deadline) {
  Call call = manifest_call(exchange_, "PUT", repository, version);
  call.access.action = Access::Action::push;
  call.headers = {{"Content-Type", manifest.media_type}};
  call.body = std::move(text);
  CO_TRY(const Answer answer, co_await exchange_.send(call, deadline));
  if (answer.status != 200 && answer.status != 201) co_return fail(exchange_.unexpected(call, answer));
  const std::string_view said = answer.headers.get("Docker-Content-Digest");
  if (said.starts_with("sha256:") && said != manifest.digest.text())
    co_return fail(Why::invalid, "the registry " + host() + " changed the manifest of " + name_of(repository, version) +
                                     ": it must have the digest " + manifest.digest.text() + ", and has " +
                                     std::string(said));
  co_return Result<void>{};
}

}  // namespace nuclio::oci
