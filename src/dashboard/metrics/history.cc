// SPDX-License-Identifier: Apache-2.0
#include "dashboard/metrics/history.h"

#include <algorithm>
#include <charconv>

namespace nuclio::dashboard {
namespace {

constexpr std::string_view kFormat = "nuclio metrics 2\n";
// Of before there was memory, which is all that has come: so it is read as what is written now.
constexpr std::string_view kFormatBefore = "nuclio metrics 1\n";
constexpr Step kFineInCoarse = kCoarseStep / kFineStep;

// "12 some text": how a name stands in the file.
void put_text(std::string& out, std::string_view text) {
  out += std::to_string(text.size());
  out += ' ';
  out += text;
}
bool get_text(std::string_view& text, std::string& out) {
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc{} || end == text.data() + text.size() || *end != ' ') return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  if (size > text.size()) return false;
  out = text.substr(0, size);
  text.remove_prefix(size);
  return true;
}

Point together(const Series& series, Step from, Step to) {
  Point sum;
  series.each(from, to, [&](Step, const Point& each) { add_behind(sum, each); });
  return sum;
}

}  // namespace

void MetricsHistory::add(const platform::FunctionId& function, Step fine, const Point& point) {
  History& history = functions_[function];
  const Step coarse = fine / kFineInCoarse;
  const Step before = history.fine.last() / kFineInCoarse;
  // The last coarse step has ended; the others since then are unknown.
  if (!history.fine.empty() && coarse > before)
    history.coarse.append(before, together(history.fine, before * kFineInCoarse, (before + 1) * kFineInCoarse));
  history.fine.append(fine, point);
}

std::vector<platform::FunctionId> MetricsHistory::functions() const {
  std::vector<platform::FunctionId> out;
  out.reserve(functions_.size());
  for (const auto& [function, history] : functions_) out.push_back(function);
  return out;
}

void MetricsHistory::add_quiet(Step fine) {
  Point none;
  none.known = true;
  for (const auto& [function, history] : functions_)
    if (history.fine.last() < fine) add(function, fine, none);
}

MetricsHistory::Window MetricsHistory::window(const platform::FunctionId& function, std::chrono::sys_seconds now,
                                              std::chrono::seconds length, std::chrono::seconds step) const {
  const bool is_fine = length <= kFineLength;
  const std::chrono::seconds unit = is_fine ? kFineStep : kCoarseStep;
  const Step units = std::max<Step>((step + unit - std::chrono::seconds{1}) / unit, 1);
  Window out{.begin = {}, .step = unit * units, .points = {}};
  // Steps begin where they would for everybody, so that a window that is asked for again fits the one before it.
  const Step end = is_fine ? now.time_since_epoch() / out.step : (now.time_since_epoch() + out.step) / out.step;
  const Step count = (length + out.step - std::chrono::seconds{1}) / out.step;
  out.begin = std::chrono::sys_seconds{out.step * (end - count)};
  out.points.resize(static_cast<std::size_t>(count));
  const auto found = functions_.find(function);
  if (found == functions_.end()) return out;
  const auto& [fine, coarse] = found->second;
  const Step from = (end - count) * units;
  const auto take = [&](Step at, const Point& point) {
    add_behind(out.points[static_cast<std::size_t>((at - from) / units)], point);
  };
  (is_fine ? fine : coarse).each(from, end * units, take);
  // The coarse step that has not ended yet.
  if (!is_fine && !fine.empty()) {
    const Step now_in = fine.last() / kFineInCoarse;
    if (now_in > coarse.last() && now_in >= from && now_in < end * units)
      take(now_in, together(fine, now_in * kFineInCoarse, fine.last() + 1));
  }
  return out;
}

void MetricsHistory::set_triggers(Step fine, std::map<platform::FunctionId, TriggerPoints> triggers) {
  triggers_step_ = fine;
  triggers_ = std::move(triggers);
}

std::optional<MetricsHistory::LastTriggers> MetricsHistory::triggers(const platform::FunctionId& function) const {
  if (!triggers_step_) return std::nullopt;
  LastTriggers out{std::chrono::sys_seconds{kFineStep * *triggers_step_}, {}};
  const auto found = triggers_.find(function);
  if (found != triggers_.end()) out.triggers = found->second;
  return out;
}

std::size_t MetricsHistory::bytes() const {
  std::size_t out = 0;
  for (const auto& [id, history] : functions_) out += history.fine.bytes() + history.coarse.bytes();
  return out;
}

std::string MetricsHistory::write() const {
  std::string out{kFormat};
  for (const auto& [id, history] : functions_) {
    put_text(out, id.namespace_name.value());
    put_text(out, id.name.value());
    history.fine.write(out);
    history.coarse.write(out);
  }
  return out;
}

bool MetricsHistory::read(std::string_view text) {
  if (!text.starts_with(kFormat) && !text.starts_with(kFormatBefore)) return false;
  text.remove_prefix(kFormat.size());
  std::map<platform::FunctionId, History> read;
  while (!text.empty()) {
    std::string space;
    std::string name;
    if (!get_text(text, space) || !get_text(text, name)) return false;
    History& history = read[{Namespace{space}, FunctionName{name}}];
    if (!history.fine.read(text) || !history.coarse.read(text)) return false;
  }
  functions_ = std::move(read);
  return true;
}

}  // namespace nuclio::dashboard
