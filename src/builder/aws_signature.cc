// SPDX-License-Identifier: Apache-2.0
#include "builder/aws_signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <ctime>

#include "base/check.h"
#include "oci/digest.h"
#include "oci/url.h"

namespace nuclio::builder {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(), &size));
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const unsigned char c : bytes) {
    out += "0123456789abcdef"[c >> 4];
    out += "0123456789abcdef"[c & 15];
  }
  return out;
}

std::string sha256(std::string_view text) { return std::string(oci::Digest::of(text).hex()); }

std::string formatted(std::chrono::system_clock::time_point when, const char* format) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &parts)};
}

}  // namespace

std::map<std::string, std::string> aws_signature(const AwsRequest& request, const AwsKey& key,
                                                 const std::string& region, std::chrono::system_clock::time_point now) {
  const std::string time = formatted(now, "%Y%m%dT%H%M%SZ");
  const std::string day = time.substr(0, 8);
  std::map<std::string, std::string> out{{"x-amz-date", time}, {"x-amz-content-sha256", sha256("")}};
  if (!key.session_token.empty()) out["x-amz-security-token"] = key.session_token;

  std::map<std::string, std::string> covered = request.headers;
  covered.insert(out.begin(), out.end());
  covered["host"] = request.host;
  std::string names;
  std::string canonical = "GET\n" + request.path + "\n" + request.query + "\n";
  for (const auto& [name, value] : covered) {
    canonical += name + ":" + value + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  canonical += "\n" + names + "\n" + out["x-amz-content-sha256"];

  const std::string scope = day + "/" + region + "/s3/aws4_request";
  const std::string text = std::string(kAlgorithm) + "\n" + time + "\n" + scope + "\n" + sha256(canonical);
  const std::string signing_key = hmac(hmac(hmac(hmac("AWS4" + key.secret, day), region), "s3"), "aws4_request");
  out["authorization"] = std::string(kAlgorithm) + " Credential=" + key.id + "/" + scope + ",SignedHeaders=" + names +
                         ",Signature=" + hex(hmac(signing_key, text));
  return out;
}

std::string aws_encode(std::string_view path) { return oci::percent_encode(path, "-._~/"); }

}  // namespace nuclio::builder
