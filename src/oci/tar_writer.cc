// SPDX-License-Identifier: Apache-2.0
#include "oci/tar_writer.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "base/check.h"

namespace nuclio::oci {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kLongestField = 100;
constexpr std::uint64_t kLargestOctal = 077777777777;  // eleven digits
constexpr std::uint32_t kLargestOwner = 07777777;      // seven

// The layout that POSIX.1-1988 gave it.
struct Header {
  std::array<char, 100> name;
  std::array<char, 8> mode, owner, group;
  std::array<char, 12> size, modified;
  std::array<char, 8> sum;
  char type;
  std::array<char, 100> target;
  std::array<char, 8> magic;
  std::array<char, 32> owner_name, group_name;
  std::array<char, 8> device_major, device_minor;
  std::array<char, 155> prefix;
  std::array<char, 12> padding;
};
static_assert(sizeof(Header) == kBlock);

template <std::size_t N>
void put_text(std::array<char, N>& field, std::string_view text) {
  std::ranges::copy(text.substr(0, N), field.begin());
}
template <std::size_t N>
void put_octal(std::array<char, N>& field, std::uint64_t number) {
  std::snprintf(field.data(), N, "%0*llo", static_cast<int>(N - 1), static_cast<unsigned long long>(number));
}

bool fits(std::string_view text) {
  return text.size() <= kLongestField && std::ranges::all_of(text, [](unsigned char c) { return c < 0x80; });
}

char type_of(TarEntry::Kind kind) {
  switch (kind) {
    case TarEntry::Kind::file: return '0';
    case TarEntry::Kind::hard_link: return '1';
    case TarEntry::Kind::link: return '2';
    case TarEntry::Kind::folder: return '5';
  }
  return '0';
}

// "22 path=some/long/name\n", where the number counts itself.
std::string record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t size = rest + 1;
  while (std::to_string(size).size() + rest != size) ++size;
  return std::to_string(size) + " " + std::string(key) + "=" + std::string(value) + "\n";
}

}  // namespace

Result<void> TarWriter::header(std::string_view name, char type, const TarEntry& entry, std::uint64_t size) {
  Header header{};
  put_text(header.name, name);
  put_octal(header.mode, static_cast<std::uint64_t>(entry.mode));
  put_octal(header.owner, std::min(entry.owner, kLargestOwner));
  put_octal(header.group, std::min(entry.group, kLargestOwner));
  put_octal(header.size, std::min(size, kLargestOctal));
  put_octal(header.modified, std::clamp<std::int64_t>(entry.modified.time_since_epoch().count(), 0, kLargestOctal));
  header.type = type;
  put_text(header.target, entry.target);
  put_text(header.magic, std::string_view("ustar\00000", 8));
  put_octal(header.device_major, 0);
  put_octal(header.device_minor, 0);
  header.sum.fill(' ');
  unsigned sum = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(&header);
  for (std::size_t i = 0; i < kBlock; ++i) sum += bytes[i];
  std::snprintf(header.sum.data(), header.sum.size(), "%06o", sum);
  return sink_({reinterpret_cast<const char*>(&header), kBlock});
}

Result<void> TarWriter::begin(const TarEntry& entry) {
  TRY_DO(pad());
  std::string name = entry.name;
  if (entry.kind == TarEntry::Kind::folder) name += '/';
  const bool is_file = entry.kind == TarEntry::Kind::file;
  std::string pax;
  if (!fits(name)) pax += record("path", name);
  if (!fits(entry.target)) pax += record("linkpath", entry.target);
  if (is_file && entry.size.count > kLargestOctal) pax += record("size", std::to_string(entry.size.count));
  if (entry.owner > kLargestOwner) pax += record("uid", std::to_string(entry.owner));
  if (entry.group > kLargestOwner) pax += record("gid", std::to_string(entry.group));
  if (!pax.empty()) {
    TRY_DO(header("PaxHeader", 'x', {}, pax.size()));
    size_ = pax.size();
    TRY_DO(sink_(pax));
    TRY_DO(pad());
  }
  TRY_DO(header(name, type_of(entry.kind), entry, is_file ? entry.size.count : 0));
  size_ = left_ = is_file ? entry.size.count : 0;
  return {};
}

Result<void> TarWriter::data(std::string_view bytes) {
  CHECK(bytes.size() <= left_);
  left_ -= bytes.size();
  return sink_(bytes);
}

Result<void> TarWriter::pad() {
  CHECK(left_ == 0);
  static constexpr std::array<char, kBlock> kZeros{};
  const std::size_t behind = size_ % kBlock;
  size_ = 0;
  if (behind == 0) return {};
  return sink_({kZeros.data(), kBlock - behind});
}

Result<void> TarWriter::finish() {
  TRY_DO(pad());
  return sink_(std::string(2 * kBlock, '\0'));
}

}  // namespace nuclio::oci
