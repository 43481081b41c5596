// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "nuctl/flags.h"
#include "nuctl/session.h"

namespace nuclio::nuctl {

// The flags that describe a function, and what they write into its configuration. Most are one line of a table: the
// flag and the path of the field that it sets.
class FunctionFlags {
 public:
  void declare(Flags& flags);

  // What a file given with --file holds, or an empty object.
  Result<boost::json::object> file(const Session& session) const;
  // Writes what was given on the command line over `config` ({metadata, spec}).
  Result<void> apply(boost::json::object& config, const Session& session) const;

  // The command line says where the code or the image is.
  bool has_code() const { return !path_.empty() || !source_.empty() || !run_image_.empty(); }
  const std::string& path() const { return path_; }
  void set_path(std::string path) { path_ = std::move(path); }

 private:
  struct Text {
    std::string value;
    std::string_view field;
  };
  struct Number {
    std::optional<long> value;
    std::string_view field;
  };

  std::string file_;
  std::string path_;
  std::string source_;
  std::string run_image_;
  std::string project_;
  std::string logger_level_;
  std::string labels_;
  std::string annotations_;
  std::string node_selector_;
  std::vector<std::string> env_;
  std::vector<std::string> volumes_;
  std::vector<std::string> limits_;
  std::vector<std::string> requests_;
  std::vector<std::string> commands_;
  std::vector<std::string> set_;
  bool disable_ = false;
  bool publish_ = false;
  bool no_pull_ = false;
  bool no_cleanup_ = false;
  bool offline_ = false;
  std::deque<Text> texts_;      // deques: the flags keep references
  std::deque<Text> documents_;  // JSON
  std::deque<Number> numbers_;
};

// The configuration as the platform takes it (numbers where text is wanted have become text), after a check that finds
// every wrong field at once, before anything is sent. Warnings are shown.
Result<boost::json::object> checked(const boost::json::object& config, const Session& session);

// "k=v,k2=v2" as the members of an object, a member "k=v" of a list likewise. `flag` is for the message.
Result<void> add_pairs(boost::json::object& into, std::string_view text, std::string_view flag);

// config["spec"]["build"]… as an object, made where it is missing.
boost::json::object& object_at(boost::json::object& config, std::string_view path);
// Sets the field at a dotted path.
void set_field(boost::json::object& config, std::string_view path, boost::json::value value);

}  // namespace nuclio::nuctl
