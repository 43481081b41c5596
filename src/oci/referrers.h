// SPDX-License-Identifier: Apache-2.0
// What lies beside an image in its registry and says something about it, as OCI 1.1 has it: an artifact whose manifest
// names the image as its subject.
#pragma once
#include <string>
#include <string_view>

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
#include "oci/registry.h"

namespace nuclio::oci {

struct Attachment {
  std::string type;   // of the artifact, and of its bytes: "application/spdx+json"
  std::string title;  // a file's name, for who fetches it
  std::string bytes;
};

// The text of the artifact's manifest; equal input gives an equal text.
std::string artifact_manifest(const Blob& subject, const Attachment& attachment);

// The tag under which an image's artifacts are listed in a registry that has no API for them.
std::string referrers_tag(const Digest& subject);

// That list with one artifact more: `index` is what it was, "" for none. Unchanged when the artifact is in it. Entries
// of others stay as they are. Why::invalid when it is no index.
Result<std::string> add_referrer(std::string_view index, const Blob& artifact, const Attachment& attachment);

struct AttachReport {
  Digest digest;  // of the artifact
  Bytes sent;
};

// Pushes attachments to one registry. Lives on its loop's thread and outlives its tasks; loop, client and keychain are
// borrowed.
class Referrers {
 public:
  Referrers(Loop& loop, http::Client& client, const Keychain& keychain, const std::string& host,
            const RegistryOptions& options)
      : exchange_(loop, client, keychain, host, options), registry_(loop, client, keychain, host, options) {}

  // Puts an attachment beside an image that is there already. What is there is not sent again. Two who attach to one
  // image at once, in a registry without the API, may lose one of the two from the list: OCI knows no way around it.
  Task<Result<AttachReport>> attach(Repository repository, Blob subject, Attachment attachment, Deadline deadline);

 private:
  Task<Result<bool>> has_api(Repository repository, Digest subject, Deadline deadline);
  Task<Result<void>> list(Repository repository, Digest subject, Blob artifact, const Attachment& attachment,
                          Deadline deadline);

  Exchange exchange_;
  Registry registry_;
};

}  // namespace nuclio::oci
