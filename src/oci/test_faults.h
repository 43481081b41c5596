// SPDX-License-Identifier: Apache-2.0
// A real registry behind a front that fails.
#pragma once
#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "oci/registry.h"
#include "oci/test_registry.h"

namespace nuclio::oci {

class Faults : public testing::Test, protected TestBench {
 protected:
  int count(std::string_view method) const {
    return static_cast<int>(std::ranges::count_if(
        front_.seen, [&](const std::string& line) { return line.starts_with(std::string(method) + " "); }));
  }
  Result<void> push(const std::string& bytes) {
    return run(registry_.upload_blob(Repository{"a"}, blob_of(bytes), bytes, soon()));
  }
  Result<std::string> pull(const Blob& blob) {
    return run(registry_.read_blob_text(Repository{"a"}, blob, Bytes{64u << 20}, soon()));
  }
  // Without the faults.
  void expect_there(const std::string& bytes) {
    Registry direct{loop, client, keychain, real_.host(), plain_options()};
    EXPECT_EQ(run(direct.read_blob_text(Repository{"a"}, blob_of(bytes), Bytes{64u << 20}, soon())), bytes);
  }

  RealRegistry real_{loop};
  http::Client behind_{loop};
  FaultyFront front_{loop, behind_, real_.host()};
  Registry registry_{loop, client, keychain, front_.host(), plain_options()};
  const std::string large_ = noise(3'500'000);
};

}  // namespace nuclio::oci
