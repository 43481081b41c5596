// SPDX-License-Identifier: Apache-2.0
// How blobs get into a registry; called by Registry, which says what each does.
#pragma once
#include <string>
#include <variant>

#include "base/result.h"
#include "loop/deadline.h"
#include "loop/task.h"
#include "oci/digest.h"
#include "oci/exchange.h"
#include "oci/manifest.h"
#include "oci/registry.h"

namespace nuclio::oci {

Task<Result<void>> try_upload(Exchange& exchange, std::string repository, Deadline deadline);
Task<Result<bool>> mount(Exchange& exchange, std::string repository, Digest digest, std::string from,
                         Deadline deadline);
Task<Result<void>> upload(Exchange& exchange, std::string repository, Blob blob,
                          std::variant<std::string, BlobFile> bytes, Deadline deadline);

}  // namespace nuclio::oci
