// SPDX-License-Identifier: Apache-2.0
// What an image of a function is to be, as far as that can be said without asking anybody.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/image_reference.h"
#include "base/result.h"
#include "builder/source.h"
#include "oci/exchange.h"
#include "oci/image.h"

namespace nuclio::builder {

// An image and how its registry is spoken to.
struct RemoteImage {
  ImageReference name;
  oci::PlainHttp plain_http = oci::PlainHttp::no;
};

// Commands that run one after the other in the image so far, as one user and in one folder.
struct CommandStep {
  std::vector<std::string> commands;
  std::vector<std::pair<std::string, std::string>> environment;  // beside the base's
  std::string user;
  std::string working_directory;
};

// A part of a Dockerfile without COPY: what runs, and what the image says of itself afterwards.
struct Instructions {
  std::vector<CommandStep> steps;
  oci::ConfigChanges changes;
};

struct ImagePlan {
  std::optional<RemoteImage> target;  // nothing: the image goes nowhere
  std::optional<RemoteImage> base;    // nothing: it begins with an empty one, "scratch"
  Instructions before_copy;
  Instructions after_copy;
};

// What an image says of how it is run, as far as instructions build on it.
struct BaseSettings {
  std::vector<std::pair<std::string, std::string>> environment;
  std::string user;
  std::string working_directory;
};

struct ImageDefaults {
  std::string registry;  // where to push when spec.build.registry is empty; "" for nowhere
  // By the runtime's name, as imageRegistryOverrides.baseImageRegistries of the platform.
  std::map<std::string, std::string> base_registries;
  std::string base_registry;  // of the other runtimes; "" for Docker Hub
};

// From spec.build. Why::invalid quotes the field that is wrong.
//
// A registry is HOST[:PORT][/PATH], with "http://" in front when it speaks plain HTTP, which is never guessed. The
// image is called nuclio/processor-NAME:latest there, without "nuclio/" where the registry has a path, unless
// spec.build.image says something else. The base is spec.build.baseImage or the runtime's; when it does not name a
// registry itself it is from spec.build.baseImageRegistry, else from the one that the defaults have for its runtime.
Result<ImagePlan> plan_image(const Source& source, const ImageDefaults& defaults);
// Of this, what is known before the code is: where the image will go, or nothing.
Result<std::optional<RemoteImage>> plan_target(const spec::FunctionConfig& config, const ImageDefaults& defaults);

// spec.build.commands and directives of the kinds RUN, ENV, ARG, LABEL, USER, WORKDIR, EXPOSE, ENTRYPOINT and CMD, in
// Dockerfile's order: directives, then commands, of which "@nuclio.postCopy" begins those after the code's copy. In
// ENV, LABEL and WORKDIR, $NAME and ${NAME} are what the base says and earlier instructions; in the commands the shell
// sees to that.
Result<void> read_instructions(const spec::Build& build, const BaseSettings& base, ImagePlan& plan);

// Why::invalid when spec.build.directives has places other than preCopy and postCopy.
Result<void> check_places(const spec::Build& build);

// spec.build.commands in two, at "@nuclio.postCopy", with lines that end in a backslash joined to the next.
struct SplitCommands {
  std::vector<std::string> before_copy;
  std::vector<std::string> after_copy;
};
SplitCommands split_commands(const std::vector<std::string>& commands);

// HOST[:PORT][/PATH] of a registry, and whether "http://" stood before it.
struct RegistryPlace {
  std::string text;
  oci::PlainHttp plain_http = oci::PlainHttp::no;
};
RegistryPlace parse_registry(std::string_view text);

}  // namespace nuclio::builder
