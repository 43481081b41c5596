// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace nuclio::oci {

// How a registry wants to be convinced: the WWW-Authenticate of its 401.
struct Challenge {
  enum class Scheme { basic, bearer } scheme = Scheme::basic;
  std::string realm;    // with bearer: the URL of the token server
  std::string service;  // with bearer: what the token server calls the registry
  std::string error;    // "insufficient_scope", "invalid_token"; "" mostly
};

// The first challenge of a header that we know how to meet; bearer wins. Nothing when there is none.
std::optional<Challenge> parse_challenge(std::string_view header);

}  // namespace nuclio::oci
