// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <ctime>

namespace nuclio::log {
namespace {

Options& options() {
  static Options instance;
  return instance;
}

constexpr std::size_t kLoggerColumns = 25;
constexpr std::size_t kUsualLine = 256;

// Length of the well-formed UTF-8 sequence at the start of `text`, 0 when there is none (Unicode 15, table 3-7).
std::size_t utf8_sequence(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  auto tail = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!tail(1) || !tail(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;
    if (lead == 0xED && byte(1) > 0x9F) return 0;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if (lead == 0xF0 && byte(1) < 0x90) return 0;
    if (lead == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

char letter(Level level) { return "DIWE"[static_cast<int>(level)]; }

std::string_view colour_of(Level level) {
  switch (level) {
    case Level::debug: return "\x1b[90m";
    case Level::info: return "\x1b[36m";
    case Level::warn: return "\x1b[33m";
    case Level::error: return "\x1b[31m";
  }
  return "";
}

void write_all(int descriptor, std::string_view line) {
  while (!line.empty()) {
    ssize_t written = ::write(descriptor, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // there is nowhere left to say that the log is gone
    line.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::string_view name(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warn: return "warn";
    case Level::error: return "error";
  }
  return "info";
}

std::optional<Level> parse_level(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (lower == "debug") return Level::debug;
  if (lower == "info") return Level::info;
  if (lower == "warn" || lower == "warning") return Level::warn;
  if (lower == "error") return Level::error;
  return std::nullopt;
}

namespace {

constexpr auto kStandsForItself = [] {
  std::array<bool, 256> table{};
  for (unsigned c = 0x20; c < 0x7f; ++c) table[c] = c != '"' && c != '\\';
  return table;
}();
bool stands_for_itself(char c) { return kStandsForItself[static_cast<unsigned char>(c)]; }

// "26.11.28 04:52:12." Broken down once a second: a function may log a line an event.
std::string_view time_up_to_seconds(std::time_t second) {
  struct Made {
    std::time_t second = -1;
    std::string text;
  };
  static thread_local Made made;
  if (made.second != second) {
    std::tm parts{};
    gmtime_r(&second, &parts);
    made.text = fmt::format("{:02}.{:02}.{:02} {:02}:{:02}:{:02}.", parts.tm_year % 100, parts.tm_mon + 1,
                            parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    made.second = second;
  }
  return made.text;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    // Nearly all of nearly every text.
    auto plain = static_cast<std::size_t>(std::ranges::find_if_not(text, stands_for_itself) - text.begin());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    char c = text.front();
    std::size_t length = utf8_sequence(text);
    if (length == 0) {
      out += "\\ufffd";
      length = 1;
    } else if (length > 1) {
      out += text.substr(0, length);
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      out += c;
    }
    text.remove_prefix(length);
  }
  out += '"';
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_json_string(out, text);
  return out;
}

Field::Field(std::string_view key, std::string_view text) : key_(key), json_(json_string(text)) {}
Field::Field(std::string_view key, bool value) : key_(key), json_(value ? "true" : "false") {}
Field::Field(std::string_view key, double value)
    : key_(key), json_(std::isfinite(value) ? fmt::format("{}", value) : "null") {}

Field Field::raw_json(std::string_view key, std::string json) {
  Field field;
  field.key_ = key;
  field.json_ = std::move(json);
  return field;
}

void configure(Options new_options) { options() = std::move(new_options); }

bool enabled(Level level) { return level >= options().level; }

std::string format(const Options& options, std::string_view logger, Level level,
                   std::chrono::system_clock::time_point time, std::string_view message,
                   std::span<const Field> fields) {
  using std::chrono::floor;
  auto second = floor<std::chrono::seconds>(time.time_since_epoch());
  auto milliseconds = floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
  std::string out;
  if (options.encoding == Encoding::json) {
    out = fmt::format("{{\"time\":{},\"level\":\"{}\",\"name\":{},\"message\":{}", milliseconds, name(level),
                      json_string(logger), json_string(message));
    for (const Field& field : fields) {
      out += ',';
      append_json_string(out, field.key());
      out += ':';
      out += field.json();
    }
    out += "}\n";
    return out;
  }
  if (logger.size() > kLoggerColumns) logger.remove_prefix(logger.size() - kLoggerColumns);
  bool colour = options.colour == Colour::yes;
  out.reserve(kUsualLine);
  out += time_up_to_seconds(second.count());
  auto behind = milliseconds - 1000 * second.count();
  for (int unit : {100, 10, 1}) out += static_cast<char>('0' + behind / unit % 10);
  out += ' ';
  if (colour) out += colour_of(level);
  out += '(';
  out += letter(level);
  out += ')';
  if (colour) out += "\x1b[0m";
  out.append(1 + kLoggerColumns - logger.size(), ' ');
  out += logger;
  out += ' ';
  out += message;
  if (!fields.empty()) {
    out += " {";
    for (const Field& field : fields) {
      if (&field != fields.data()) out += ", ";
      append_json_string(out, field.key());
      out += ": ";
      out += field.json();
    }
    out += '}';
  }
  out += '\n';
  return out;
}

void write(Level level, std::string_view message, std::span<const Field> fields) {
  write_as(options().logger, level, std::chrono::system_clock::now(), message, fields);
}

void write_as(std::string_view logger, Level level, std::chrono::system_clock::time_point time,
              std::string_view message, std::span<const Field> fields) {
  if (!enabled(level)) return;
  write_all(options().descriptor, format(options(), logger, level, time, message, fields));
}

}  // namespace nuclio::log
