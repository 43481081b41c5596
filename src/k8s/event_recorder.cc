// SPDX-License-Identifier: Apache-2.0
#include "k8s/event_recorder.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include "base/log.h"
#include "k8s/json.h"
#include "k8s/time.h"
#include "loop/group.h"
#include "loop/wait_list.h"

namespace nuclio::k8s {
namespace {

namespace json = boost::json;

constexpr std::chrono::minutes kSameFor{10};
constexpr std::chrono::milliseconds kObjectEvery{500};  // on average, for an object,
constexpr int kObjectBurst = 5;                         // after so many at once
constexpr std::size_t kMostEvents = 1000;               // that are known
constexpr std::chrono::seconds kPatience{10};
constexpr int kAttempts = 4;
constexpr std::size_t kLongestNote = 1024;
constexpr std::size_t kLongestWord = 128;
constexpr std::size_t kLongestName = 253;

// Not within a character of UTF-8.
std::string cut(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  text.resize(most);
  return text;
}

std::string hexadecimal(std::uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return text;
}

std::uint64_t random_number() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  return random();
}

json::object reference_to(const json::object& about) {
  json::object reference;
  for (const char* field : {"apiVersion", "kind"})
    if (const auto text = text_of(about, field); !text.empty()) reference[field] = text;
  for (const char* field : {"namespace", "name", "uid", "resourceVersion"})
    if (const auto text = text_in(about, field); !text.empty()) reference[field] = text;
  return reference;
}

bool may_pass(Why why) {
  return why == Why::unavailable || why == Why::timeout || why == Why::busy || why == Why::internal;
}

}  // namespace

struct EventRecorder::State {
  State(Loop& its_loop, Api& its_api, std::string its_component, std::string its_instance,
        std::chrono::milliseconds every)
      : loop(its_loop),
        api(its_api),
        component(std::move(its_component)),
        instance(std::move(its_instance)),
        count_every(every),
        news(loop),
        sender(loop) {}

  struct Event {
    std::string key;
    ObjectName name;
    json::object body;
    SteadyTime first;
    SteadyTime due;  // when it may be sent
    int count = 1;
    int told = 0;  // of these
    int attempts = 0;
    std::string last_time;
  };
  using Events = std::list<Event>;

  void record(const json::object& about, EventType type, std::string reason, std::string action, std::string note) {
    const SteadyTime now = std::chrono::steady_clock::now();
    forget_old(now);
    const ObjectName object = name_of(about);
    const std::string id = std::string(uid_of(about)) + " " + std::string(text_of(about, "kind")) + " " + object.text();
    reason = cut(std::move(reason), kLongestWord);
    action = cut(std::move(action), kLongestWord);
    note = cut(std::move(note), kLongestNote);
    const char* kind = type == EventType::warning ? "Warning" : "Normal";
    const std::string key = id + "\n" + kind + "\n" + reason + "\n" + action + "\n" + note;
    const std::string time = micro_time(std::chrono::system_clock::now());
    if (const auto known = by_key.find(key); known != by_key.end()) {
      Event& event = *known->second;
      if (!waits(event)) news.notify_all();
      ++event.count;
      event.last_time = time;
      return;
    }
    if (events.size() >= kMostEvents && !make_room()) return drop(object);
    const auto due = due_for(id, now);
    if (!due) return drop(object);

    Event event{.key = key, .first = now, .due = *due, .last_time = time};
    // An event about what is in no namespace is in this one.
    event.name.namespace_name = object.namespace_name.empty() ? "default" : object.namespace_name;
    event.name.name = cut(object.name, kLongestName - 17) + "." + hexadecimal(random_number());
    event.body = {{"metadata", {{"namespace", event.name.namespace_name}, {"name", event.name.name}}},
                  {"eventTime", time},
                  {"reportingController", component},
                  {"reportingInstance", instance},
                  {"action", action},
                  {"reason", reason},
                  {"regarding", reference_to(about)},
                  {"note", note},
                  {"type", kind}};
    events.push_back(std::move(event));
    by_key[key] = std::prev(events.end());
    news.notify_all();
  }

  // The time at which an object's next event may be sent: some at once, and then one after the other. Nothing when that
  // is too far away.
  std::optional<SteadyTime> due_for(const std::string& id, SteadyTime now) {
    SteadyTime& next = next_of[id];
    const SteadyTime mine = std::max(next, now - kObjectEvery * (kObjectBurst - 1));
    if (mine > now + kSameFor) return {};
    next = mine + kObjectEvery;
    return std::max(mine, now);
  }

  bool waits(const Event& event) const { return event.told < event.count; }

  void forget(Events::iterator event) {
    by_key.erase(event->key);
    events.erase(event);
  }
  void forget_old(SteadyTime now) {
    for (auto event = events.begin(); event != events.end();) {
      const auto next = std::next(event);
      if (now - event->first >= kSameFor && !waits(*event) && &*event != sending) forget(event);
      event = next;
    }
    if (next_of.size() > kMostEvents) std::erase_if(next_of, [now](const auto& each) { return each.second <= now; });
  }
  // The oldest one that was told is forgotten: when it comes again, it is told anew.
  bool make_room() {
    const auto told =
        std::ranges::find_if(events, [this](const Event& event) { return !waits(event) && &event != sending; });
    if (told == events.end()) return false;
    forget(told);
    return true;
  }
  void drop(const ObjectName& object) {
    if (!std::exchange(dropped, true))
      log::warn("There are more Kubernetes events than can be told; some are left out", {{"object", object.text()}});
  }

  // One at a time, the one that is due first.
  Task<void> send_all() {
    for (;;) {
      Event* next = nullptr;
      for (Event& event : events)
        if (waits(event) && (!next || event.due < next->due)) next = &event;
      if (!next) {
        dropped = false;
        (void)co_await news.wait();
        continue;
      }
      if (next->due > std::chrono::steady_clock::now()) {
        (void)co_await news.wait(Deadline::at(next->due));  // another one may be sooner
        continue;
      }
      co_await send(*next);
    }
  }

  Task<void> send(Event& event) {
    sending = &event;
    const int count = event.count;
    const bool is_new = event.told == 0;
    Result<void> sent;
    if (is_new) {
      json::object body = event.body;
      auto answer = co_await api.create(kEvents, std::move(body), Deadline::in(kPatience));
      // That it is there already says that the attempt before was done, though its answer got lost.
      if (!answer && answer.error().why != Why::conflict) sent = fail(std::move(answer).error());
    } else {
      json::object series{{"count", count}, {"lastObservedTime", event.last_time}};
      json::object patch{{"series", std::move(series)}};
      auto answer = co_await api.merge(kEvents, event.name, std::move(patch), "", Deadline::in(kPatience));
      if (!answer) sent = fail(std::move(answer).error());
    }
    sending = nullptr;
    const SteadyTime now = std::chrono::steady_clock::now();
    const auto place = by_key.at(event.key);
    if (sent) {
      event.told = is_new ? 1 : count;
      event.attempts = 0;
      event.due = now + count_every;
    } else if (may_pass(sent.error().why) && ++event.attempts < kAttempts) {
      event.due = now + std::chrono::seconds{1 << event.attempts};
    } else {
      log::debug("A Kubernetes event could not be told", {{"error", sent.error().what}});
      forget(place);
    }
  }

  Loop& loop;
  Api& api;
  std::string component;
  std::string instance;
  std::chrono::milliseconds count_every;
  Events events;
  std::map<std::string, Events::iterator> by_key;
  std::map<std::string, SteadyTime> next_of;  // by object
  Event* sending = nullptr;
  bool dropped = false;
  WaitList news;
  Group sender;
};

EventRecorder::EventRecorder(Loop& loop, Api& api, std::string component, std::string instance,
                             std::chrono::milliseconds count_every)
    : state_(std::make_unique<State>(loop, api, std::move(component), std::move(instance), count_every)) {
  state_->sender.spawn(state_->send_all());
}

EventRecorder::~EventRecorder() = default;

void EventRecorder::record(const json::object& about, EventType type, std::string reason, std::string action,
                           std::string note) {
  state_->record(about, type, std::move(reason), std::move(action), std::move(note));
}

}  // namespace nuclio::k8s
