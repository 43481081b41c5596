// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/limits.h"
#include "http/message.h"
#include "http/parser.h"

namespace nuclio::http {

// The header fields of one request of HTTP/2 as they arrive, and the request that they make. Without I/O; bounded by
// the limits: what goes beyond is not kept.
class Http2Head {
 public:
  // One field, pseudo fields (":path") included, whose form HTTP/2 has been checked for.
  void add(std::string_view name, std::string_view value, const Limits& limits);
  // After the last: nothing, or why the request is refused.
  std::optional<Refusal> finish(const Limits& limits);

  // After finish() found nothing:
  std::string_view method() const { return of(method_); }
  std::optional<std::uint64_t> content_length() const { return content_length_; }
  bool expects_continue() const { return expects_continue_; }
  // Sets method, target, path, query and headers of `request`, as views into this.
  void fill(Request& request) const;

 private:
  struct Slice {
    std::uint32_t at = 0;
    std::uint32_t size = 0;
  };
  struct Field {
    Slice name;
    Slice value;
  };
  Slice keep(std::string_view text);
  std::string_view of(Slice slice) const { return std::string_view(text_).substr(slice.at, slice.size); }
  void pseudo(std::string_view name, std::string_view value);
  void known(std::string_view name, std::string_view value);
  void refuse(int status, std::string_view reason);

  std::string text_;
  std::string cookies_;
  std::vector<Field> fields_;
  Slice method_;
  Slice target_;
  Slice authority_;
  Slice host_;
  std::size_t bytes_ = 0;  // of all fields, those that are not kept too
  std::size_t count_ = 0;
  std::optional<std::uint64_t> content_length_;
  bool expects_continue_ = false;
  std::optional<Refusal> refusal_;
};

}  // namespace nuclio::http
