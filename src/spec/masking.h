// SPDX-License-Identifier: Apache-2.0
// Keeping passwords and keys out of a function's object: each is replaced by a reference,
// "$ref:/spec/triggers/web/password", and stands under that reference in a Secret, in Nuclio's format.
#pragma once
#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nuclio::spec {

struct ApiGateway;
struct FunctionConfig;

// What references stand for, by reference.
using MaskedValues = std::map<std::string, std::string>;

struct Masked {
  boost::json::object function;
  MaskedValues values;
};

// The JSON of a function without what its description says is secret, what Nuclio takes for it, and what stands at
// paths that one of the patterns is found in (regular expressions, whatever the case). Only texts are masked.
// References that are there already stay; who changes a masked function restores it first. A function that does not
// want it (disableSensitiveFieldsMasking) comes back whole. Why::invalid when a pattern is no regular expression.
Result<Masked> mask(const FunctionConfig& config, const std::vector<std::string>& custom_patterns);

// The same JSON with the values for its references. Why::not_found names the first that has none, and where it stands.
Result<boost::json::object> restore(boost::json::object function, const MaskedValues& values);

// The texts of the Secret (its stringData): one for each reference, and all of them under "content", which is there
// when there are none, too. The Secret's name is to change with its content, or the pods would not.
std::map<std::string, std::string> secret_texts(const MaskedValues& values);
inline constexpr std::string_view kSecretType = "nuclio.io/functionconfig";
inline constexpr std::string_view kSecretContent = "content";

// From the text under "content" back to the values.
Result<MaskedValues> masked_values(std::string_view content);

// Of a gateway, the password of its login alone is masked: under this reference, if there is one.
inline constexpr std::string_view kGatewayPassword = "$ref:/spec/authentication/basicauth/password";
inline constexpr std::string_view kGatewaySecretType = "nuclio.io/apigatewayconfig";
// Takes the password out of the gateway and gives it; "" when it has none, or only the reference.
std::string take_password(ApiGateway& gateway);
// Whether the reference stands where the password was.
bool refers_to_password(const ApiGateway& gateway);
// Puts it back in the reference's place. Why::invalid when there is a reference and no password.
Result<void> put_password(ApiGateway& gateway, const std::string& password);

}  // namespace nuclio::spec
