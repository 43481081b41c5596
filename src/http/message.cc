// SPDX-License-Identifier: Apache-2.0
#include "http/message.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "http/status.h"

namespace nuclio::http {

Result<FileBody> FileBody::open(const std::string& path, DeleteAfterSend after) {
  // Without O_NONBLOCK a named pipe would block the loop here.
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!file) return fail_errno("opening " + path);
  struct stat info{};
  if (fstat(file.get(), &info) != 0) return fail_errno("reading the size of " + path);
  if (!S_ISREG(info.st_mode)) return fail(Why::invalid, path + " is not a regular file");
  Bytes size{static_cast<std::uint64_t>(info.st_size)};
  return FileBody{std::move(file), size, after == DeleteAfterSend::yes ? path : ""};
}

FileBody& FileBody::operator=(FileBody&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  std::swap(remove_, other.remove_);
  return *this;
}

FileBody::~FileBody() {
  if (!remove_.empty()) ::unlink(remove_.c_str());
}

Response Response::text(int status, std::string body, std::string_view content_type) {
  Response response{status, {}, std::move(body)};
  response.headers.add("Content-Type", content_type);
  return response;
}

Response Response::error(const Error& error) {
  return json(status_of(error.why), "{\"error\": " + log::json_string(error.what) + ", \"errorStackTrace\": \"\"}");
}

}  // namespace nuclio::http
