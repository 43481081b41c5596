// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace nuclio {

// What the caller can do about it. HTTP status, exit code and retry policy are looked up from this alone, each in one
// switch in one place.
enum class Why {
  invalid,
  not_found,
  conflict,
  busy,
  timeout,
  unavailable,
  forbidden,
  too_large,
  precondition,
  internal
};

std::string_view name(Why why);

struct Error {
  Why why;
  std::string what;  // for the person: what was expected, what was found, where, what to do

  // Adds what was being done, where the caller knows more: "pulling python:3.11: connection refused".
  Error in(std::string_view doing) && {
    std::string text{doing};
    text += ": ";
    text += what;
    return {why, std::move(text)};
  }
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Why why, std::string what) { return std::unexpected(Error{why, std::move(what)}); }
inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

// The current errno as an Error: "opening /x: No such file or directory". ENOENT is not_found, EACCES and EPERM are
// forbidden, ENOSPC, EMFILE and the like unavailable, EEXIST and EADDRINUSE conflict, everything else internal.
Error errno_error(std::string_view doing, int error_number);
std::unexpected<Error> fail_errno(std::string_view doing);

// TRY(auto x, f()) binds the value of f() or returns its error; CO_TRY does the same in a coroutine. The _DO forms are
// for results without a value that is needed.
#define NUCLIO_JOIN2(a, b) a##b
#define NUCLIO_JOIN(a, b) NUCLIO_JOIN2(a, b)
#define NUCLIO_TRY(tmp, leave, var, ...)                       \
  auto tmp = (__VA_ARGS__);                                    \
  if (!tmp) leave ::std::unexpected(::std::move(tmp).error()); \
  var = ::std::move(*tmp)
#define NUCLIO_TRY_DO(leave, ...)                                                  \
  do {                                                                             \
    auto nuclio_tried = (__VA_ARGS__);                                             \
    if (!nuclio_tried) leave ::std::unexpected(::std::move(nuclio_tried).error()); \
  } while (false)
#define TRY(var, ...) NUCLIO_TRY(NUCLIO_JOIN(nuclio_try_, __LINE__), return, var, __VA_ARGS__)
#define CO_TRY(var, ...) NUCLIO_TRY(NUCLIO_JOIN(nuclio_try_, __LINE__), co_return, var, __VA_ARGS__)
#define TRY_DO(...) NUCLIO_TRY_DO(return, __VA_ARGS__)
#define CO_TRY_DO(...) NUCLIO_TRY_DO(co_return, __VA_ARGS__)

}  // namespace nuclio
