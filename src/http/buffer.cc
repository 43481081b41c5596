// SPDX-License-Identifier: Apache-2.0
#include "http/buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace nuclio::http {

std::unique_ptr<char[]> Spares::take_buffer() {
  if (buffers_.empty()) return std::make_unique_for_overwrite<char[]>(kBuffer);
  auto buffer = std::move(buffers_.back());
  buffers_.pop_back();
  return buffer;
}

void Spares::give_buffer(std::unique_ptr<char[]> buffer) {
  if (buffers_.size() < kMostBuffers) buffers_.push_back(std::move(buffer));
}

void Spares::lend_text(std::string& text) {
  if (text.empty() && text.capacity() < text_.capacity()) text = std::move(text_);
}

void Spares::take_back_text(std::string& text) {
  if (text.capacity() > text_.capacity() && text.capacity() <= kLongestText) text.swap(text_);
  if (text.capacity() > std::string().capacity()) std::string().swap(text);
}

std::span<char> Buffer::space() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == capacity_) reserve(std::max(end_ - begin_ + 1, Spares::kBuffer));
  return {memory_.get() + end_, capacity_ - end_};
}

void Buffer::reserve(std::size_t total) {
  if (capacity_ - begin_ >= total) return;
  std::size_t size = end_ - begin_;
  if (capacity_ >= total) {
    std::memmove(memory_.get(), memory_.get() + begin_, size);
  } else if (total <= Spares::kBuffer) {
    memory_ = spares_.take_buffer();  // there was none
    capacity_ = Spares::kBuffer;
  } else {
    std::size_t capacity = std::max(total, 2 * capacity_);
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (size > 0) std::memcpy(larger.get(), memory_.get() + begin_, size);
    std::swap(memory_, larger);
    if (std::exchange(capacity_, capacity) == Spares::kBuffer) spares_.give_buffer(std::move(larger));
  }
  begin_ = 0;
  end_ = size;
}

void Buffer::release() {
  if (capacity_ == Spares::kBuffer) spares_.give_buffer(std::move(memory_));
  memory_.reset();
  capacity_ = begin_ = end_ = 0;
}

}  // namespace nuclio::http
