// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace nuclio::builder {

struct AwsKey {
  std::string id;
  std::string secret;
  std::string session_token;  // "" for a key that is not temporary
};

// A GET as it will be sent.
struct AwsRequest {
  std::string host;                                 // with the port, unless it is the scheme's own
  std::string path;                                 // percent-encoded by aws_encode(), once
  std::string query;                                // "a=1&b=2", sorted and encoded; "" for none
  std::map<std::string, std::string> headers = {};  // further ones to sign, names in small letters
};

// The headers that such a request needs besides its own and Host, signed as AWS's signature version 4 says for S3.
std::map<std::string, std::string> aws_signature(const AwsRequest& request, const AwsKey& key,
                                                 const std::string& region, std::chrono::system_clock::time_point now);

// Percent-encoding as the signature wants it: all but letters, digits, "-._~" and '/'.
std::string aws_encode(std::string_view path);

}  // namespace nuclio::builder
