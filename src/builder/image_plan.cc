// SPDX-License-Identifier: Apache-2.0
#include "builder/image_plan.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <charconv>

#include "base/names.h"
#include "schema/json.h"

namespace nuclio::builder {
namespace {

namespace json = boost::json;
using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kPostCopy = "@nuclio.postCopy";
constexpr std::string_view kScratch = "scratch";
constexpr std::string_view kKinds = "RUN, ENV, ARG, LABEL, USER, WORKDIR, EXPOSE, ENTRYPOINT, CMD";

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string upper(std::string_view text) {
  std::string out;
  for (const unsigned char c : text) out += static_cast<char>(std::toupper(c));
  return out;
}

Result<RemoteImage> target_image(const spec::FunctionConfig& config, const std::string& registry) {
  TRY_DO(parse_function_name(config.metadata.name));
  const RegistryPlace place = parse_registry(registry);
  std::string name = config.spec.build.image;
  if (name.empty()) {
    name = "processor-" + config.metadata.name + ":latest";
    if (place.text.find('/') == std::string::npos) name.insert(0, "nuclio/");
  }
  auto reference = parse_image_reference(place.text + "/" + name);
  if (!reference) return fail(std::move(reference).error().in("the image's name, of spec.build.registry and image"));
  if (!reference->digest.empty())
    return fail(Why::invalid, "spec.build.image must not have a digest, which is known only when it is built; is \"" +
                                  config.spec.build.image + "\"");
  // What stands before the first slash may look like a part of Docker Hub: "local/processor-x" would be pushed there.
  if (reference->registry == "docker.io" && !place.text.starts_with("docker.io") &&
      !place.text.starts_with("index.docker.io"))
    return fail(Why::invalid,
                "spec.build.registry must be HOST[:PORT][/PATH] with a dot, a port or localhost in it, is \"" +
                    registry + "\"; for Docker Hub write docker.io/" + place.text);
  return RemoteImage{std::move(*reference), place.plain_http};
}

// Whether docker would take what stands before the first slash for a registry.
bool names_registry(std::string_view image) {
  const std::size_t slash = image.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view first = image.substr(0, slash);
  return first.find_first_of(".:") != std::string_view::npos || first == "localhost";
}

Result<std::optional<RemoteImage>> base_image(const Source& source, const ImageDefaults& defaults) {
  const spec::Build& build = source.config.spec.build;
  std::string name = build.base_image;
  if (name.empty()) {
    name = source.runtime->image;
    const std::string version = source.version.empty() ? source.runtime->image_version : source.version;
    constexpr std::string_view kVersion = "{version}";
    if (const auto at = name.find(kVersion); at != std::string::npos) name.replace(at, kVersion.size(), version);
  }
  if (name.empty())
    return fail(Why::invalid, "spec.build.baseImage must be set, since the runtime " + source.runtime->name +
                                  " has no image of its own");
  if (name == kScratch) return std::optional<RemoteImage>{};
  RegistryPlace place = parse_registry(name);
  if (!names_registry(place.text)) {
    std::string registry = build.base_image_registry;
    const auto by_runtime = defaults.base_registries.find(source.runtime->name);
    if (registry.empty() && by_runtime != defaults.base_registries.end()) registry = by_runtime->second;
    if (registry.empty()) registry = defaults.base_registry;
    if (!registry.empty()) {
      place = parse_registry(registry);
      place.text += "/" + name;
    }
  }
  auto reference = parse_image_reference(place.text);
  if (!reference) return fail(std::move(reference).error().in("the base image \"" + place.text + "\""));
  return std::optional{RemoteImage{std::move(*reference), place.plain_http}};
}

// Words as a shell's, with "" and '' and \ taken away.
Result<std::vector<std::string>> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      // Kept before $, so that what is expanded later is not this one.
      if (text[i + 1] == '$') word += c;
      word += text[++i];
      in_word = true;
    } else if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        if (quote == '\'' && c == '$') word += '\\';  // as if it had one before it
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
      in_word = true;
    } else if (is_space(c)) {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != 0) return fail(Why::invalid, "a quotation mark is not closed");
  if (in_word) words.push_back(std::move(word));
  return words;
}

// "A=1 B='two words'", or "A the rest" as ENV and LABEL had it once.
Result<Pairs> parse_pairs(std::string_view text) {
  const std::string_view line = trimmed(text);
  const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
  if (line.substr(0, end).find('=') == std::string_view::npos) {
    if (end == line.size()) return fail(Why::invalid, "must be NAME=VALUE …");
    return Pairs{{std::string(line.substr(0, end)), std::string(trimmed(line.substr(end)))}};
  }
  TRY(const auto words, split_words(line));
  Pairs pairs;
  for (const std::string& word : words) {
    const std::size_t sign = word.find('=');
    if (sign == std::string::npos || sign == 0) return fail(Why::invalid, "must be NAME=VALUE …");
    pairs.emplace_back(word.substr(0, sign), word.substr(sign + 1));
  }
  return pairs;
}

std::string value_in(const Pairs& environment, std::string_view name) {
  // What came last counts.
  for (auto at = environment.rbegin(); at != environment.rend(); ++at)
    if (at->first == name) return at->second;
  return {};
}

std::string expanded(std::string_view text, const Pairs& environment) {
  const auto in_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '$') {
      out += text[++i];
      continue;
    }
    if (text[i] != '$') {
      out += text[i];
      continue;
    }
    const bool braces = i + 1 < text.size() && text[i + 1] == '{';
    const std::size_t begin = i + (braces ? 2 : 1);
    std::size_t end = begin;
    while (end < text.size() && in_name(text[end])) ++end;
    if (end == begin || (braces && (end == text.size() || text[end] != '}'))) {
      out += text[i];
      continue;
    }
    out += value_in(environment, text.substr(begin, end - begin));
    i = braces ? end : end - 1;
  }
  return out;
}

// ["a", "b"], or a line for the shell.
Result<std::vector<std::string>> parse_command(std::string_view text) {
  const std::string_view line = trimmed(text);
  if (!line.starts_with('[')) return std::vector<std::string>{"/bin/sh", "-c", std::string(line)};
  auto list = schema::parse_json(line);
  if (!list || !list->is_array()) return fail(Why::invalid, "must be a JSON list of words or a line for the shell");
  std::vector<std::string> words;
  for (const json::value& word : list->get_array()) {
    if (!word.is_string()) return fail(Why::invalid, "must be a JSON list of words or a line for the shell");
    words.emplace_back(word.get_string());
  }
  return words;
}

// Reads instructions one after the other, as docker would.
class Reader {
 public:
  Reader(const BaseSettings& base, const spec::Build& build)
      : environment_(base.environment), user_(base.user), folder_(base.working_directory) {
    for (const auto& [name, value] : build.args) argue(name, value);
  }

  Result<void> read(Instructions& into, const spec::Directive& directive) {
    const std::string kind = upper(trimmed(directive.kind));
    const std::string_view value = trimmed(directive.value);
    if (kind == "RUN") {
      run(into, value);
    } else if (kind == "ENV") {
      TRY(const Pairs pairs, parse_pairs(value));
      for (const auto& [name, text] : pairs) {
        const std::string full = expanded(text, environment_);
        argue(name, full);
        into.changes.environment.emplace_back(name, full);
      }
    } else if (kind == "ARG") {
      const std::size_t sign = value.find('=');
      // Without a value it only says that a build argument may be given.
      if (sign != std::string_view::npos && !has(value.substr(0, sign))) {
        TRY(const auto words, split_words(value.substr(sign + 1)));
        argue(std::string(value.substr(0, sign)), words.empty() ? "" : expanded(words.front(), environment_));
      }
    } else if (kind == "LABEL") {
      TRY(const Pairs pairs, parse_pairs(value));
      for (const auto& [name, text] : pairs) into.changes.labels[name] = expanded(text, environment_);
    } else if (kind == "USER") {
      user_ = expanded(value, environment_);
      into.changes.user = user_;
    } else if (kind == "WORKDIR") {
      std::string folder = expanded(value, environment_);
      if (!folder.starts_with('/')) folder = (folder_ == "/" ? "" : folder_) + "/" + folder;
      folder_ = folder;
      into.changes.working_directory = folder_;
    } else if (kind == "EXPOSE") {
      TRY_DO(expose(into, value));
    } else if (kind == "ENTRYPOINT") {
      TRY(into.changes.entrypoint, parse_command(value));
    } else if (kind == "CMD") {
      TRY(into.changes.command, parse_command(value));
    } else {
      return fail(Why::invalid, "the kind \"" + directive.kind + "\" cannot be used here, only " + std::string(kKinds) +
                                    "; put files into the function's folder or the base image");
    }
    return {};
  }

  void run(Instructions& into, std::string_view command) {
    if (command.empty()) return;
    const bool same = !into.steps.empty() && into.steps.back().user == user_ &&
                      into.steps.back().working_directory == folder_ && into.steps.back().environment == added_;
    if (!same) into.steps.push_back({{}, added_, user_, folder_});
    into.steps.back().commands.emplace_back(command);
  }

 private:
  bool has(std::string_view name) const {
    return std::ranges::any_of(added_, [&](const auto& pair) { return pair.first == name; });
  }
  void argue(const std::string& name, const std::string& value) {
    environment_.emplace_back(name, value);
    std::erase_if(added_, [&](const auto& pair) { return pair.first == name; });
    added_.emplace_back(name, value);
  }
  static Result<void> expose(Instructions& into, std::string_view value) {
    TRY(const auto words, split_words(value));
    for (const std::string& word : words) {
      const std::string_view number = std::string_view(word).substr(0, word.find('/'));
      int port = 0;
      const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), port);
      if (error != std::errc{} || end != number.data() + number.size() || port < 1 || port > 65535)
        return fail(Why::invalid, "must be ports from 1 to 65535, is \"" + word + "\"");
      into.changes.exposed_ports.push_back(port);
    }
    return {};
  }

  Pairs environment_;  // the base's, then what was added
  Pairs added_;
  std::string user_;
  std::string folder_;
};

Result<void> read_directives(Reader& reader, Instructions& into, const spec::Build& build, const std::string& place) {
  const auto found = build.directives.find(place);
  if (found == build.directives.end()) return {};
  for (std::size_t i = 0; i < found->second.size(); ++i) {
    auto done = reader.read(into, found->second[i]);
    if (!done)
      return fail(std::move(done).error().in("spec.build.directives." + place + "[" + std::to_string(i) + "] (" +
                                             found->second[i].kind + ")"));
  }
  return {};
}

}  // namespace

RegistryPlace parse_registry(std::string_view text) {
  constexpr std::string_view kHttp = "http://";
  constexpr std::string_view kHttps = "https://";
  RegistryPlace place;
  text = trimmed(text);
  if (text.starts_with(kHttp)) {
    place.plain_http = oci::PlainHttp::yes;
    text.remove_prefix(kHttp.size());
  } else if (text.starts_with(kHttps)) {
    text.remove_prefix(kHttps.size());
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  place.text = text;
  return place;
}

SplitCommands split_commands(const std::vector<std::string>& commands) {
  SplitCommands split;
  std::vector<std::string>* into = &split.before_copy;
  std::string line;
  for (const std::string& command : commands) {
    const std::string_view text = trimmed(command);
    if (line.empty() && text == kPostCopy) {
      into = &split.after_copy;
      continue;
    }
    line += text;
    if (line.ends_with('\\')) {
      line.back() = ' ';
      continue;
    }
    if (!line.empty()) into->push_back(std::exchange(line, {}));
  }
  if (!line.empty()) into->push_back(std::move(line));
  return split;
}

Result<std::optional<RemoteImage>> plan_target(const spec::FunctionConfig& config, const ImageDefaults& defaults) {
  const std::string& registry = config.spec.build.registry.empty() ? defaults.registry : config.spec.build.registry;
  if (registry.empty()) return std::optional<RemoteImage>{};
  return target_image(config, registry);
}

Result<ImagePlan> plan_image(const Source& source, const ImageDefaults& defaults) {
  ImagePlan plan;
  TRY(plan.target, plan_target(source.config, defaults));
  TRY(plan.base, base_image(source, defaults));
  // One host speaks one protocol, however often it is named.
  if (plan.target && plan.base && plan.target->name.registry == plan.base->name.registry) {
    if (plan.target->plain_http == oci::PlainHttp::yes) plan.base->plain_http = oci::PlainHttp::yes;
    if (plan.base->plain_http == oci::PlainHttp::yes) plan.target->plain_http = oci::PlainHttp::yes;
  }
  return plan;
}

Result<void> check_places(const spec::Build& build) {
  for (const auto& [place, directives] : build.directives)
    if (place != "preCopy" && place != "postCopy")
      return fail(Why::invalid, "spec.build.directives must be preCopy or postCopy, has \"" + place + "\"");
  return {};
}

Result<void> read_instructions(const spec::Build& build, const BaseSettings& base, ImagePlan& plan) {
  TRY_DO(check_places(build));
  plan.before_copy = {};
  plan.after_copy = {};
  Reader reader{base, build};
  TRY_DO(read_directives(reader, plan.before_copy, build, "preCopy"));
  const SplitCommands commands = split_commands(build.commands);
  for (const std::string& command : commands.before_copy) reader.run(plan.before_copy, command);
  TRY_DO(read_directives(reader, plan.after_copy, build, "postCopy"));
  for (const std::string& command : commands.after_copy) reader.run(plan.after_copy, command);
  return {};
}

}  // namespace nuclio::builder
