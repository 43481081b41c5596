// SPDX-License-Identifier: Apache-2.0
#include "nuctl/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

namespace nuclio::nuctl {
namespace {

constexpr int kTextColumn = 18;  // "skip  kubeconfig  "

// What stands below a line begins where its text does.
std::string indented(std::string text) {
  const std::string margin = "\n" + std::string(kTextColumn, ' ');
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += margin.size())
    text.replace(at, 1, margin);
  return text;
}

}  // namespace

std::string_view name(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok: return "ok";
    case Outcome::failed: return "FAIL";
    case Outcome::skipped: break;
  }
  return "skip";
}

Finding wrong(const Error& error, std::string remedy) {
  const std::size_t end = error.what.find('\n');
  if (end == std::string::npos) return wrong(error.what, std::move(remedy));
  return wrong(error.what.substr(0, end), error.what.substr(end + 1));
}

std::string line_of(std::string_view subject, const Finding& finding) {
  std::string text = finding.text;
  if (!finding.remedy.empty()) text += "\n" + finding.remedy;
  return fmt::format("{:<6}{:<12}{}\n", name(finding.outcome), subject, indented(std::move(text)));
}

void Findings::add(std::string_view subject, Finding finding) {
  heard_(subject, finding);
  all_.emplace_back(subject, std::move(finding));
}

bool Findings::all_well() const {
  return std::ranges::none_of(all_, [](const auto& each) { return each.second.outcome == Outcome::failed; });
}

boost::json::object Findings::json() const {
  boost::json::array checks;
  for (const auto& [subject, finding] : all_) {
    boost::json::object check{{"name", subject}, {"outcome", name(finding.outcome)}, {"text", finding.text}};
    if (!finding.remedy.empty()) check["remedy"] = finding.remedy;
    checks.push_back(std::move(check));
  }
  return {{"well", all_well()}, {"checks", std::move(checks)}};
}

}  // namespace nuclio::nuctl
