// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/digest.h"
#include "oci/layout.h"
#include "oci/manifest.h"
#include "oci/names.h"

namespace nuclio::oci {

// A file or folder of this machine, and where it is to be in an image.
struct LayerPart {
  std::string from;
  std::string to;  // relative to the image's root: "opt/nuclio", "usr/local/bin/processor"
};

struct LayerLimits {
  std::size_t entries = 200'000;
  std::size_t depth = 128;
  Bytes total{8ull << 30};
};

struct LayerOptions {
  ImageTime modified = kEpoch;  // of everything in it
  LayerLimits limits = {};
};

struct Layer {
  Blob blob;       // compressed, as registries have it
  Digest diff_id;  // of the tar within, as an image's config has it
};

// A layer in the making, whose tar comes piece by piece. One that is destroyed before finish() leaves nothing.
class LayerWriter {
 public:
  static Result<LayerWriter> create(const Layout& layout);
  LayerWriter(LayerWriter&&) noexcept;
  ~LayerWriter();

  Result<void> write(std::string_view tar);
  Result<Layer> finish();  // once; then it is in the layout

 private:
  struct State;
  explicit LayerWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Writes the parts as one layer into a layout. Equal content gives an equal layer, wherever and whenever it is made:
// entries are sorted, owned by 0:0, 0755 when their owner may execute them and 0644 otherwise. Folders above a part are
// left as the image has them. Symbolic links are kept as they are. Files are streamed, so memory does not grow with
// them; the loop goes on meanwhile.
// Why::invalid: a socket or the like, a name that begins with ".wh." (it would delete something), a `to` that leads
// out; Why::conflict: two parts make the same file, or a file changed while it was read; Why::too_large.
Task<Result<Layer>> write_layer(Loop& loop, const Layout& layout, std::vector<LayerPart> parts, LayerOptions options);

// The diff_id of a layer that others made: the digest of the tar in a file, which may be compressed with gzip or zstd.
// Why::invalid when it is damaged; Why::too_large when the tar has more than `most`.
Task<Result<Digest>> find_diff_id(Loop& loop, std::string file, Bytes most);

}  // namespace nuclio::oci
