// SPDX-License-Identifier: Apache-2.0
#include "processor/log_shipping.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/log.h"

namespace nuclio::processor {
namespace {

// The text is valid UTF-8, and JSON has other characters than ASCII in its strings alone.
std::string in_ascii(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  auto escape = [&](unsigned unit) { fmt::format_to(std::back_inserter(out), "\\u{:04x}", unit); };
  for (std::size_t i = 0; i < json.size();) {
    auto lead = static_cast<unsigned char>(json[i]);
    if (lead < 0x7f) {
      out += json[i++];
      continue;
    }
    std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    unsigned point = length == 1 ? lead : lead & (0x7fu >> length);
    for (std::size_t k = 1; k < length && i + k < json.size(); ++k)
      point = point << 6 | (static_cast<unsigned char>(json[i + k]) & 0x3f);
    i += length;
    if (point > 0xffff) {
      escape(0xd800 + ((point - 0x10000) >> 10));
      escape(0xdc00 + ((point - 0x10000) & 0x3ff));
    } else {
      escape(point);
    }
  }
  return out;
}

bool is_taken(std::string_view key) { return key == "level" || key == "time" || key == "name" || key == "message"; }

// The variables as members of their line. One with the name of a member that is there already gets a '_' behind it.
std::string variables_of(const LogLine& line) {
  if (line.variables.empty()) return {};
  boost::system::error_code error;
  boost::json::value variables = boost::json::parse(line.variables, error);
  if (error || !variables.is_object()) return {};
  std::string members;
  for (const auto& [key, value] : variables.get_object()) {
    std::string name{key};
    if (is_taken(name)) name += '_';
    members += ", " + log::json_string(name) + ": " + boost::json::serialize(value);
  }
  return members;
}

std::string line_of(const LogLine& line, std::string_view logger) {
  auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(line.time.time_since_epoch()).count();
  return fmt::format(R"({{"level": "{}", "time": {}.{:03}, "name": {}, "message": {}{}}})", log::name(line.level),
                     microseconds / 1000, microseconds % 1000, log::json_string(logger), log::json_string(line.message),
                     variables_of(line));
}

}  // namespace

ShippedLogs ship_logs(std::span<const LogLine> lines, std::string_view logger, Bytes limit) {
  ShippedLogs shipped{"["};
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string_view separator = i == 0 ? "" : ", ";
    std::string text = in_ascii(line_of(lines[i], logger));
    if (shipped.json.size() + separator.size() + text.size() + 1 > limit.count) {
      shipped.left_out = lines.size() - i;
      break;
    }
    shipped.json.append(separator).append(text);
  }
  shipped.json += ']';
  return shipped;
}

}  // namespace nuclio::processor
