// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace nuclio::load {

// Reads one HTTP/1.1 answer as its bytes arrive: what came back, where it ends, and whether the connection can be used
// again. Written apart from src/http, so that a fault there cannot hide itself. Bodies are counted and dropped.
class Answer {
 public:
  enum class State {
    nothing,   // no byte yet
    partial,   // has begun
    complete,  // the end was seen
    garbled,   // this is no HTTP, or a head of more than 64 KiB
  };

  // `head_only`: the answer to a HEAD request, which has no body whatever its headers say.
  explicit Answer(bool head_only = false) : head_only_(head_only) {}

  // Takes the next bytes. Returns how many of them belong to this answer; fewer than `bytes` only when it is complete
  // or garbled.
  std::size_t take(std::string_view bytes);
  // The server closed the connection, which is the regular end of a body without a length.
  void closed();

  State state() const { return state_; }
  int status() const { return status_; }           // once the head is complete
  bool keep_alive() const { return keep_alive_; }  // likewise

 private:
  enum class Part { head, body, until_close, chunk_size, chunk, chunk_end, trailer };

  std::size_t take_some(std::string_view bytes);
  bool take_line(std::string_view& bytes);
  void line_done();
  void head_line();
  void header(std::string_view name, std::string_view value);
  void head_done();
  void chunk_size();
  void garble() { state_ = State::garbled; }

  bool head_only_;
  State state_ = State::nothing;
  Part part_ = Part::head;
  std::string line_;  // without its end
  std::uint64_t head_size_ = 0;
  int status_ = 0;
  bool keep_alive_ = true;
  bool chunked_ = false;
  bool has_length_ = false;
  std::uint64_t left_ = 0;  // of the body or the chunk
};

}  // namespace nuclio::load
