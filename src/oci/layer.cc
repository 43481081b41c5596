// SPDX-License-Identifier: Apache-2.0
#include "oci/layer.h"

#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <utility>

#include "oci/archive_reader.h"
#include "oci/gzip_writer.h"
#include "oci/put_file.h"
#include "oci/tar_writer.h"

namespace nuclio::oci {
namespace {

constexpr std::size_t kEntriesBetweenYields = 200;

struct Source {
  std::string path;
  TarEntry entry;
};
// By name, in the order of their bytes.
using Sources = std::map<std::string, Source>;

Result<std::string> clean_target(std::string_view to) {
  const auto wrong = [&] {
    return fail(Why::invalid,
                "the place of a file in an image must be a relative path without \".\" and \"..\", is \"" +
                    std::string(to.substr(0, 200)) + "\"");
  };
  if (to.empty() || to.size() > PATH_MAX || to.find('\0') != std::string_view::npos) return wrong();
  for (std::string_view rest = to;;) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return wrong();
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  return std::string(to);
}

// Finds out what is to be written, without opening a file.
class Collector {
 public:
  Collector(Loop& loop, const LayerOptions& options) : loop_(loop), options_(options) {}

  Task<Result<void>> add(const std::string& from, const std::string& to) {
    std::vector<std::pair<std::string, std::string>> open{{from, to}};
    while (!open.empty()) {
      auto [path, name] = std::move(open.back());
      open.pop_back();
      CO_TRY(const bool is_folder, add_one(path, name));
      if (is_folder) CO_TRY_DO(list(path, name, open));
      if (++seen_ % kEntriesBetweenYields == 0) co_await loop_.yield();
    }
    co_return Result<void>{};
  }
  Sources take() { return std::move(sources_); }

 private:
  // True for a folder, whose content is still to be added.
  Result<bool> add_one(const std::string& path, const std::string& name) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) return fail_errno("reading " + path);
    TarEntry entry{.name = name, .modified = options_.modified};
    if (S_ISDIR(status.st_mode)) {
      entry.kind = TarEntry::Kind::folder;
      entry.mode = 0755;
    } else if (S_ISLNK(status.st_mode)) {
      entry.kind = TarEntry::Kind::link;
      entry.mode = 0777;
      std::array<char, PATH_MAX> target;
      const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
      if (size < 0) return fail_errno("reading " + path);
      entry.target.assign(target.data(), static_cast<std::size_t>(size));
    } else if (S_ISREG(status.st_mode)) {
      entry.mode = status.st_mode & S_IXUSR ? 0755 : 0644;
      entry.size = Bytes{static_cast<std::uint64_t>(status.st_size)};
    } else {
      return fail(Why::invalid, path + " is neither file, folder nor symbolic link, and cannot be put into an image");
    }
    const std::string_view last = std::string_view(name).substr(name.rfind('/') + 1);
    if (last.starts_with(".wh."))
      return fail(Why::invalid,
                  path + ": a name that begins with \".wh.\" would delete a file of the image; rename it");
    total_ += entry.size.count;
    const LayerLimits& limits = options_.limits;
    if (total_ > limits.total.count)
      return fail(Why::too_large, "a layer must have at most " + std::to_string(limits.total.count) + " bytes; with " +
                                      path + " it has more");
    const bool is_folder = entry.kind == TarEntry::Kind::folder;
    const auto [at, is_new] = sources_.try_emplace(name, Source{path, std::move(entry)});
    if (!is_new && !(is_folder && at->second.entry.kind == TarEntry::Kind::folder))
      return fail(Why::conflict, path + " and " + at->second.path + " would both be /" + name + " in the image");
    if (sources_.size() > limits.entries)
      return fail(Why::too_large, "a layer must have at most " + std::to_string(limits.entries) +
                                      " files and folders; with " + path + " it has more");
    return is_folder;
  }

  Result<void> list(const std::string& path, const std::string& name,
                    std::vector<std::pair<std::string, std::string>>& open) const {
    if (std::ranges::count(name, '/') >= static_cast<std::ptrdiff_t>(options_.limits.depth))
      return fail(Why::too_large,
                  path + ": folders must be nested at most " + std::to_string(options_.limits.depth) + " deep");
    const std::unique_ptr<DIR, int (*)(DIR*)> folder{::opendir(path.c_str()), ::closedir};
    if (!folder) return fail_errno("reading " + path);
    while (const dirent* found = ::readdir(folder.get())) {
      const std::string_view entry = found->d_name;
      if (entry == "." || entry == "..") continue;
      open.emplace_back(path + "/" + std::string(entry), name + "/" + std::string(entry));
    }
    return {};
  }

  Loop& loop_;
  const LayerOptions& options_;
  Sources sources_;
  std::uint64_t total_ = 0;
  std::size_t seen_ = 0;
};

}  // namespace

// Bytes go tar, gzip, file, and are summed up before and behind the gzip.
struct LayerWriter::State {
  State(const Layout& layout, NewFile file) : layout(layout), file(std::move(file)) {}

  Layout layout;
  NewFile file;
  Sha256 inside;
  Sha256 outside;
  std::uint64_t size = 0;
  GzipWriter gzip{[this](std::string_view bytes) {
    outside.update(bytes);
    size += bytes.size();
    return file.write(bytes);
  }};
};

LayerWriter::LayerWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
LayerWriter::LayerWriter(LayerWriter&&) noexcept = default;
LayerWriter::~LayerWriter() = default;

Result<LayerWriter> LayerWriter::create(const Layout& layout) {
  TRY(NewFile file, layout.new_blob());
  return LayerWriter{std::make_unique<State>(layout, std::move(file))};
}

Result<void> LayerWriter::write(std::string_view tar) {
  state_->inside.update(tar);
  return state_->gzip.write(tar);
}

Result<Layer> LayerWriter::finish() {
  State& state = *state_;
  TRY_DO(state.gzip.finish());
  Layer layer{{std::string(media::kLayerGzip), state.outside.finish(), Bytes{state.size}}, state.inside.finish()};
  TRY_DO(state.layout.keep(state.file, layer.blob.digest));
  return layer;
}

Task<Result<Layer>> write_layer(Loop& loop, const Layout& layout, std::vector<LayerPart> parts, LayerOptions options) {
  Collector collector{loop, options};
  for (const LayerPart& part : parts) {
    CO_TRY(const std::string to, clean_target(part.to));
    CO_TRY_DO(co_await collector.add(part.from, to));
  }
  const Sources sources = collector.take();

  CO_TRY(LayerWriter layer, LayerWriter::create(layout));
  TarWriter tar{[&](std::string_view bytes) { return layer.write(bytes); }};
  std::size_t written = 0;
  for (const auto& [name, source] : sources) {
    if (source.entry.kind == TarEntry::Kind::file) {
      CO_TRY_DO(co_await put_file(loop, tar, source.entry, source.path));
    } else {
      CO_TRY_DO(tar.begin(source.entry));
    }
    if (++written % kEntriesBetweenYields == 0) co_await loop.yield();
  }
  CO_TRY_DO(tar.finish());
  co_return layer.finish();
}

Task<Result<Digest>> find_diff_id(Loop& loop, std::string file, Bytes most) {
  CO_TRY(ArchiveReader reader, ArchiveReader::open_uncompressed(file));
  Sha256 sum;
  for (std::uint64_t size = 0;;) {
    CO_TRY(const std::string_view piece, reader.read());
    if (piece.empty()) co_return sum.finish();
    size += piece.size();
    if (size > most.count)
      co_return fail(Why::too_large, file + " must have at most " + std::to_string(most.count) + " bytes uncompressed");
    sum.update(piece);
    co_await loop.yield();
  }
}

}  // namespace nuclio::oci
