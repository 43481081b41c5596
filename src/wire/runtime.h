// SPDX-License-Identifier: Apache-2.0
// What a language's runtime says about itself in its manifest, runtimes/<name>/runtime.json: which files are its own,
// what makes their code ready to run, and how a worker of it is started. A runtime is found by its manifest alone, so
// adding one touches only its folder. The format's meaning is in runtimes/README.md.
#pragma once
#include <array>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schema/schema.h"

namespace nuclio::wire {

// How the processor speaks to a worker.
enum class Protocol {
  frames,      // this folder's frames, over a socket that the worker inherits
  nuclio_1,    // Nuclio's own wrappers
  cpp_object,  // a shared object in the processor, see runtimes/cpp/include/nuclio/abi.h
};
constexpr auto choices(Protocol) {
  using C = schema::Choice<Protocol>;
  return std::array{C{Protocol::frames, "nuclio-wire-1"}, C{Protocol::nuclio_1, "nuclio-1"},
                    C{Protocol::cpp_object, "cpp-object"}};
}

// What can carry frames to a worker.
inline constexpr std::string_view kRing = "ring";
inline constexpr std::string_view kSocket = "socket";

struct Runtime {
  std::string name;
  std::string description;
  std::vector<std::string> extensions;
  std::string comment;
  std::vector<std::string> versions;
  std::string handler;
  Protocol protocol = Protocol::frames;
  std::vector<std::string> transports{std::string{kSocket}};
  std::vector<std::string> prepare;
  std::vector<std::string> worker;
  std::vector<std::string> parent;
  std::map<std::string, std::string> env;
  std::string image;
  std::string image_version;
  std::string version_variable;
  std::string packages;
  std::string folder;  // absolute; not in the manifest

  template <class R = Runtime>
  static constexpr auto fields() {
    using schema::field;
    return std::tuple{
        field("name", &R::name, {.doc = "Name in spec.runtime; the folder's name.", .required = true}),
        field("description", &R::description, {.doc = "One line for people."}),
        field("extensions", &R::extensions, {.doc = "Of source files that are this runtime's, with the dot."}),
        field("comment", &R::comment, {.doc = "What begins a comment line: # or //."}),
        field("versions", &R::versions, {.doc = "Versions that spec.runtime may name after a colon; none when empty."}),
        field("handler", &R::handler,
              {.doc = "The handler when the spec has none; {module} is the file's name without extension."}),
        field("protocol", &R::protocol, {.doc = "How the processor speaks to a worker."}),
        field("transports", &R::transports,
              {.doc = "What can carry frames to a worker, the best first: ring, socket."}),
        field("prepare", &R::prepare, {.doc = "Program that makes copied code ready to run, an argument an element."}),
        field("worker", &R::worker, {.doc = "Program that is a worker, an argument an element."}),
        field("parent", &R::parent,
              {.doc = "Program that forks workers when it is asked to; each is started by its command when empty."}),
        field("env", &R::env, {.doc = "Environment of both programs, under the function's own."}),
        field("image", &R::image,
              {.doc = "Image that images of functions begin with when spec.build.baseImage is empty."}),
        field("imageVersion", &R::image_version, {.doc = "The {version} in it when spec.runtime names none."}),
        field("versionVariable", &R::version_variable,
              {.doc = "Environment variable in which such images say their version of the language."}),
        field("packages", &R::packages,
              {.doc = "What prepare makes that changes with the packages a function asks for, and not with its code."}),
    };
  }
};

// Whether frames can go this way to the runtime's workers.
bool speaks(const Runtime& runtime, std::string_view transport);

// Reads <folder>/runtime.json. The error names the file and everything that is wrong in it.
Result<Runtime> load_runtime(const std::string& folder);

// All runtimes of a folder that has one folder a runtime, by name. Folders without a manifest are none of them.
Result<std::vector<Runtime>> load_runtimes(const std::string& folder);

// The parts of spec.runtime: "python:3.11" is {"python", "3.11"}, "python" is {"python", ""}.
struct RuntimeName {
  std::string name;
  std::string version;
};
RuntimeName split_runtime(std::string_view text);

// The runtime that spec.runtime names. Why::invalid lists those there are, or its versions. The result is borrowed from
// `runtimes`.
Result<const Runtime*> find_runtime(std::span<const Runtime> runtimes, std::string_view text);
// The runtime whose source files end like this one; null when none does.
const Runtime* runtime_of_file(std::span<const Runtime> runtimes, std::string_view file_name);

// The folder within a function's code where a runtime keeps what it prepared.
inline constexpr std::string_view kPreparedFolder = ".nuclio";

// Values for the {names} in a manifest's commands, with those that every command has: {runtime} is the runtime's
// folder, {code} the function's code, {out} the folder for what is prepared, within the code.
std::map<std::string, std::string, std::less<>> placeholders(const Runtime& runtime, const std::string& code);

// The command with each {name} replaced. An element that is nothing but a {name} whose value is empty is left out
// together with a flag ("--x") before it. Why::invalid for a name that nobody gave a value.
Result<std::vector<std::string>> expand(std::span<const std::string> command,
                                        const std::map<std::string, std::string, std::less<>>& values);

}  // namespace nuclio::wire
