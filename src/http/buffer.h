// SPDX-License-Identifier: Apache-2.0
// The memory of a Server's connections. Nobody else includes this, but for its test.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nuclio::http {

// Memory that connections take when something arrives and give back before they wait for the next request: idle ones
// hold none, and busy ones share what is warm in the processor's cache.
class Spares {
 public:
  static constexpr std::size_t kBuffer = 4096;
  std::unique_ptr<char[]> take_buffer();
  void give_buffer(std::unique_ptr<char[]> buffer);
  // A string's memory, into one that has none, and out of one that is empty.
  void lend_text(std::string& text);
  void take_back_text(std::string& text);

 private:
  static constexpr std::size_t kMostBuffers = 64;
  static constexpr std::size_t kLongestText = 64 << 10;
  std::vector<std::unique_ptr<char[]>> buffers_;
  std::string text_;
};

// The received bytes that are not dealt with yet, in one piece of memory.
class Buffer {
 public:
  explicit Buffer(Spares& spares) : spares_(spares) {}  // borrowed
  std::string_view unread() const { return {memory_.get() + begin_, end_ - begin_}; }
  // Memory for what is received next, behind the unread bytes. At least one byte; moves the unread bytes when need be.
  std::span<char> space();
  // As space(), after which `total` unread bytes fit without moving.
  void reserve(std::size_t total);
  void received(std::size_t count) { end_ += count; }
  void consume(std::size_t count) { begin_ += count; }
  // Takes `count` bytes off the end.
  void drop_last(std::size_t count) { end_ -= count; }
  // Lets go of the memory. Only when nothing is unread.
  void release();

 private:
  Spares& spares_;
  std::unique_ptr<char[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace nuclio::http
