// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "oci/gzip_writer.h"

namespace nuclio::oci {

// For tests: small texts as gzip has them.
inline std::string gzipped(const std::string& bytes) {
  std::string out;
  GzipWriter gzip{[&](std::string_view piece) {
    out += piece;
    return Result<void>{};
  }};
  EXPECT_TRUE(gzip.write(bytes));
  EXPECT_TRUE(gzip.finish());
  return out;
}

}  // namespace nuclio::oci
