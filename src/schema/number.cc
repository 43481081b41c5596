// SPDX-License-Identifier: Apache-2.0
#include "schema/number.h"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>

namespace nuclio::schema {

std::string number_text(const boost::json::value& number) {
  if (!number.is_double()) return boost::json::serialize(number);
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number.get_double()).ptr;
  std::string text(buffer.data(), end);
  if (text.find('.') == std::string::npos) text.insert(std::min(text.find('e'), text.size()), ".0");
  return text;
}

}  // namespace nuclio::schema
