// SPDX-License-Identifier: Apache-2.0
#include "builder/dockerfile.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>

#include "builder/image_plan.h"

namespace nuclio::builder {
namespace {

namespace json = boost::json;

// One instruction; what it says may have lines of its own, each of which goes on in the next.
std::string instruction(const std::string& kind, std::string_view value) {
  std::string text = kind + " ";
  for (const char c : value) text += c == '\n' ? std::string_view(" \\\n") : std::string_view(&c, 1);
  return text + "\n";
}

Result<std::string> directives_at(const spec::Build& build, const std::string& place) {
  std::string text;
  const auto found = build.directives.find(place);
  if (found == build.directives.end()) return text;
  for (const spec::Directive& each : found->second) {
    const bool word =
        !each.kind.empty() && std::ranges::all_of(each.kind, [](unsigned char c) { return std::isalpha(c); });
    if (!word)
      return fail(Why::invalid, "spec.build.directives." + place +
                                    ": a kind must be a Dockerfile's instruction, is \"" + each.kind + "\"");
    text += instruction(each.kind, each.value);
  }
  return text;
}

}  // namespace

Result<std::string> make_dockerfile(const spec::Build& build, const DockerfileParts& parts) {
  TRY_DO(check_places(build));
  const SplitCommands commands = split_commands(build.commands);
  std::string text = "FROM " + parts.base + "\n";
  for (const auto& [name, value] : build.args) text += "ARG " + name + "\n";
  TRY(const std::string before, directives_at(build, "preCopy"));
  text += before;
  for (const std::string& command : commands.before_copy) text += instruction("RUN", command);
  for (const std::string& archive : parts.archives) text += "ADD " + archive + " /\n";
  TRY(const std::string after, directives_at(build, "postCopy"));
  // Before what the function says, which may be something else.
  json::array words;
  for (const std::string& word : parts.command) words.push_back(json::string(word));
  text += "EXPOSE " + std::to_string(parts.port) + "\nCMD " + json::serialize(words) + "\n";
  text += "LABEL org.opencontainers.image.title=" + json::serialize(json::string(parts.title)) + "\n";
  text += after;
  for (const std::string& command : commands.after_copy) text += instruction("RUN", command);
  return text;
}

}  // namespace nuclio::builder
