// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <cerrno>
#include <cstring>

namespace nuclio {

std::string_view name(Why why) {
  switch (why) {
    case Why::invalid: return "invalid";
    case Why::not_found: return "not_found";
    case Why::conflict: return "conflict";
    case Why::busy: return "busy";
    case Why::timeout: return "timeout";
    case Why::unavailable: return "unavailable";
    case Why::forbidden: return "forbidden";
    case Why::too_large: return "too_large";
    case Why::precondition: return "precondition";
    case Why::internal: return "internal";
  }
  return "internal";
}

Error errno_error(std::string_view doing, int error_number) {
  Why why = Why::internal;
  switch (error_number) {
    case ENOENT:
    case ENOTDIR: why = Why::not_found; break;
    case EACCES:
    case EPERM:
    case EROFS: why = Why::forbidden; break;
    case EEXIST:
    case EADDRINUSE: why = Why::conflict; break;
    case ETIMEDOUT: why = Why::timeout; break;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE: why = Why::unavailable; break;
    default: break;
  }
  std::string what = std::strerror(error_number);
  if (error_number == ENOSPC || error_number == EDQUOT) what += "; free some space there and try again";
  if (error_number == EIO) what += "; look at the disk and the system's log";
  return Error{why, std::move(what)}.in(doing);
}

std::unexpected<Error> fail_errno(std::string_view doing) { return std::unexpected(errno_error(doing, errno)); }

}  // namespace nuclio
