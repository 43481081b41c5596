// SPDX-License-Identifier: Apache-2.0
#include "processor/event_copy.h"

#include <cstring>
#include <utility>

namespace nuclio::processor {
namespace {

// Calls `each` with every text of the event that is not within a pair.
template <class AnyEvent, class Each>
void for_texts(AnyEvent& event, Each each) {
  for (auto* text : {&event.id, &event.method, &event.path, &event.url, &event.content_type, &event.trigger_kind,
                     &event.trigger_name, &event.type, &event.type_version, &event.version, &event.topic, &event.body})
    each(*text);
}

}  // namespace

EventCopy::EventCopy(const Event& event) : event_(event) {
  pairs_.reserve(event.headers.size() + event.fields.size());
  for (auto pairs : {event.headers, event.fields}) pairs_.insert(pairs_.end(), pairs.begin(), pairs.end());
  std::size_t size = 0;
  for_texts(event, [&](std::string_view text) { size += text.size(); });
  for (const wire::Pair& pair : pairs_) size += pair.name.size() + pair.value.size();
  texts_ = std::make_unique_for_overwrite<char[]>(size);
  char* end = texts_.get();
  auto keep = [&](std::string_view& text) {
    if (!text.empty()) std::memcpy(end, text.data(), text.size());
    text = {std::exchange(end, end + text.size()), text.size()};
  };
  for_texts(event_, keep);
  for (wire::Pair& pair : pairs_) {
    keep(pair.name);
    keep(pair.value);
  }
  event_.headers = {pairs_.data(), event.headers.size()};
  event_.fields = {pairs_.data() + event.headers.size(), event.fields.size()};
}

}  // namespace nuclio::processor
