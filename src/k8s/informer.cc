// SPDX-License-Identifier: Apache-2.0
#include "k8s/informer.h"

#include <algorithm>
#include <boost/json.hpp>
#include <deque>
#include <random>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "k8s/cache.h"
#include "k8s/url.h"
#include "k8s/watch.h"
#include "loop/group.h"
#include "loop/run.h"

namespace nuclio::k8s {
namespace {

namespace json = boost::json;

constexpr Bytes kLongestLine{16u << 20};  // an event is an object, and etcd takes none of more than 1.5 MiB
constexpr std::chrono::seconds kListPatience{120};
constexpr std::chrono::seconds kHeadPatience{30};
// So often a version may be too old in a row, before somebody is told.
constexpr int kForgottenInARow = 3;

std::int64_t random_between(std::int64_t least, std::int64_t most) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::uniform_int_distribution<std::int64_t>{least, most}(random);
}

}  // namespace

struct Informer::State {
  State(Loop& its_loop, Api& its_api, InformerOptions wanted, Changed tell)
      : loop(its_loop),
        api(its_api),
        options(std::move(wanted)),
        changed(std::move(tell)),
        cache(options.resource, options.trim),
        health(fail(Why::unavailable, std::string(options.resource.plural) + " were not listed yet")),
        news(loop),
        put(loop),
        work(loop) {}

  // The whole life of an informer.
  Task<void> run() {
    for (;;) {
      const Result<void> lost = co_await follow();
      if (!lost) failed(lost.error());
      co_await loop.sleep(pause());
    }
  }

  // Lists, and watches from there on until that does not go on.
  Task<Result<void>> follow() {
    cache.list_begins();
    ListOptions all;
    all.label_selector = options.label_selector;
    all.trim = options.trim;
    CO_TRY(ObjectList list,
           co_await api.list(options.resource, options.namespace_name, std::move(all), Deadline::in(kListPatience)));
    tell(cache.list(std::move(list)));
    synced = true;
    for (;;) {
      CO_TRY(const Ended ended, co_await watch());
      // A server that goes away says good-bye properly, and another may come in its place, with another store: only a
      // watch that ended when it was to end goes on where it was.
      if (ended == Ended::early) co_return Result<void>{};
    }
  }

  enum class Ended { as_planned, early };
  Task<Result<Ended>> watch() {
    const auto shortest = options.times.shortest_watch.count();
    const std::chrono::seconds length{random_between(shortest, 2 * shortest)};
    const SteadyTime begin = std::chrono::steady_clock::now();
    const Deadline end = Deadline::at(begin + length + options.times.grace);
    CO_TRY(http::ClientStream stream,
           co_await api.open(watch_path(length), earlier(Deadline::in(kHeadPatience), end), end));
    well();
    Lines lines{kLongestLine};
    for (;;) {
      auto heard = co_await within(loop, Deadline::in(options.times.longest_silence), stream.body->next());
      if (!heard) co_return fail(Why::timeout, "watching " + followed() + ": nothing was heard for too long");
      auto piece = *std::move(heard);
      const bool has_lasted = std::chrono::steady_clock::now() - begin >= options.times.longest_pause;
      if (has_lasted) failures = 0;
      if (!piece) co_return fail(std::move(piece).error());
      if (!*piece) break;
      lines.add(**piece);
      if (auto taken = take(lines); !taken) co_return fail(std::move(taken).error().in("watching " + followed()));
    }
    const auto lasted = std::chrono::steady_clock::now() - begin;
    co_return lasted + std::chrono::seconds{1} > length ? Ended::as_planned : Ended::early;
  }

  std::string watch_path(std::chrono::seconds length) const {
    std::string path = path_of(options.resource, options.namespace_name) + "?watch=1&allowWatchBookmarks=true";
    add_query(path, "resourceVersion", cache.version());
    add_query(path, "timeoutSeconds", std::to_string(length.count()));
    add_query(path, "labelSelector", options.label_selector);
    return path;
  }

  Result<void> take(Lines& lines) {
    for (;;) {
      TRY(const auto line, lines.next());
      if (!line) return {};
      TRY(WatchEvent event, parse_watch_line(*line));
      take(std::move(event));
    }
  }
  void take(WatchEvent event) {
    switch (event.type) {
      case WatchEvent::Type::changed: tell(cache.changed(std::move(event.object))); break;
      case WatchEvent::Type::deleted: tell(cache.deleted(event.object)); break;
      case WatchEvent::Type::bookmark: tell(cache.bookmark(resource_version_of(event.object))); break;
    }
  }

  std::string followed() const {
    return std::string(options.resource.plural) +
           (options.namespace_name.empty() ? std::string{} : " in " + options.namespace_name);
  }

  // One line in the log when it begins to fail, and one when it is well again, however often it was tried.
  void failed(const Error& error) {
    // To be forgotten by a busy server is nothing to worry about.
    if (error.why == Why::precondition && failures < kForgottenInARow) return;
    if (!std::exchange(complained, true))
      log::warn("Kubernetes objects cannot be followed", {{"objects", followed()}, {"error", error.what}});
    health = fail(error);
    news.notify_all();
  }

  void well() {
    if (std::exchange(complained, false)) log::info("Kubernetes objects are followed again", {{"objects", followed()}});
    if (health) return;
    health = {};
    news.notify_all();
  }

  std::chrono::nanoseconds pause() {
    std::chrono::milliseconds length = options.times.first_pause;
    for (int i = 0; i < failures && length < options.times.longest_pause; ++i) length *= 2;
    ++failures;
    return std::min(length, options.times.longest_pause) * random_between(75, 125) / 100;
  }

  void tell(Changes changes) {
    remember(std::move(changes));
    deliver();
  }
  void remember(Changes changes) {
    std::ranges::move(changes, std::back_inserter(untold));
    if (!untold.empty()) news.notify_all();
  }
  // One after the other, also when who is told puts something.
  void deliver() {
    if (std::exchange(delivering, true)) return;
    while (!untold.empty()) {
      const Change change = std::move(untold.front());
      untold.pop_front();
      if (changed) changed(change.before, change.now);
    }
    delivering = false;
  }
  Task<void> deliver_puts() {
    for (;;) {
      deliver();
      (void)co_await put.wait();
    }
  }

  Loop& loop;
  Api& api;
  InformerOptions options;
  Changed changed;
  Cache cache;
  Result<void> health;
  WaitList news;
  WaitList put;
  std::deque<Change> untold;
  bool delivering = false;
  bool synced = false;
  bool complained = false;
  int failures = 0;  // in a row: since a watch lasted
  Group work;
};

Informer::Informer(Loop& loop, Api& api, InformerOptions options, Changed changed)
    : state_(std::make_unique<State>(loop, api, std::move(options), std::move(changed))) {}

Informer::~Informer() = default;

void Informer::start() {
  CHECK(state_->work.size() == 0);
  state_->work.spawn(state_->deliver_puts());
  state_->work.spawn(state_->run());
}

bool Informer::synced() const { return state_->synced; }

Task<Result<void>> Informer::wait_synced(Deadline deadline) {
  for (;;) {
    if (state_->synced) co_return Result<void>{};
    const Result<void>& health = state_->health;
    if (!health && (health.error().why == Why::forbidden || health.error().why == Why::not_found))
      co_return fail(health.error());
    const bool news = co_await state_->news.wait(deadline);
    if (!news && !state_->synced) {
      std::string what = state_->followed() + " were not seen in time";
      if (!state_->health) what += ": " + state_->health.error().what;
      co_return fail(Why::timeout, std::move(what));
    }
  }
}

const Result<void>& Informer::health() const { return state_->health; }

Object Informer::find(const ObjectName& name) const { return state_->cache.find(name); }

std::vector<Object> Informer::all() const {
  std::vector<Object> objects;
  objects.reserve(size());
  for (const auto& [name, object] : state_->cache.objects()) objects.push_back(object);
  return objects;
}

std::vector<Object> Informer::with_prefix(const ObjectName& prefix) const {
  const auto& objects = state_->cache.objects();
  std::vector<Object> out;
  for (auto each = objects.lower_bound(prefix); each != objects.end(); ++each) {
    const ObjectName& name = each->first;
    if (name.namespace_name != prefix.namespace_name || !name.name.starts_with(prefix.name)) break;
    out.push_back(each->second);
  }
  return out;
}

std::size_t Informer::size() const { return state_->cache.objects().size(); }

void Informer::put(json::object object) {
  state_->remember(state_->cache.put(std::move(object)));
  state_->put.notify_all();
}

void Informer::put_gone(const ObjectName& name, std::string_view uid) {
  state_->remember(state_->cache.put_gone(name, uid));
  state_->put.notify_all();
}

WaitList& Informer::changed() { return state_->news; }

}  // namespace nuclio::k8s
