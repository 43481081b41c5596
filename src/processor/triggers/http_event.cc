// SPDX-License-Identifier: Apache-2.0
#include "processor/triggers/http_event.h"

#include <algorithm>

#include "http/characters.h"

namespace nuclio::processor {
namespace {

enum class Plus { is_itself, is_blank };

std::string decoded(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    int high = text[i] == '%' && i + 2 < text.size() ? http::hex_value(text[i + 1]) : -1;
    int low = high >= 0 ? http::hex_value(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high << 4 | low);
      i += 2;
    } else {
      out += text[i] == '+' && plus == Plus::is_blank ? ' ' : text[i];
    }
  }
  return out;
}

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

}  // namespace

std::optional<std::string> cleaned_path(std::string_view path) {
  bool clean = path.find('%') == path.npos && path.find("//") == path.npos && path.find("/.") == path.npos;
  if (clean) return std::nullopt;
  std::string whole = decoded(path, Plus::is_itself);
  std::string out;
  std::string_view rest = whole;
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the slash
    std::size_t end = std::min(rest.find('/'), rest.size());
    std::string_view segment = rest.substr(0, end);
    rest.remove_prefix(end);
    bool last = rest.empty();
    if (segment == "..") {
      out.resize(std::min(out.rfind('/'), out.size()));
    } else if (!segment.empty() && segment != ".") {
      out.append("/").append(segment);
      continue;
    }
    if (last) out += '/';
  }
  return out;
}

std::optional<std::string> canonical_header(std::string_view name) {
  bool begins_word = true;
  bool canonical = true;
  for (char c : name) {
    canonical &= !(begins_word ? is_lower(c) : is_upper(c));
    begins_word = c == '-';
  }
  if (canonical) return std::nullopt;
  std::string out{name};
  begins_word = true;
  for (char& c : out) {
    if (begins_word && is_lower(c)) {
      c = static_cast<char>(c - 'a' + 'A');
    } else if (!begins_word) {
      c = http::lower(c);
    }
    begins_word = c == '-';
  }
  return out;
}

Result<void> HttpEvent::fill(const http::Request& request, std::string_view trigger_kind, std::string_view trigger_name,
                             EventIds& ids) {
  id_ = ids.next();
  event_.timestamp = std::chrono::system_clock::now();
  event_.id = view(id_);
  event_.method = request.method;
  event_.path = request.path;
  if (auto path = cleaned_path(request.path)) event_.path = own(std::move(*path));
  event_.url = request.target;
  event_.content_type = request.headers.get("Content-Type");
  event_.trigger_kind = trigger_kind;
  event_.trigger_name = trigger_name;
  event_.body = request.body;
  TRY(cloud_event_, read_cloud_event(request));
  add_headers(request.headers);
  add_fields(request.query);
  if (cloud_event_) apply(*cloud_event_, headers_, event_);
  return {};
}

void HttpEvent::add_headers(const http::HeaderViews& headers) {
  headers_.reserve(headers.size());
  for (const http::Header& header : headers) {
    auto name = canonical_header(header.name);
    headers_.push_back({name ? own(std::move(*name)) : header.name, header.value});
  }
  event_.headers = headers_;
}

void HttpEvent::add_fields(std::string_view query) {
  auto text = [&](std::string_view part) {
    return part.find_first_of("%+") == part.npos ? part : own(decoded(part, Plus::is_blank));
  };
  while (!query.empty()) {
    std::size_t end = std::min(query.find('&'), query.size());
    std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    std::size_t equals = std::min(pair.find('='), pair.size());
    fields_.push_back({text(pair.substr(0, equals)), text(pair.substr(std::min(equals + 1, pair.size())))});
  }
  event_.fields = fields_;
}

}  // namespace nuclio::processor
