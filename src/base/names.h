// SPDX-License-Identifier: Apache-2.0
// Names of functions, projects and namespaces, checked once where they enter the program, and help for mistyped words.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "base/named.h"
#include "base/result.h"

namespace nuclio {

// A DNS-1123 label: 1 to 63 lower-case letters, digits and '-', with a letter or digit at both ends, since names become
// host names, Kubernetes objects and directories. Why::invalid names the first thing that is wrong.
Result<FunctionName> parse_function_name(std::string_view text);
Result<ProjectName> parse_project_name(std::string_view text);
Result<Namespace> parse_namespace(std::string_view text);

// The same check for other names; `what` begins the message: "trigger name must ...".
Result<void> check_label(std::string_view what, std::string_view text);

// Names that the platform's own services have: dashboard, controller, dlx and scaler. Why::precondition when it is one.
Result<void> check_not_reserved(const FunctionName& name);

// The known word that the text was most likely meant to be, or nothing when none is near. Case is no difference.
std::string_view nearest(std::string_view text, std::span<const std::string_view> known);

// `; did you mean "nearest"?`, or nothing: to be put at the end of a message.
std::string did_you_mean(std::string_view text, std::span<const std::string_view> known);

}  // namespace nuclio
