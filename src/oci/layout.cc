// SPDX-License-Identifier: Apache-2.0
#include "oci/layout.h"

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>

#include "oci/json.h"
#include "schema/json.h"

namespace nuclio::oci {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::string_view kMark = R"({"imageLayoutVersion":"1.0.0"})";

Result<void> write_file(std::string path, std::string_view text) {
  TRY(NewFile file, NewFile::create(std::move(path)));
  TRY_DO(file.write(text));
  return file.keep();
}

}  // namespace

std::string index_text(const std::vector<Index::Entry>& entries) {
  json::array list;
  for (const Index::Entry& entry : entries) {
    json::object item{{"mediaType", entry.manifest.media_type},
                      {"digest", entry.manifest.digest.text()},
                      {"size", entry.manifest.size.count}};
    if (!entry.platform.os.empty()) {
      json::object platform{{"architecture", entry.platform.architecture}, {"os", entry.platform.os}};
      if (!entry.platform.variant.empty()) platform["variant"] = entry.platform.variant;
      item["platform"] = std::move(platform);
    }
    if (!entry.annotations.empty()) {
      json::object notes;
      for (const auto& [key, value] : entry.annotations) notes[key] = value;
      item["annotations"] = std::move(notes);
    }
    list.push_back(std::move(item));
  }
  const json::object index{{"schemaVersion", 2}, {"mediaType", media::kIndex}, {"manifests", std::move(list)}};
  return json::serialize(index);
}

Result<Layout> Layout::create(std::string folder) {
  std::error_code error;
  fs::create_directories(folder + "/blobs/sha256", error);
  if (error) return fail(errno_error("making the folder " + folder + "/blobs/sha256", error.value()));
  if (!fs::exists(folder + "/oci-layout", error)) {
    TRY_DO(write_file(folder + "/index.json", index_text({})));
    TRY_DO(write_file(folder + "/oci-layout", kMark));
  }
  return open(std::move(folder));
}

Result<Layout> Layout::open(std::string folder) {
  auto mark = read_whole_file(folder + "/oci-layout", Bytes{4096});
  if (!mark && mark.error().why == Why::not_found)
    return fail(Why::not_found, folder + " is no OCI image layout: it has no file oci-layout");
  if (!mark) return fail(std::move(mark).error());
  const auto document = schema::parse_json(*mark);
  const json::object* object = document ? document->if_object() : nullptr;
  const std::string_view version = object ? text_of(*object, "imageLayoutVersion") : std::string_view{};
  if (version != "1.0.0")
    return fail(Why::invalid, folder + "/oci-layout: imageLayoutVersion must be \"1.0.0\", is \"" +
                                  std::string(version.substr(0, 50)) + "\"");
  return Layout{std::move(folder)};
}

std::string Layout::path(const Digest& digest) const { return folder_ + "/blobs/sha256/" + std::string(digest.hex()); }

bool Layout::has(const Blob& blob) const {
  std::error_code error;
  const auto size = fs::file_size(path(blob.digest), error);
  return !error && size == blob.size.count;
}

Result<NewFile> Layout::new_blob() const { return NewFile::create(folder_ + "/blobs/sha256/new"); }

Result<void> Layout::keep(NewFile& file, const Digest& digest) const { return file.keep_as(path(digest)); }

Result<Blob> Layout::add(std::string_view media_type, std::string_view bytes) const {
  Blob blob{std::string(media_type), Digest::of(bytes), Bytes{bytes.size()}};
  if (has(blob)) return blob;
  TRY_DO(write_file(path(blob.digest), bytes));
  return blob;
}

Result<void> Layout::take(const Blob& blob, const Layout& from, Share share) const {
  if (has(blob)) return {};
  const std::string source = from.path(blob.digest);
  if (!from.has(blob)) return fail(Why::not_found, "the layer " + blob.digest.text() + " is not in " + from.folder());
  std::error_code error;
  if (share == Share::yes) {
    fs::create_hard_link(source, path(blob.digest), error);
    if (!error || error == std::errc::file_exists) return {};
  }
  TRY(NewFile file, new_blob());
  fs::copy_file(source, file.temporary_path(), fs::copy_options::overwrite_existing, error);
  if (error) return fail(errno_error("copying " + source, error.value()));
  return keep(file, blob.digest);
}

Result<std::string> Layout::read(const Blob& blob, Bytes max) const {
  TRY(std::string text, read_whole_file(path(blob.digest), max));
  if (Digest::of(text) != blob.digest)
    return fail(Why::invalid, path(blob.digest) +
                                  " does not have the bytes that its name promises; delete it and "
                                  "make it anew");
  return text;
}

Result<Index> Layout::index() const {
  const std::string path = folder_ + "/index.json";
  TRY(std::string text, read_whole_file(path, kMaxManifest));
  auto parsed = parse_manifest(media::kIndex, std::move(text));
  if (!parsed) return fail(std::move(parsed).error().in(path));
  return std::get<Index>(std::move(*parsed));
}

Result<void> Layout::name(const Blob& manifest, const std::string& name) const {
  TRY(Index index, this->index());
  std::erase_if(index.manifests, [&](const Index::Entry& entry) {
    const auto named = entry.annotations.find(std::string(kRefName));
    return named != entry.annotations.end() && named->second == name;
  });
  index.manifests.push_back({manifest, {.os = ""}, {{std::string(kRefName), name}}});
  return write_file(folder_ + "/index.json", index_text(index.manifests));
}

Result<Blob> Layout::find(const std::string& name) const {
  TRY(const Index index, this->index());
  std::string names;
  for (const Index::Entry& entry : index.manifests) {
    const auto named = entry.annotations.find(std::string(kRefName));
    const std::string its = named == entry.annotations.end() ? "" : named->second;
    if ((name.empty() && index.manifests.size() == 1) || (!name.empty() && its == name)) return entry.manifest;
    names += (names.empty() ? "" : ", ") + (its.empty() ? entry.manifest.digest.text() : its);
  }
  const std::string there = names.empty() ? "none at all" : names.substr(0, 500);
  return fail(Why::not_found,
              folder_ + (name.empty() ? " must have one image, has " : " has no image " + name + ", it has ") + there);
}

}  // namespace nuclio::oci
