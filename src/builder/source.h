// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/fwd.hpp>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "schema/schema.h"
#include "spec/function.h"
#include "wire/runtime.h"

namespace nuclio::builder {

// Code that is held in memory.
struct SourceFile {
  std::string name;  // relative to the code folder, e.g. "hello.py"
  std::string text;
};
// The handler's file, and what belongs to it.
using SourceFiles = std::vector<SourceFile>;
// Code in a folder of this machine.
struct SourceFolder {
  std::string path;  // absolute
};

// Everything that a build needs to know, found out without building anything.
struct Source {
  spec::FunctionConfig config;   // what came with the code, overridden by what was given; runtime and handler filled in
  const wire::Runtime* runtime;  // borrowed from the runtimes that find_source() got
  std::string version;           // of the language; "" when the function leaves it open
  std::variant<SourceFiles, SourceFolder> code;
  std::vector<schema::Problem> warnings;
};

inline constexpr Bytes kMaxSourceFile{16u << 20};
// A single file up to this size is kept in the spec as functionSourceCode, and so is a small folder (see
// inline_folder()) with spec.build.files, so that an exported function is complete.
inline constexpr Bytes kMaxInlineSource{1u << 20};

// Finds a function's code (functionSourceCode with files, or build.path: a file or folder of this machine), the
// function.yaml or the @nuclio.configure block that comes with it, and from these the whole config: the file is the
// base, `given` (a {metadata, spec} object) wins, and says alone where code is. Reads files, writes none. Why::invalid
// says what is wrong or missing and what to do. `fetched` is the file or folder that fetch_code() gave, for code that
// comes from elsewhere (see origin_of()); "" for other code.
Result<Source> find_source(const boost::json::value& given, std::span<const wire::Runtime> runtimes,
                           const std::string& fetched = "");

// The file in which a handler's code is expected: "a.b:handler" is a/b.py, "handler.js:run" is handler.js. Why::invalid
// when the handler names a place outside of the code.
Result<std::string> source_file_name(const std::string& handler, const wire::Runtime& runtime);

}  // namespace nuclio::builder
