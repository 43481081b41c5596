// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "oci/sink.h"

namespace nuclio::oci {

// Compresses what comes into one gzip member, whose header has neither a time nor a name, so that equal bytes give
// equal bytes (with one version of zlib).
class GzipWriter {
 public:
  explicit GzipWriter(Sink sink, int level = 6);
  // Errors of both are the sink's.
  Result<void> write(std::string_view bytes);
  Result<void> finish();

 private:
  struct Free {
    void operator()(void* stream) const;
  };
  Result<void> run(int flush);

  Sink sink_;
  std::unique_ptr<void, Free> stream_;
  std::vector<char> out_;
};

}  // namespace nuclio::oci
