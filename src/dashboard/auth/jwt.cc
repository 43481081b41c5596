// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/jwt.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <string>

#include "base/base64.h"
#include "schema/json.h"

namespace nuclio::dashboard {
namespace {

namespace json = boost::json;

template <auto free>
struct Free {
  template <class T>
  void operator()(T* what) const {
    free(what);
  }
};
using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;

Result<std::string> decode_base64url(std::string_view text) {
  std::string padded{text};
  if (padded.find_first_of("+/=") != std::string::npos) return fail(Why::invalid, "is no base64url");
  std::ranges::replace(padded, '-', '+');
  std::ranges::replace(padded, '_', '/');
  padded.append((4 - padded.size() % 4) % 4, '=');
  return decode_base64(padded);
}

Result<json::object> decode_object(std::string_view text) {
  TRY(const std::string decoded, decode_base64url(text));
  TRY(json::value value, schema::parse_json(decoded));
  if (!value.is_object()) return fail(Why::invalid, "is no JSON object");
  return std::move(value.get_object());
}

std::string text_in(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(json::string_view(name.data(), name.size()));
  return member && member->is_string() ? std::string(member->get_string()) : std::string();
}

const unsigned char* bytes(const std::string& text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Number number(const std::string& text) {
  return Number{BN_bin2bn(bytes(text), static_cast<int>(text.size()), nullptr)};
}

Key made_key(const char* type, OSSL_PARAM_BLD* builder) {
  const Parameters parameters{OSSL_PARAM_BLD_to_param(builder)};
  const KeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return nullptr;
  return Key{key};
}

Key rsa_key(const json::object& jwk) {
  const auto modulus = decode_base64url(text_in(jwk, "n"));
  const auto exponent = decode_base64url(text_in(jwk, "e"));
  // Shorter ones can be broken, and RFC 7518 forbids them.
  if (!modulus || !exponent || modulus->size() < 256) return nullptr;
  const Number n = number(*modulus);
  const Number e = number(*exponent);
  const Builder builder{OSSL_PARAM_BLD_new()};
  if (!n || !e || !builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return nullptr;
  return made_key("RSA", builder.get());
}

Key ec_key(const json::object& jwk) {
  const auto x = decode_base64url(text_in(jwk, "x"));
  const auto y = decode_base64url(text_in(jwk, "y"));
  if (text_in(jwk, "crv") != "P-256" || !x || !y || x->size() != 32 || y->size() != 32) return nullptr;
  const std::string point = "\x04" + *x + *y;
  const Builder builder{OSSL_PARAM_BLD_new()};
  if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
    return nullptr;
  return made_key("EC", builder.get());
}

// A JWT's ES256 signature is two numbers of 32 bytes; OpenSSL wants them in DER.
std::string der_of(const std::string& pair) {
  const Signature signature{ECDSA_SIG_new()};
  Number r = number(pair.substr(0, 32));
  Number s = number(pair.substr(32));
  if (!signature || !r || !s || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return {};
  (void)r.release();
  (void)s.release();
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(signature.get(), &der);
  if (length <= 0) return {};
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return out;
}

bool signed_by(EVP_PKEY* key, std::string_view text, const std::string& signature) {
  const DigestContext context{EVP_MD_CTX_new()};
  return context && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), bytes(signature), signature.size(),
                          reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
}

bool is_signed_by(const json::object& jwk, bool rsa, std::string_view text, const std::string& signature) {
  const Key key = rsa ? rsa_key(jwk) : ec_key(jwk);
  return key && signed_by(key.get(), text, signature);
}

}  // namespace

Result<json::object> verified_claims(std::string_view token, const json::value& keys) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos)
    return fail(Why::invalid, "a signed token must have three parts");
  auto header = decode_object(token.substr(0, first));
  if (!header) return std::unexpected(std::move(header).error().in("the token's header"));
  auto claims = decode_object(token.substr(first + 1, second - first - 1));
  if (!claims) return std::unexpected(std::move(claims).error().in("the token's claims"));
  auto signature = decode_base64url(token.substr(second + 1));
  if (!signature) return std::unexpected(std::move(signature).error().in("the token's signature"));

  const std::string algorithm = text_in(*header, "alg");
  const bool rsa = algorithm == "RS256";
  if (!rsa && algorithm != "ES256")
    return fail(Why::forbidden, "a token must be signed by RS256 or ES256, not by \"" + algorithm + "\"");
  if (header->contains("crit")) return fail(Why::forbidden, "the token demands what is not known here (crit)");
  if (!rsa) {
    if (signature->size() != 64) return fail(Why::forbidden, "the token's signature is none of ES256");
    *signature = der_of(*signature);
  }
  const json::value* list = keys.is_object() ? keys.get_object().if_contains("keys") : nullptr;
  if (!list || !list->is_array()) return fail(Why::invalid, "the provider's keys are no JWK set");
  const std::string wanted = text_in(*header, "kid");
  bool found = false;
  for (const json::value& each : list->get_array()) {
    if (!each.is_object()) continue;
    const json::object& jwk = each.get_object();
    const std::string use = text_in(jwk, "use");
    if (text_in(jwk, "kty") != (rsa ? "RSA" : "EC") || (!use.empty() && use != "sig") ||
        (!wanted.empty() && text_in(jwk, "kid") != wanted))
      continue;
    found = true;
    if (is_signed_by(jwk, rsa, token.substr(0, second), *signature)) return std::move(*claims);
  }
  if (!found) return fail(Why::not_found, "the provider has no key \"" + wanted + "\"");
  return fail(Why::forbidden, "the token's signature is wrong");
}

}  // namespace nuclio::dashboard
