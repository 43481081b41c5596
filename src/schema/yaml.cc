// SPDX-License-Identifier: Apache-2.0
#include "schema/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <sstream>
#include <vector>

#include "schema/number.h"
#include "schema/text_position.h"
#include "schema/yaml_scalar.h"

namespace nuclio::schema {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostValues =
    200'000;                                 // an alias costs a few bytes of text and can stand for thousands of values
constexpr std::size_t kMostText = 64 << 20;  // bytes of all texts, counted again for each alias
constexpr std::string_view kText = "tag:yaml.org,2002:str";

std::string where(const YAML::Mark& mark) {
  return position(static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1);
}

// Thrown through yaml-cpp, which can be stopped in no other way, and caught in parse_yaml().
struct Stop {
  Error error;
};

[[noreturn]] void stop(Why why, const YAML::Mark& mark, std::string_view what, std::string_view advice = "") {
  throw Stop{{why, "YAML " + std::string(what) + " at " + where(mark) + std::string(advice)}};
}

// What a value costs against the limits.
struct Cost {
  std::size_t values = 0;
  std::size_t text = 0;
};

// Makes JSON from yaml-cpp's events. Its own tree is not used: reading a list of documents never ends for some broken
// input, and an alias to a tree costs nothing until it is walked.
class Builder final : public YAML::EventHandler {
 public:
  json::value take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) stop(Why::invalid, mark, "must hold one document, has a second one");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { value(mark, anchor, nullptr, {1, 0}); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) stop(Why::invalid, mark, "has an alias to what it stands in");
    check_key(mark);
    charge(mark, found->second.cost);
    put(mark, json::value(found->second.value));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    if (!open_.empty() && open_.back().is_map && !open_.back().has_key) return key(mark, tag, text);
    const bool is_text = tag == "!" || tag == kText;
    value(mark, anchor, is_text ? json::value(text) : plain_scalar(text), {1, text.size()});
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, anchor, false);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, anchor, true);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YAML::Mark mark;
    YAML::anchor_t anchor;
    Cost before;
    bool is_map;
    json::array list;
    json::object map;
    bool has_key = false;
    bool merging = false;
    std::string key;
    std::vector<json::value> merged;
  };
  struct Anchored {
    json::value value;
    Cost cost;
  };

  void charge(const YAML::Mark& mark, Cost cost) {
    spent_.values += cost.values;
    spent_.text += cost.text;
    if (spent_.values > kMostValues)
      stop(Why::too_large, mark, "holds more than 200000 values", "; are aliases nested?");
    if (spent_.text > kMostText) stop(Why::too_large, mark, "holds more than 64 MiB of text", "; are aliases nested?");
  }

  void check_key(const YAML::Mark& mark) {
    if (!open_.empty() && open_.back().is_map && !open_.back().has_key)
      stop(Why::invalid, mark, "has a key that is no text");
  }

  void key(const YAML::Mark& mark, const std::string& tag, const std::string& text) {
    charge(mark, {1, text.size()});
    Open& map = open_.back();
    map.has_key = true;
    map.merging = text == "<<" && tag != "!";
    if (!map.merging && map.map.contains(text)) stop(Why::invalid, mark, "has the key \"" + text + "\" twice, again");
    map.key = text;
  }

  void open(const YAML::Mark& mark, YAML::anchor_t anchor, bool is_map) {
    check_key(mark);
    if (open_.size() == kDeepestDocument) stop(Why::too_large, mark, "is nested deeper than 64");
    open_.push_back({.mark = mark, .anchor = anchor, .before = spent_, .is_map = is_map});
    charge(mark, {1, 0});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    // A map's own keys win over those that a merge key brings, and an earlier one of several wins over a later one.
    for (const json::value& source : done.merged)
      for (const auto& [key, value] : source.get_object()) done.map.emplace(key, value);
    json::value value = done.is_map ? json::value(std::move(done.map)) : json::value(std::move(done.list));
    keep(done.mark, done.anchor, value, {spent_.values - done.before.values, spent_.text - done.before.text});
    put(done.mark, std::move(value));
  }

  void value(const YAML::Mark& mark, YAML::anchor_t anchor, json::value value, Cost cost) {
    check_key(mark);
    charge(mark, cost);
    keep(mark, anchor, value, cost);
    put(mark, std::move(value));
  }

  // The copy is charged too: anchors within anchors would otherwise multiply the document.
  void keep(const YAML::Mark& mark, YAML::anchor_t anchor, const json::value& value, Cost cost) {
    if (anchor == YAML::NullAnchor) return;
    charge(mark, cost);
    anchors_[anchor] = {value, cost};
  }

  void put(const YAML::Mark& mark, json::value value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Open& into = open_.back();
    if (!into.is_map) return static_cast<void>(into.list.push_back(std::move(value)));
    into.has_key = false;
    if (into.merging)
      merge(mark, std::move(value), into);
    else
      into.map[into.key] = std::move(value);
  }

  static void merge(const YAML::Mark& mark, json::value value, Open& into) {
    json::array sources;
    if (value.is_array()) {
      sources = std::move(value.get_array());
    } else {
      sources.push_back(std::move(value));
    }
    for (json::value& source : sources) {
      if (!source.is_object()) stop(Why::invalid, mark, "has a merge key << that names no map");
      into.merged.push_back(std::move(source));
    }
  }

  std::size_t documents_ = 0;
  Cost spent_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  json::value root_;
};

constexpr std::size_t kLongestKey = 1000;  // a longer one needs the mark of a key before it, says YAML

// Literal style keeps source code readable; the conditions are those under which every reader gives the same text back.
bool is_literal_text(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.front() == ' ' || text.front() == '\t' || text.front() == '\n')
    return false;
  if (text.ends_with("\n\n")) return false;
  return std::ranges::all_of(text, [](unsigned char c) { return c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7f); });
}

void append_text(std::string_view text, const std::string& indent, std::string& out) {
  if (is_plain_text(text)) {
    out.append(text);
  } else if (is_literal_text(text) && !indent.empty()) {
    out += text.ends_with('\n') ? "|" : "|-";
    if (text.ends_with('\n')) text.remove_suffix(1);
    while (true) {
      const std::size_t end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      out += '\n';
      if (!line.empty()) out.append(indent).append(line);
      if (end == std::string_view::npos) break;
      text.remove_prefix(end + 1);
    }
  } else {
    out += json::serialize(json::string_view(text.data(), text.size()));
  }
}

// Writes after "key:" or "-"; `indent` is that of the lines that follow.
void append(const json::value& value, const std::string& indent, std::string& out);

void append_map(const json::object& object, const std::string& indent, bool first_in_line, std::string& out) {
  for (const auto& [key, value] : object) {
    if (!first_in_line) out.append("\n").append(indent);
    first_in_line = false;
    std::string shown;
    append_text(std::string_view(key.data(), key.size()), "", shown);
    if (shown.size() > kLongestKey)
      out.append("? ").append(shown).append("\n").append(indent).append(":");
    else
      out.append(shown).append(":");
    append(value, indent, out);
  }
}

void append_list(const json::array& array, const std::string& indent, bool first_in_line, std::string& out) {
  for (const json::value& element : array) {
    if (!first_in_line) out.append("\n").append(indent);
    first_in_line = false;
    out += '-';
    if (element.is_object() && !element.get_object().empty()) {
      out += ' ';
      append_map(element.get_object(), indent + "  ", true, out);
    } else if (element.is_array() && !element.get_array().empty()) {
      out += ' ';
      append_list(element.get_array(), indent + "  ", true, out);
    } else {
      append(element, indent, out);
    }
  }
}

void append(const json::value& value, const std::string& indent, std::string& out) {
  if (value.is_object() && !value.get_object().empty())
    return append_map(value.get_object(), indent + "  ", false, out);
  if (value.is_array() && !value.get_array().empty()) return append_list(value.get_array(), indent, false, out);
  out += ' ';
  if (value.is_string()) return append_text(std::string_view(value.get_string()), indent + "  ", out);
  out += value.is_number() ? number_text(value) : json::serialize(value);
}

}  // namespace

Result<json::value> parse_yaml(std::string_view text) {
  if (text.size() > kLargestDocument.count)
    return fail(Why::too_large, "YAML document must have at most 8 MiB, has " + std::to_string(text.size()) + " bytes");
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    Builder builder;
    while (parser.HandleNextDocument(builder)) continue;
    return builder.take();
  } catch (Stop& stopped) {
    return fail(std::move(stopped.error));
  } catch (const YAML::Exception& error) {
    return fail(Why::invalid, "YAML is not valid at " + where(error.mark) + ": " + error.msg);
  }
}

std::string to_yaml(const json::value& value) {
  std::string out;
  if (value.is_object() && !value.get_object().empty())
    append_map(value.get_object(), "", true, out);
  else if (value.is_array() && !value.get_array().empty())
    append_list(value.get_array(), "", true, out);
  else
    out = json::serialize(value);
  return out += '\n';
}

}  // namespace nuclio::schema
