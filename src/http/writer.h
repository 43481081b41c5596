// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace nuclio::http {

// Writes texts behind each other to where they are known to fit: a head is put together of a dozen of them, and a
// string that looks at its room for each costs more than the bytes do.
class Writer {
 public:
  static constexpr std::size_t kMostDigits = 20;  // of a number

  explicit Writer(char* at) : at_(at) {}  // borrowed
  Writer& operator<<(std::string_view text) {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    return *this;
  }
  Writer& operator<<(std::unsigned_integral auto number) {
    at_ = std::to_chars(at_, at_ + kMostDigits, number).ptr;
    return *this;
  }
  char* at() const { return at_; }  // behind what was written

 private:
  char* at_;
};

}  // namespace nuclio::http
