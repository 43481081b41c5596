// SPDX-License-Identifier: Apache-2.0
#include "base/image_reference.h"

#include <algorithm>
#include <optional>

namespace nuclio {
namespace {

constexpr std::size_t kLongestName = 255;
constexpr std::size_t kLongestTag = 128;
constexpr std::size_t kLongestShown = 300;
constexpr std::string_view kDockerHub = "docker.io";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_small(char c) { return (c >= 'a' && c <= 'z') || is_digit(c); }
bool is_word(char c) { return is_small(c) || (c >= 'A' && c <= 'Z') || c == '_'; }

// "Zone-1.registry.local:5000"
bool is_domain(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || !std::ranges::all_of(port, is_digit)) return false;
  }
  std::string_view host = text.substr(0, colon);
  while (!host.empty()) {
    const std::size_t dot = host.find('.');
    const std::string_view label = host.substr(0, dot);
    const auto fits = [](char c) { return (is_word(c) && c != '_') || c == '-'; };
    if (label.empty() || label.front() == '-' || label.back() == '-' || !std::ranges::all_of(label, fits)) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
  return false;
}

// Small letters and digits, with ".", "_", "__" or dashes between them.
bool is_component(std::string_view text) {
  if (text.empty() || !is_small(text.front()) || !is_small(text.back())) return false;
  for (std::size_t at = 0; at < text.size();) {
    if (is_small(text[at])) {
      ++at;
      continue;
    }
    const std::size_t end = std::min(text.find_first_not_of(text[at], at), text.size());
    const std::size_t count = end - at;
    const bool fits = text[at] == '-' || (text[at] == '.' && count == 1) || (text[at] == '_' && count <= 2);
    if (!fits || !is_small(text[end])) return false;
    at = end;
  }
  return true;
}

// The first part of a path that is no component; nothing when all are.
std::optional<std::string_view> wrong_component(std::string_view path) {
  while (true) {
    const std::size_t slash = path.find('/');
    if (!is_component(path.substr(0, slash))) return path.substr(0, slash);
    if (slash == std::string_view::npos) return {};
    path.remove_prefix(slash + 1);
  }
}

bool is_tag(std::string_view text) {
  const auto fits = [](char c) { return is_word(c) || c == '.' || c == '-'; };
  return !text.empty() && text.size() <= kLongestTag && is_word(text.front()) && std::ranges::all_of(text, fits);
}

bool is_digest(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view digits = text.substr(colon + 1);
  const auto is_hex = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  return std::ranges::all_of(text.substr(0, colon),
                             [](char c) { return is_word(c) || c == '+' || c == '.' || c == '-'; }) &&
         digits.size() >= 32 && digits.size() <= 128 && std::ranges::all_of(digits, is_hex);
}

}  // namespace

std::string ImageReference::text() const {
  std::string text = registry + "/" + repository;
  if (!tag.empty()) text += ":" + tag;
  if (!digest.empty()) text += "@" + digest;
  return text;
}

Result<ImageReference> parse_image_reference(std::string_view text) {
  const auto wrong = [whole = text](const std::string& what, std::string_view found) {
    std::string message =
        "the image name \"" + std::string(whole.substr(0, kLongestShown)) + "\" is not valid: " + what;
    return fail(Why::invalid, message + ", is \"" + std::string(found.substr(0, kLongestShown)) + "\"");
  };
  if (text.find("://") != std::string_view::npos)
    return wrong("it must begin with the registry's host and not with a scheme", text.substr(0, text.find("://") + 3));
  ImageReference out;
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    out.digest = text.substr(at + 1);
    if (!is_digest(out.digest)) return wrong("the digest must be such as sha256: and 64 hex digits", out.digest);
    text = text.substr(0, at);
  }
  // A colon after the last slash begins a tag; one before it belongs to the registry's port.
  const std::size_t last_slash = text.rfind('/');
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && (last_slash == std::string_view::npos || colon > last_slash)) {
    out.tag = text.substr(colon + 1);
    if (!is_tag(out.tag))
      return wrong(
          "the tag must be 1 to 128 letters, digits, \"_\", \".\" or \"-\", with neither of the last two first",
          out.tag);
    text = text.substr(0, colon);
  }
  if (text.size() > kLongestName)
    return wrong("the name must have at most 255 characters", std::to_string(text.size()) + " characters");
  const std::size_t slash = text.find('/');
  const std::string_view first = text.substr(0, slash);
  const bool has_domain =
      slash != std::string_view::npos && (first.find_first_of(".:") != std::string_view::npos || first == "localhost");
  if (has_domain) {
    if (!is_domain(first)) return wrong("the registry must be a host name, or host:port", first);
    out.registry = first == "index.docker.io" ? kDockerHub : first;
    text = text.substr(slash + 1);
  } else {
    out.registry = kDockerHub;
  }
  if (const auto part = wrong_component(text))
    return wrong(
        "each part of the path must be small letters and digits, with \".\", \"_\", \"__\" or dashes between them",
        *part);
  out.repository = text;
  if (out.registry == kDockerHub && text.find('/') == std::string_view::npos)
    out.repository = "library/" + out.repository;
  if (out.tag.empty() && out.digest.empty()) out.tag = "latest";
  return out;
}

}  // namespace nuclio
