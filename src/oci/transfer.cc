// SPDX-License-Identifier: Apache-2.0
#include "oci/transfer.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "oci/parallel.h"

namespace nuclio::oci {
namespace {

Task<Result<void>> pull_blob(Registry& from, const Repository& repository, const Blob& blob, const Layout& layout,
                             Deadline deadline) {
  CO_TRY(NewFile file, layout.new_blob());
  Sink sink = [&file](std::string_view bytes) { return file.write(bytes); };
  CO_TRY_DO(co_await from.read_blob(repository, blob, std::move(sink), deadline));
  co_return layout.keep(file, blob.digest);
}

Result<void> check_size(const Manifest& manifest, Bytes largest) {
  std::uint64_t total = 0;
  for (const Blob& layer : manifest.layers) {
    total += layer.size.count;
    if (layer.size > largest || total > largest.count)
      return fail(Why::too_large, "the image's layers must have at most " + std::to_string(largest.count) +
                                      " bytes together, have more");
  }
  return {};
}

// One push, whose blobs are on their way at the same time.
struct Push {
  Registry& to;
  const Repository& repository;
  const Layout& layout;
  const std::optional<Origin>& origin;
  Deadline deadline;
  PushReport& report;
};

Task<Result<void>> push_layer(Push& push, const Blob& blob) {
  CO_TRY(const bool there, co_await push.to.has_blob(push.repository, blob.digest, push.deadline));
  if (there) {
    ++push.report.present;
    co_return Result<void>{};
  }
  const bool of_base = push.origin && std::ranges::find(push.origin->base->layers, blob.digest, &Blob::digest) !=
                                          push.origin->base->layers.end();
  if (of_base && push.origin->registry->host() == push.to.host() && push.origin->repository != push.repository) {
    CO_TRY(const bool mounted, co_await push.to.mount_blob(push.repository, blob.digest,
                                                           MountFrom{push.origin->repository.value()}, push.deadline));
    if (mounted) {
      ++push.report.mounted;
      co_return Result<void>{};
    }
  }
  if (!push.layout.has(blob)) {
    if (!of_base)
      co_return fail(Why::not_found, "the layer " + blob.digest.text() + " is neither in " + push.layout.folder() +
                                         " nor in the registry " + push.to.host());
    CO_TRY_DO(co_await pull_blob(*push.origin->registry, push.origin->repository, blob, push.layout, push.deadline));
  }
  std::variant<std::string, BlobFile> bytes = BlobFile{push.layout.path(blob.digest)};
  CO_TRY_DO(co_await push.to.upload_blob(push.repository, blob, std::move(bytes), push.deadline));
  ++push.report.uploaded;
  push.report.sent.count += blob.size.count;
  co_return Result<void>{};
}

Task<Result<void>> push_config(Push& push, const Blob& blob, const std::string& config) {
  CO_TRY(const bool there, co_await push.to.has_blob(push.repository, blob.digest, push.deadline));
  if (there) co_return Result<void>{};
  std::variant<std::string, BlobFile> bytes = config;
  CO_TRY_DO(co_await push.to.upload_blob(push.repository, blob, std::move(bytes), push.deadline));
  push.report.sent.count += blob.size.count;
  co_return Result<void>{};
}

Task<Result<Image>> fetch_image(Registry& from, const Repository& repository, const Version& version,
                                const Platform& platform, Deadline deadline) {
  CO_TRY(Found found, co_await from.manifest(repository, version, deadline));
  CO_TRY(auto parsed, parse_manifest(found.media_type, std::move(found.text)));
  if (const auto* index = std::get_if<Index>(&parsed)) {
    CO_TRY(const Blob chosen, choose(*index, platform));
    CO_TRY(found, co_await from.manifest(repository, Version{chosen.digest.text()}, deadline));
    CO_TRY(parsed, parse_manifest(found.media_type, std::move(found.text)));
    if (std::holds_alternative<Index>(parsed)) co_return fail(Why::invalid, "it is an index that lists another index");
  }
  Image image{std::get<Manifest>(std::move(parsed)), {}};
  CO_TRY(image.config, co_await from.read_blob_text(repository, image.manifest.config, kMaxConfig, deadline));
  CO_TRY_DO(check_config(image.manifest, image.config, platform));
  co_return std::move(image);
}

}  // namespace

Task<Result<Image>> find_image(Registry& from, Repository repository, Version version, Platform platform,
                               Deadline deadline) {
  auto image = co_await fetch_image(from, repository, version, platform, deadline);
  const char* mark = version.value().find(':') == std::string::npos ? ":" : "@";
  // What the registry says names itself; what the image is needs its name.
  if (!image && (image.error().why == Why::invalid || image.error().why == Why::not_found))
    co_return fail(
        std::move(image).error().in("the image " + from.host() + "/" + repository.value() + mark + version.value()));
  co_return image;
}

Task<Result<void>> pull_layers(Loop& loop, Registry& from, Repository repository, const Image& image,
                               const Layout& layout, TransferOptions options, Deadline deadline) {
  CO_TRY_DO(check_size(image.manifest, options.largest));
  std::vector<Task<Result<void>>> tasks;
  for (const Blob& layer : image.manifest.layers)
    if (!layout.has(layer)) tasks.push_back(pull_blob(from, repository, layer, layout, deadline));
  co_return co_await in_parallel(loop, options.at_once, std::move(tasks));
}

Result<Image> read_image(const Layout& layout, const Blob& manifest) {
  TRY(std::string text, layout.read(manifest, kMaxManifest));
  TRY(auto parsed, parse_manifest(manifest.media_type, std::move(text)));
  auto* single = std::get_if<Manifest>(&parsed);
  if (!single) return fail(Why::invalid, layout.folder() + " must have an image, has an index of several");
  TRY(std::string config, layout.read(single->config, kMaxConfig));
  return Image{std::move(*single), std::move(config)};
}

Result<void> copy_image(const Layout& from, const Image& image, const Layout& to) {
  for (const Blob& layer : image.manifest.layers) TRY_DO(to.take(layer, from, Layout::Share::no));
  TRY_DO(to.add(media::kConfig, image.config));
  TRY_DO(to.add(image.manifest.media_type, image.manifest.text));
  return {};
}

Task<Result<PushReport>> push_image(Loop& loop, Registry& to, Repository repository, Version tag, const Image& image,
                                    const Layout& layout, std::optional<Origin> origin, TransferOptions options,
                                    Deadline deadline) {
  const Manifest& manifest = image.manifest;
  PushReport report{.digest = Digest::of(manifest.text), .sent = {}};
  CO_TRY_DO(check_size(manifest, options.largest));
  CO_TRY(const auto before, co_await to.digest_of(repository, tag, deadline));
  if (before == report.digest) {
    report.unchanged = true;
    co_return std::move(report);
  }
  Push push{to, repository, layout, origin, deadline, report};
  std::vector<Task<Result<void>>> tasks;
  std::vector<Digest> seen;  // the same layer may be there twice, such as an empty one
  for (const Blob& layer : manifest.layers) {
    if (std::ranges::find(seen, layer.digest) != seen.end()) continue;
    seen.push_back(layer.digest);
    tasks.push_back(push_layer(push, layer));
  }
  tasks.push_back(push_config(push, manifest.config, image.config));
  CO_TRY_DO(co_await in_parallel(loop, options.at_once, std::move(tasks)));
  // From here on all that the manifest names is there.
  CO_TRY_DO(co_await to.put_manifest(repository, tag, manifest.blob(), manifest.text, deadline));
  co_return std::move(report);
}

}  // namespace nuclio::oci
