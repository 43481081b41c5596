// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dashboard/auth/caller.h"
#include "http/message.h"
#include "loop/descriptor.h"

namespace nuclio::dashboard {

// Says of each call that was to change something who made it, from where, to what, and how it ended: a JSON line in a
// file, or a line of the program's log. It has neither bodies nor queries nor credentials.
class AuditLog {
 public:
  // To the program's log.
  AuditLog() = default;
  // Goes on at the end of the file, which this user alone can read when it is new.
  static Result<AuditLog> open(const std::string& path);

  struct Record {
    std::string_view caller;
    Credential credential = Credential::none;
    std::string_view token_id;
    std::string_view what;  // in words
    int status = 0;
    std::chrono::milliseconds taken{};
  };
  void write(const http::Request& request, const Record& record);

 private:
  Descriptor file_;
};

}  // namespace nuclio::dashboard
