// SPDX-License-Identifier: Apache-2.0
#include "images/push_image.h"

#include <fmt/core.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <utility>

#include "http/client.h"
#include "oci/layout.h"
#include "oci/referrers.h"
#include "oci/transfer.h"

namespace nuclio::images {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr Bytes kMaxDocument{16u << 20};
constexpr auto kCheckPatience = 60s;
constexpr auto kPushPatience = 60min;  // hundreds of MB over a slow line

oci::RegistryOptions options_of(const Target& target) {
  oci::RegistryOptions options;
  options.plain_http = target.plain_http;
  return options;
}

}  // namespace

Task<Result<void>> check_target(Loop& loop, const oci::Keychain& keychain, Target target) {
  http::Client client{loop};
  oci::Registry registry{loop, client, keychain, target.image.registry, options_of(target)};
  co_return co_await registry.preflight(oci::Repository{target.image.repository}, Deadline::in(kCheckPatience));
}

Task<Result<void>> push_layout(Loop& loop, const oci::Keychain& keychain, std::string folder, std::string document,
                               Target target) {
  http::Client client{loop};
  oci::Registry registry{loop, client, keychain, target.image.registry, options_of(target)};
  const oci::Repository repository{target.image.repository};
  const Deadline deadline = Deadline::in(kPushPatience);
  CO_TRY(const oci::Layout layout, oci::Layout::open(std::move(folder)));
  CO_TRY(const oci::Index index, layout.index());
  std::optional<oci::Blob> subject;
  for (const oci::Index::Entry& entry : index.manifests) {
    const auto tag = entry.annotations.find(std::string(oci::kRefName));
    if (tag == entry.annotations.end()) continue;
    CO_TRY(const oci::Image image, oci::read_image(layout, entry.manifest));
    CO_TRY(const oci::PushReport report, co_await oci::push_image(loop, registry, repository, oci::Version{tag->second},
                                                                  image, layout, std::nullopt, {}, deadline));
    fmt::print("{}/{}:{} is {}, {} bytes sent\n", target.image.registry, repository.value(), tag->second,
               report.digest.text(), report.sent.count);
    std::fflush(stdout);
    subject = entry.manifest;
  }
  if (!subject) co_return fail(Why::invalid, layout.folder() + " must have an image with a tag, has none");
  CO_TRY(std::string bytes, oci::read_whole_file(document, kMaxDocument));
  oci::Referrers referrers{loop, client, keychain, target.image.registry, options_of(target)};
  oci::Attachment attachment{"application/spdx+json", fs::path(document).filename().string(), std::move(bytes)};
  CO_TRY(const oci::AttachReport report,
         co_await referrers.attach(repository, *subject, std::move(attachment), deadline));
  fmt::print("{}/{}@{} is what is in it, {} bytes sent\n", target.image.registry, repository.value(),
             report.digest.text(), report.sent.count);
  co_return Result<void>{};
}

}  // namespace nuclio::images
