// SPDX-License-Identifier: Apache-2.0
#include "dashboard/web_app.h"

#include <zlib.h>

#include <algorithm>
#include <string>

#include "base/check.h"

namespace nuclio::dashboard {
namespace {

constexpr std::string_view kAssets = "/assets/";
// The page loads nothing from elsewhere, and nothing that stands in it as text is run. blob: is what the page has made
// itself of a function's answer, which it shows as an image.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

bool is_of_api(std::string_view path) { return path == "/api" || path.starts_with("/api/"); }

const WebFile* find(std::string_view path) {
  const auto files = web_files();
  const auto found = std::ranges::find(files, path, &WebFile::path);
  return found == files.end() ? nullptr : &*found;
}

// "gzip, deflate, br;q=0.5": whether it is among them, and not with a weight of 0.
bool takes_gzip(std::string_view accepted) {
  while (!accepted.empty()) {
    const std::size_t end = std::min(accepted.find(','), accepted.size());
    std::string_view each = accepted.substr(0, end);
    accepted.remove_prefix(std::min(end + 1, accepted.size()));
    while (each.starts_with(' ')) each.remove_prefix(1);
    if (!each.starts_with("gzip")) continue;
    each.remove_prefix(4);
    return each.empty() || (each.starts_with(';') && !each.ends_with("q=0"));
  }
  return false;
}

// For the few who take nothing that is compressed.
std::string inflated(const WebFile& file) {
  std::string out(file.size, '\0');
  z_stream stream{};
  constexpr int kGzip = 16 + MAX_WBITS;
  CHECK(inflateInit2(&stream, kGzip) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(file.gzip.data()));
  stream.avail_in = static_cast<uInt>(file.gzip.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  inflateEnd(&stream);
  return out;
}

http::Response shown(const WebFile& file, const http::Request& request) {
  http::Response out;
  if (request.headers.get("If-None-Match") == file.etag) {
    out = http::Response::empty(304);
  } else if (takes_gzip(request.headers.get("Accept-Encoding"))) {
    out = http::Response::text(200, std::string(file.gzip), file.type);
    out.headers.set("Content-Encoding", "gzip");
  } else {
    out = http::Response::text(200, inflated(file), file.type);
  }
  out.headers.set("ETag", file.etag);
  out.headers.set("Vary", "Accept-Encoding");
  // What is called otherwise once it is otherwise need not be asked for again.
  const bool for_ever = file.path.starts_with(kAssets);
  out.headers.set("Cache-Control", for_ever ? "public, max-age=31536000, immutable" : "no-cache");
  out.headers.set("Content-Security-Policy", kPolicy);
  return out;
}

}  // namespace

Task<http::Response> WebApp::handle(http::Request& request) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (!reads || is_of_api(request.path)) co_return co_await behind_.handle(request);
  const WebFile* file = find(request.path);
  // A page of an older program asks for what is no more; it says that it is to be loaded again.
  if (!file && request.path.starts_with(kAssets))
    co_return http::Response::error({Why::not_found, "this version of the web app has no such file; load it again"});
  if (!file) file = find("/index.html");
  CHECK(file != nullptr);
  co_return shown(*file, request);
}

}  // namespace nuclio::dashboard
