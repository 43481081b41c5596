// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/uio.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "loop/descriptor.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio {

// Bytes in and out of a socket or pipe, without blocking. Owns its descriptor; lives on its loop's thread; one
// coroutine reads and one writes at a time.
class Stream {
 public:
  // Makes the descriptor non-blocking.
  Stream(Loop& loop, Descriptor descriptor);

  // At least one byte, or 0 at the end. Why::timeout at the deadline, Why::unavailable when the connection broke.
  Task<Result<std::size_t>> read_some(std::span<char> into, Deadline deadline);
  // All of it, or an error; what was written by then is not told, so the stream is of no further use.
  Task<Result<void>> write_all(std::string_view bytes, Deadline deadline);
  Task<Result<void>> write_all(std::vector<iovec> parts, Deadline deadline);

  // For the data path, which cannot afford a coroutine frame a read: try, and when that says `again`, wait.
  struct Tried {
    enum class Outcome { some, again, end, broken } outcome;
    std::size_t bytes = 0;  // with `some`
    int error_number = 0;   // with `broken`
  };
  Tried try_read(std::span<char> into);
  Tried try_write(std::span<const iovec> parts);
  Watch::Wait readable(Deadline deadline) { return watch_.readable(deadline); }
  Watch::Wait writable(Deadline deadline) { return watch_.writable(deadline); }

  // For who waits for news of what it will not read yet: the next readable() waits for more to come, or for the end.
  void leave_unread() { watch_.drained(Watch::Direction::read); }

  bool peer_gone() const { return watch_.peer_gone(); }
  int descriptor() const { return descriptor_.get(); }
  Loop& loop() const { return watch_.loop(); }
  // Says to the peer that nothing more comes.
  void shut_down_writing();

 private:
  ssize_t receive(std::span<char> into);
  ssize_t send(std::span<const iovec> parts);

  Descriptor descriptor_;  // before watch_: the watch must go first
  bool socket_;
  Watch watch_;
};

// A connected pair of Unix stream sockets, close-on-exec, both blocking until a Stream takes one.
Result<std::pair<Descriptor, Descriptor>> socket_pair();
struct Pipe {
  Descriptor read;
  Descriptor write;
};
Result<Pipe> make_pipe();  // close-on-exec

}  // namespace nuclio
