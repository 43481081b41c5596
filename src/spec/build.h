// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "schema/schema.h"

namespace nuclio::spec {

using schema::field;

enum class CodeEntryType { implicit, source_code, archive, git, github, s3, image, jar };
constexpr auto choices(CodeEntryType) {
  using schema::Choice;
  return std::array{Choice<CodeEntryType>{CodeEntryType::implicit, ""},
                    Choice<CodeEntryType>{CodeEntryType::source_code, "sourceCode"},
                    Choice<CodeEntryType>{CodeEntryType::archive, "archive"},
                    Choice<CodeEntryType>{CodeEntryType::git, "git"},
                    Choice<CodeEntryType>{CodeEntryType::github, "github"},
                    Choice<CodeEntryType>{CodeEntryType::s3, "s3"},
                    Choice<CodeEntryType>{CodeEntryType::image, "image"},
                    Choice<CodeEntryType>{CodeEntryType::jar, "jar"}};
}

enum class BuildMode { when_needed, never, always };
constexpr auto choices(BuildMode) {
  using schema::Choice;
  return std::array{Choice<BuildMode>{BuildMode::when_needed, ""}, Choice<BuildMode>{BuildMode::never, "neverBuild"},
                    Choice<BuildMode>{BuildMode::always, "alwaysBuild"}};
}

struct Directive {
  std::string kind;
  std::string value;

  template <class D = Directive>
  static constexpr auto fields() {
    return std::tuple{
        field("kind", &D::kind, {.doc = "A Dockerfile instruction, such as ENV.", .required = true}),
        field("value", &D::value, {.doc = "What follows the instruction."}),
    };
  }
};

struct CodeEntryAttributes {
  std::string branch;
  std::string tag;
  std::string reference;
  std::string username;
  std::string password;
  std::string work_dir;
  std::map<std::string, std::string> headers;
  std::string s3_bucket;
  std::string s3_item_key;
  std::string s3_region;
  std::string s3_access_key_id;
  std::string s3_secret_access_key;
  std::string s3_session_token;
  std::string s3_endpoint;

  template <class A = CodeEntryAttributes>
  static constexpr auto fields() {
    return std::tuple{
        field("branch", &A::branch, {.doc = "Branch to take (git, github)."}),
        field("tag", &A::tag, {.doc = "Tag to take instead of a branch (git)."}),
        field("reference", &A::reference,
              {.doc = "Full reference such as refs/heads/main, or a commit, instead of a branch or tag (git)."}),
        field("username", &A::username, {.doc = "User name for the repository (git)."}),
        field("password", &A::password, {.doc = "Password or access token for the repository (git).", .secret = true}),
        field("workDir", &A::work_dir, {.doc = "Directory within the source that holds the function."}),
        field("headers", &A::headers,
              {.doc = "HTTP headers of the download, such as Authorization (archive, github, git).", .secret = true}),
        field("s3Bucket", &A::s3_bucket, {.doc = "Bucket (s3)."}),
        field("s3ItemKey", &A::s3_item_key, {.doc = "Key of the archive within the bucket (s3)."}),
        field("s3Region", &A::s3_region, {.doc = "Region of the bucket (s3)."}),
        field("s3AccessKeyId", &A::s3_access_key_id, {.doc = "Access key (s3)."}),
        field("s3SecretAccessKey", &A::s3_secret_access_key, {.doc = "Secret of the access key (s3).", .secret = true}),
        field("s3SessionToken", &A::s3_session_token, {.doc = "Token of a temporary access key (s3).", .secret = true}),
        field("s3Endpoint", &A::s3_endpoint,
              {.doc = "URL of a store that speaks S3, such as http://minio:9000; Amazon's when empty (s3)."}),
    };
  }
};

// How a function's code becomes something that runs.
struct Build {
  std::string path;
  std::string function_source_code;
  std::map<std::string, std::string> files;
  std::string function_config_path;
  std::string temp_dir;
  std::string registry;
  std::string base_image_registry;
  std::string image;
  bool no_base_images_pull = false;
  bool no_cache = false;
  bool no_cleanup = false;
  std::string base_image;
  std::vector<std::string> commands;
  std::map<std::string, std::vector<Directive>> directives;
  std::vector<std::string> script_paths;
  std::map<std::string, std::string> added_paths;
  std::vector<std::string> dependencies;
  std::string onbuild_image;
  bool offline = false;
  boost::json::object runtime_attributes;
  CodeEntryType code_entry_type = CodeEntryType::implicit;
  CodeEntryAttributes code_entry_attributes;
  std::int64_t timestamp = 0;
  std::optional<int> build_timeout_seconds;
  BuildMode mode = BuildMode::when_needed;
  std::map<std::string, std::string> args;
  std::vector<std::string> flags;
  std::string builder_service_account;

  template <class B = Build>
  static constexpr auto fields() {
    return std::tuple{
        field("path", &B::path, {.doc = "File, directory or URL that holds the function's code."}),
        field("functionSourceCode", &B::function_source_code,
              {.doc = "The function's code itself, as base64; instead of a path."}),
        field("files", &B::files,
              {.doc = "What belongs to functionSourceCode: further files, each as base64, by their paths in the code's "
                      "folder, such as lib/prices.py or requirements.txt."}),
        field("functionConfigPath", &B::function_config_path,
              {.doc = "Path of the function's configuration file; function.yaml beside the code when empty."}),
        field("tempDir", &B::temp_dir, {.doc = "Directory for temporary files of the build; TMPDIR when empty."}),
        field("registry", &B::registry,
              {.doc = "Registry to push the image to: HOST[:PORT][/PATH], with http:// in front when it speaks plain "
                      "HTTP."}),
        field("baseImageRegistry", &B::base_image_registry,
              {.doc = "Registry of the base image when its name has none, written as registry is."}),
        field("image", &B::image,
              {.doc = "Name of the image in its registry; nuclio/processor-NAME:latest when empty."}),
        field("noBaseImagesPull", &B::no_base_images_pull,
              {.doc = "Use the base image as it was found before, without asking its registry.",
               .also = "noBaseImagePull"}),
        field("noCache", &B::no_cache, {.doc = "Run the build's commands anew, though nothing has changed."}),
        field("noCleanup", &B::no_cleanup, {.doc = "Keep the temporary files of the build."}),
        field("baseImage", &B::base_image,
              {.doc = "Image that the function's image is based on; the runtime's own when empty. A digest pins it."}),
        field("commands", &B::commands,
              {.doc =
                   "Commands that prepare the image, such as pip install; @nuclio.postCopy begins those that run after "
                   "the code is in place."}),
        field("directives", &B::directives,
              {.doc = "Dockerfile instructions by place, preCopy or postCopy: RUN, ENV, ARG, LABEL, USER, WORKDIR, "
                      "EXPOSE, ENTRYPOINT, CMD."}),
        field("scriptPaths", &B::script_paths, {.doc = "Scripts to run during the build.", .inert = true}),
        field("addedPaths", &B::added_paths, {.doc = "Files to add to the image: from and to.", .inert = true}),
        field("dependencies", &B::dependencies, {.doc = "Packages that the code needs.", .inert = true}),
        field("onbuildImage", &B::onbuild_image,
              {.doc = "Image that carries the processor and the runtime's wrapper.", .inert = true}),
        field("offline", &B::offline,
              {.doc =
                   "Build without a network: commands run without one, and the base image is as it was found before."}),
        field("runtimeAttributes", &B::runtime_attributes, {.doc = "Settings of the runtime's build.", .inert = true}),
        field("codeEntryType", &B::code_entry_type,
              {.doc = "Where the code comes from; found out from path and functionSourceCode when empty."}),
        field("codeEntryAttributes", &B::code_entry_attributes, {.doc = "Details of where the code comes from."}),
        field("timestamp", &B::timestamp, {.doc = "When the last build was, in seconds since 1970."}),
        field("buildTimeoutSeconds", &B::build_timeout_seconds,
              {.doc = "Seconds that a build may take; 3600 when absent, unlimited when 0 or less."}),
        field(
            "mode", &B::mode,
            {.doc = "neverBuild deploys what was built before, alwaysBuild builds even when nothing changed; good for "
                    "one deploy."}),
        field("args", &B::args, {.doc = "Variables of the build's commands, and values of its ARG directives."}),
        field("flags", &B::flags, {.doc = "Flags of the image builder.", .inert = true}),
        field("builderServiceAccount", &B::builder_service_account,
              {.doc = "Service account of the build job.", .inert = true}),
    };
  }
};

}  // namespace nuclio::spec
