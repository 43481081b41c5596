// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace nuclio::nuctl {

enum class Outcome { ok, failed, skipped };
std::string_view name(Outcome outcome);  // "ok", "FAIL", "skip"

// What was found out about one thing. Texts may have several lines.
struct Finding {
  Outcome outcome = Outcome::ok;
  std::string text;
  std::string remedy = "";  // what to do about it, when it is not well
};

inline Finding well(std::string text) { return {Outcome::ok, std::move(text)}; }
inline Finding skipped(std::string reason) { return {Outcome::skipped, std::move(reason)}; }
inline Finding wrong(std::string text, std::string remedy) {
  return {Outcome::failed, std::move(text), std::move(remedy)};
}
// Errors that know what to do say it in the lines after their first; `remedy` is for those that do not.
Finding wrong(const Error& error, std::string remedy);

// "ok    namespace   media", and a remedy in lines of its own, below the text.
std::string line_of(std::string_view subject, const Finding& finding);

// All findings of a run. Each is told to `heard` as soon as it is there, since some take their time.
class Findings final {
 public:
  using Heard = std::function<void(std::string_view subject, const Finding& finding)>;
  explicit Findings(Heard heard) : heard_(std::move(heard)) {}

  void add(std::string_view subject, Finding finding);
  bool all_well() const;
  // {"well": false, "checks": [{"name", "outcome", "text", "remedy"}]}
  boost::json::object json() const;

 private:
  Heard heard_;
  std::vector<std::pair<std::string, Finding>> all_;
};

}  // namespace nuclio::nuctl
