// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace nuclio::log_keeper {

// A log file that grows up to a limit and is then moved aside, in place of what was moved there before: the two
// together never hold more than twice the limit, and what was written is in them once and in order. A file ends with a
// whole line, unless the line is longer than 64 KiB (or half the limit, when that is less). Used by one thread.
//
// What cannot be written, since the disk is full or broken, is lost, and a line in its place says how much: whoever
// writes to us must never wait for a disk, nor fail because of it.
class KeptLog {
 public:
  // Both in the folder that we run in or absolute; the file may exist. The limit is at least 1 KiB.
  KeptLog(std::string path, std::string older, Bytes limit);
  KeptLog(const KeptLog&) = delete;
  KeptLog& operator=(const KeptLog&) = delete;
  ~KeptLog();

  void add(std::string_view bytes);

 private:
  bool open();
  void move_aside();
  void append(std::string_view bytes);
  bool say_what_was_lost();
  bool write(std::string_view bytes);
  void lose(std::string_view bytes);

  std::string path_;
  std::string older_;
  std::uint64_t limit_;
  std::uint64_t wanted_;  // where it is moved aside when a line ends
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  bool at_line_start_ = true;
  std::uint64_t lost_lines_ = 0;
  bool losing_ = false;  // in the middle of a line whose beginning is lost
  int why_ = 0;          // errno of the loss
};

}  // namespace nuclio::log_keeper
