// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "http/client.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/digest.h"
#include "oci/exchange.h"
#include "oci/keychain.h"
#include "oci/manifest.h"
#include "oci/names.h"
#include "oci/sink.h"

namespace nuclio::oci {

// A file that holds a blob's bytes.
struct BlobFile {
  std::string path;
};

// A manifest or index as it was found.
struct Found {
  std::string media_type;
  std::string text;
  Digest digest;
};

// A registry that speaks the distribution protocol. Everything that is read is checked against its digest and size.
// What may pass (429, 5xx, broken connections) is tried again within the deadline, as options.retry says. Lives on its
// loop's thread and outlives its tasks; loop, client and keychain are borrowed; any number of tasks run at once.
//
// Errors name the registry. Why::forbidden: no login, the wrong one, or a certificate that nobody vouches for;
// Why::unavailable and Why::timeout: it does not answer, or fails; Why::busy: it limits us; Why::invalid: what it sends
// is not what it should be.
class Registry {
 public:
  // `host` is ImageReference::registry.
  Registry(Loop& loop, http::Client& client, const Keychain& keychain, std::string host, RegistryOptions options = {});

  const std::string& host() const { return exchange_.registry(); }

  // Whether it is a registry and takes the login: one request, tried once.
  Task<Result<void>> ping(Deadline deadline);
  // Whether images may be pushed to the repository: opens an upload and cancels it. Tried once, so it takes the two to
  // five round trips that logging in takes; the deadline is the caller's patience.
  Task<Result<void>> preflight(Repository repository, Deadline deadline);

  // The manifest or index of a tag, or of a digest, which its bytes then have. Why::not_found when there is none.
  Task<Result<Found>> manifest(Repository repository, Version version, Deadline deadline);
  // The digest that a tag has now; nothing when there is no such tag.
  Task<Result<std::optional<Digest>>> digest_of(Repository repository, Version tag, Deadline deadline);

  Task<Result<bool>> has_blob(Repository repository, Digest digest, Deadline deadline);
  // Gives the sink exactly the blob's bytes, once and in order, whatever breaks meanwhile; when they turn out not to be
  // the blob's the task fails after all. Why::not_found when it is not there.
  Task<Result<void>> read_blob(Repository repository, Blob blob, Sink sink, Deadline deadline);
  // A small blob as text. Why::too_large beyond `max`.
  Task<Result<std::string>> read_blob_text(Repository repository, Blob blob, Bytes max, Deadline deadline);

  // Makes a blob of another repository one of this, without moving it. False when the registry will not, because it
  // cannot, the blob is not there, or the login may not read there.
  Task<Result<bool>> mount_blob(Repository repository, Digest digest, MountFrom from, Deadline deadline);
  // Uploads a blob from memory or a file. What breaks is resumed where the registry says it has come to.
  Task<Result<void>> upload_blob(Repository repository, Blob blob, std::variant<std::string, BlobFile> bytes,
                                 Deadline deadline);
  // Puts a manifest or index, which `text` is, by a tag, or by its digest. The blobs that it names must be there.
  Task<Result<void>> put_manifest(Repository repository, Version version, Blob manifest, std::string text,
                                  Deadline deadline);

 private:
  Exchange exchange_;
};

}  // namespace nuclio::oci
