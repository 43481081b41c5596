// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "builder/commands.h"
#include "builder/image_plan.h"
#include "builder/layer_cache.h"
#include "builder/program.h"
#include "builder/source.h"
#include "http/client.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "loop/wait_list.h"
#include "oci/archive.h"
#include "oci/keychain.h"
#include "oci/registry.h"
#include "oci/transfer.h"

namespace nuclio::builder {

// Who makes an image of what we have prepared: we ourselves, of layers, or docker or buildah of a Dockerfile, which
// know all of its instructions.
enum class BuilderKind { layers, docker, buildah };
// From the words of NUCLIO_CONTAINER_BUILDER_KIND; "kaniko", which Nuclio had for clusters without docker, is `layers`
// here, and so is "". Why::invalid lists them.
Result<BuilderKind> parse_builder_kind(std::string_view text);

struct ImageBuilderOptions {
  BuilderKind kind = BuilderKind::layers;
  std::string cache;                     // kept between builds and shared by processes; made when it does not exist
  std::string parts;                     // what images have of ours: the folder with `processor` and `lib`
  std::string program;                   // our `builder`, which runs commands
  std::vector<std::string> environment;  // of the runtimes' programs: "NAME=value"
  std::vector<std::string> engine_environment;  // of buildah and docker: whose user's tools they are
  oci::RegistryOptions registries;              // `plain_http` is each image's own business
  std::size_t at_once = 2;  // builds that work; others wait. What they keep in memory is their programs'
  Bytes keep{10ull << 30};  // of the cache's layers
};

// An image as a file or folder of this machine.
struct ImageFile {
  enum class Kind { docker_archive, oci_archive, oci_layout } kind = Kind::docker_archive;
  std::string path;
};

struct ImageRequest {
  std::string folder;  // for this build alone; must not exist, and is its owner's to remove
  ImageDefaults defaults;
  std::optional<ImageFile> file;         // the image goes there, too, or there alone when no registry is named
  oci::ImageTime created = oci::kEpoch;  // SOURCE_DATE_EPOCH
  LogLine log;
  // Where commands run, borrowed; null for this machine's user namespaces.
  CommandsSandbox* commands = nullptr;
};

struct BuiltImage {
  std::string name;  // "registry.local/nuclio/processor-hello:latest"
  oci::Digest digest;
  std::optional<oci::PushReport> push;  // nothing when it was not pushed, or not by us
};

// Makes images of functions, by itself and without docker, of layers: the base's, which are not touched, the processor
// with the language's runtime, the function's packages, its code. Lives on its loop's thread and outlives its tasks;
// any number of builds may be asked for at once. Loop, client and keychain are borrowed.
//
// Equal input gives an equal image, and what a registry has already is not sent again.
class ImageBuilder {
 public:
  ImageBuilder(Loop& loop, http::Client& client, const oci::Keychain& keychain, ImageBuilderOptions options);

  // Builds and pushes. `source` is borrowed. Errors are for the function's author: Why::forbidden for a login that is
  // missing or wrong, Why::unavailable for a registry that does not answer, both before any work; Why::invalid for what
  // is wrong with the function or its base image; Why::timeout. A tag is the whole image, or what it was before.
  Task<Result<BuiltImage>> build(const Source& source, ImageRequest request, Deadline deadline);

  // What build() begins with, for who has work to do before it: that the image's name is right and may be pushed. Fine
  // when `config` says nothing of a registry. Everything is borrowed.
  Task<Result<void>> check_target(const spec::FunctionConfig& config, const ImageDefaults& defaults, Deadline deadline);

 private:
  // One build's registries and images.
  struct Build;

  std::unique_ptr<oci::Registry> registry_for(const RemoteImage& image);
  Task<Result<void>> preflight(Build& build, Deadline deadline);
  Task<Result<void>> find_base(Build& build, Deadline deadline);
  Task<Result<void>> look_up_base(Build& build, Deadline deadline);
  Task<Result<void>> stage(Build& build, Deadline deadline);
  Task<Result<void>> add_own_layers(Build& build);
  Task<Result<void>> assemble(Build& build, Deadline deadline);
  Task<Result<oci::Digest>> have_it_built(Build& build, Deadline deadline);
  Task<Result<void>> pull_base(Build& build, Deadline deadline);
  Task<Result<void>> run_steps(Build& build, const Instructions& instructions, std::size_t kept, Deadline deadline);
  static CommandsJob job_of(const Build& build, const CommandStep& step, std::size_t kept);
  Task<Result<void>> deliver(Build& build, Deadline deadline);
  Task<Result<void>> write_file(Build& build, Deadline deadline);

  class Slot;
  Loop& loop_;
  http::Client& client_;
  const oci::Keychain& keychain_;
  ImageBuilderOptions options_;
  std::optional<Result<LayerCache>> cache_;
  std::size_t working_ = 0;
  WaitList free_;
};

}  // namespace nuclio::builder
