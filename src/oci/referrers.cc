// SPDX-License-Identifier: Apache-2.0
#include "oci/referrers.h"

#include <array>
#include <boost/json.hpp>
#include <optional>
#include <utility>

#include "oci/json.h"
#include "schema/json.h"

namespace nuclio::oci {
namespace {

namespace json = boost::json;

// An artifact has no config, and its manifest must name one.
constexpr std::string_view kEmptyConfig = "{}";
constexpr std::string_view kEmptyType = "application/vnd.oci.empty.v1+json";

Blob blob_of(std::string_view type, std::string_view bytes) {
  return {std::string(type), Digest::of(bytes), Bytes{bytes.size()}};
}

json::object descriptor(const Blob& blob) {
  return {{"mediaType", blob.media_type}, {"digest", blob.digest.text()}, {"size", blob.size.count}};
}

}  // namespace

std::string artifact_manifest(const Blob& subject, const Attachment& attachment) {
  json::object layer = descriptor(blob_of(attachment.type, attachment.bytes));
  layer["annotations"] = json::object{{"org.opencontainers.image.title", attachment.title}};
  const json::object manifest{{"schemaVersion", 2},
                              {"mediaType", media::kManifest},
                              {"artifactType", attachment.type},
                              {"config", descriptor(blob_of(kEmptyType, kEmptyConfig))},
                              {"layers", json::array{std::move(layer)}},
                              {"subject", descriptor(subject)}};
  return json::serialize(manifest);
}

std::string referrers_tag(const Digest& subject) { return "sha256-" + std::string(subject.hex()); }

Result<std::string> add_referrer(std::string_view index, const Blob& artifact, const Attachment& attachment) {
  json::value document = json::object{{"schemaVersion", 2}, {"mediaType", media::kIndex}, {"manifests", json::array{}}};
  if (!index.empty()) {
    auto parsed = schema::parse_json(index);
    if (!parsed) return fail(std::move(parsed).error().in("the list of an image's artifacts"));
    document = std::move(*parsed);
  }
  json::object* object = document.if_object();
  json::value* entries = object ? object->if_contains("manifests") : nullptr;
  if (!entries || !entries->is_array())
    return fail(Why::invalid, "the list of an image's artifacts must be an index with \"manifests\"");
  for (const json::value& entry : entries->get_array())
    if (entry.is_object() && text_of(entry.get_object(), "digest") == artifact.digest.text()) return std::string(index);
  json::object entry = descriptor(artifact);
  entry["artifactType"] = attachment.type;
  entries->get_array().push_back(std::move(entry));
  return json::serialize(document);
}

Task<Result<AttachReport>> Referrers::attach(Repository repository, Blob subject, Attachment attachment,
                                             Deadline deadline) {
  std::string text = artifact_manifest(subject, attachment);
  const Blob artifact = blob_of(media::kManifest, text);
  AttachReport report{artifact.digest, Bytes{0}};
  const Version by_digest{artifact.digest.text()};
  CO_TRY(const auto before, co_await registry_.digest_of(repository, by_digest, deadline));
  if (!before) {
    const std::array blobs{blob_of(kEmptyType, kEmptyConfig), blob_of(attachment.type, attachment.bytes)};
    for (const Blob& blob : blobs) {
      CO_TRY(const bool there, co_await registry_.has_blob(repository, blob.digest, deadline));
      if (there) continue;
      std::string bytes = blob.media_type == kEmptyType ? std::string(kEmptyConfig) : attachment.bytes;
      CO_TRY_DO(co_await registry_.upload_blob(repository, blob, std::move(bytes), deadline));
      report.sent.count += blob.size.count;
    }
    CO_TRY_DO(co_await registry_.put_manifest(repository, by_digest, artifact, std::move(text), deadline));
  }
  CO_TRY(const bool lists_itself, co_await has_api(repository, subject.digest, deadline));
  if (!lists_itself) CO_TRY_DO(co_await list(std::move(repository), subject.digest, artifact, attachment, deadline));
  co_return std::move(report);
}

Task<Result<bool>> Referrers::has_api(Repository repository, Digest subject, Deadline deadline) {
  Call call;
  call.url = exchange_.url(repository.value() + "/referrers/" + subject.text());
  call.access = {Access::Action::push, repository.value(), ""};  // one token with what comes before and after
  call.max_answer = kMaxManifest;
  CO_TRY(const Answer answer, co_await exchange_.send(std::move(call), deadline));
  // A registry that has the API answers an empty list for what has no artifacts.
  co_return answer.status == 200;
}

Task<Result<void>> Referrers::list(Repository repository, Digest subject, Blob artifact, const Attachment& attachment,
                                   Deadline deadline) {
  const Version tag{referrers_tag(subject)};
  std::string before;
  auto found = co_await registry_.manifest(repository, tag, deadline);
  if (found) before = std::move(found->text);
  if (!found && found.error().why != Why::not_found) co_return fail(std::move(found).error());
  CO_TRY(std::string text, add_referrer(before, artifact, attachment));
  if (text == before) co_return Result<void>{};
  const Blob index = blob_of(media::kIndex, text);
  co_return co_await registry_.put_manifest(std::move(repository), tag, index, std::move(text), deadline);
}

}  // namespace nuclio::oci
