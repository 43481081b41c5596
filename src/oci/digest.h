// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <compare>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nuclio::oci {

// What content is called in a registry: the SHA-256 of its bytes, "sha256:" and 64 small hex digits.
class Digest {
 public:
  // Why::invalid for anything else, other algorithms too: no registry in use names content by another one.
  static Result<Digest> parse(std::string_view text);
  static Digest of(std::string_view bytes);

  const std::string& text() const { return text_; }
  std::string_view hex() const { return std::string_view(text_).substr(7); }
  friend auto operator<=>(const Digest&, const Digest&) = default;

 private:
  friend class Sha256;
  explicit Digest(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// The digest of bytes that come piece by piece.
class Sha256 {
 public:
  Sha256();
  void update(std::string_view bytes);
  Digest finish();  // once, at the end

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;
};

}  // namespace nuclio::oci
