// SPDX-License-Identifier: Apache-2.0
// Functions to begin with: a function.yaml in which some values are still open, {{ .name }}. Pure functions.
#pragma once
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nuclio::dashboard {

struct FunctionTemplate {
  std::string name;
  std::string text;            // of the function.yaml, its source code already in it
  boost::json::object values;  // what a form asks for, by name: {displayName, kind, description, attributes…}
};

// Of the files of a folder: function.yaml.template, function.yaml.values and maybe a source file. Why::invalid when
// they are no template. Whether it can be rendered is seen when it is.
Result<FunctionTemplate> make_template(std::string name, std::string_view text, std::string_view values,
                                       std::optional<std::string_view> code);

// The templates that are part of the program, from examples/templates, by name.
const std::vector<FunctionTemplate>& gallery();

// The function that a template is with these values: {metadata, spec}. A value that stands by itself keeps its type,
// one within a text becomes text; none can change what is around it. Of Go's templates, which Nuclio's are, only
// {{ .name }} is understood. Why::invalid for anything else, for a value that is missing, and for what is no function
// then.
Result<boost::json::object> render(std::string_view text, const boost::json::object& values);

// Whether a template's name or text has this word, in any case; all have "" and "*".
bool mentions(const FunctionTemplate& function, std::string_view word);

}  // namespace nuclio::dashboard
