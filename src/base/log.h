// SPDX-License-Identifier: Apache-2.0
// The program's log: one line a record to standard output (or a given descriptor), each in a single write so that lines
// of several threads never mix. The console and JSON shapes are those of Nuclio's loggers, so its users' parsers go on
// working. Any thread may log; configure() is called once, in main, before other threads exist.
#pragma once
#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace nuclio::log {

enum class Level { debug, info, warn, error };
enum class Encoding { console, json };
enum class Colour : bool { no, yes };

std::string_view name(Level level);
std::optional<Level> parse_level(std::string_view text);  // debug, info, warn or warning, error; case matters not

// A variable of a record. The value is held as JSON text.
class Field {
 public:
  Field(std::string_view key, std::string_view text);
  Field(std::string_view key, const char* text) : Field(key, std::string_view{text}) {}
  Field(std::string_view key, const std::string& text) : Field(key, std::string_view{text}) {}
  Field(std::string_view key, bool value);
  Field(std::string_view key, double value);
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Field(std::string_view key, T value) : key_(key), json_(std::to_string(value)) {}

  // A value that is JSON text already, e.g. the variables of a function's own log line.
  static Field raw_json(std::string_view key, std::string json);

  const std::string& key() const { return key_; }
  const std::string& json() const { return json_; }

 private:
  Field() = default;
  std::string key_;
  std::string json_;
};

struct Options {
  Level level = Level::debug;
  Encoding encoding = Encoding::console;
  Colour colour = Colour::no;
  std::string logger = "nuclio";  // shown right-aligned to 25 columns; a longer name keeps its tail
  int descriptor = 1;             // borrowed
};

void configure(Options options);
bool enabled(Level level);

void write(Level level, std::string_view message, std::span<const Field> fields = {});
// A record that was made elsewhere and says its own time and logger, such as a function's line from a worker.
void write_as(std::string_view logger, Level level, std::chrono::system_clock::time_point time,
              std::string_view message, std::span<const Field> fields);

inline void debug(std::string_view message, std::initializer_list<Field> fields = {}) {
  if (enabled(Level::debug)) write(Level::debug, message, {fields.begin(), fields.size()});
}
inline void info(std::string_view message, std::initializer_list<Field> fields = {}) {
  if (enabled(Level::info)) write(Level::info, message, {fields.begin(), fields.size()});
}
inline void warn(std::string_view message, std::initializer_list<Field> fields = {}) {
  if (enabled(Level::warn)) write(Level::warn, message, {fields.begin(), fields.size()});
}
inline void error(std::string_view message, std::initializer_list<Field> fields = {}) {
  if (enabled(Level::error)) write(Level::error, message, {fields.begin(), fields.size()});
}

// Text as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

// The line that write_as() writes, without I/O; ends in '\n'.
std::string format(const Options& options, std::string_view logger, Level level,
                   std::chrono::system_clock::time_point time, std::string_view message, std::span<const Field> fields);

}  // namespace nuclio::log
