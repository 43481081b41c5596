// SPDX-License-Identifier: Apache-2.0
// The web app in the program: web/ is built by Vite, and CMakeLists.txt puts what comes out, compressed, into a table.
#pragma once
#include <cstddef>
#include <span>
#include <string_view>

#include "http/message.h"

namespace nuclio::dashboard {

struct WebFile {
  std::string_view path;  // "/assets/index-C2IrT6fQ.css"; below /assets/ a name says what is in it
  std::string_view type;
  std::string_view etag;  // with its quotes
  std::size_t size;       // uncompressed
  std::string_view gzip;
};

// By path; "/index.html" is among them.
std::span<const WebFile> web_files();

// Answers GET and HEAD of all but /api with the app's files, and with its page wherever no file is, since the places in
// the app are the app's own. The rest is for who is behind it.
class WebApp final : public http::Handler {
 public:
  explicit WebApp(http::Handler& behind) : behind_(behind) {}
  Task<http::Response> handle(http::Request& request) override;

 private:
  http::Handler& behind_;
};

}  // namespace nuclio::dashboard
