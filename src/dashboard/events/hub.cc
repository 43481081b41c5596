// SPDX-License-Identifier: Apache-2.0
#include "dashboard/events/hub.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/log.h"
#include "dashboard/api/context.h"
#include "platform/demands.h"
#include "spec/load.h"

namespace nuclio::dashboard {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using platform::FunctionId;
using platform::ProjectId;

constexpr std::size_t kPiece = 64 << 10;  // that a client is given at once

bool says(const SharedMessage& message, std::string_view name, const json::value& data) {
  if (!message) return false;
  std::string_view text = message->text;
  text.remove_prefix(text.find('\n') + 1);
  return text == "event: " + std::string(name) + "\ndata: " + json::serialize(data) + "\n\n";
}

Kind kind_of(const Message& message) { return message.topic == Topic::project ? Kind::project : Kind::function; }

}  // namespace

// One client's. Written to by the hub, and read by the connection when the client has taken what came before.
class EventHub::Stream final : public http::BodySource, public ListLink {
 public:
  Stream(EventHub& hub, EventFilter filter, Sight sight, std::vector<SharedMessage> snapshot)
      : hub_(hub),
        filter_(std::move(filter)),
        sight_(std::move(sight)),
        snapshot_(std::move(snapshot)),
        woken_(hub.loop_) {}
  ~Stream() override { hub_.left(*this); }

  const EventFilter& filter() const { return filter_; }
  bool wants(const Message& message) const {
    if (message.project.namespace_name != filter_.name_space) return false;
    if (filter_.project && message.project.name != *filter_.project) return false;
    if (message.topic == Topic::log) return filter_.logs.contains(message.function);
    if (message.topic == Topic::metrics)
      return filter_.metrics.contains("*") || filter_.metrics.contains(message.function);
    return true;
  }

  void add(const SharedMessage& message) {
    if (cut_) return;
    queue_.push_back(message);
    queued_.count += message->text.size();
    if (queued_.count > hub_.limits_.queue.count) cut();
    woken_.notify_all();
  }
  void end(std::string reason) {
    ending_ = std::move(reason);
    woken_.notify_all();
  }

  Task<Result<std::optional<std::string>>> next() override {
    const Deadline heartbeat = Deadline::in(hub_.limits_.heartbeat);
    for (;;) {
      if (cut_) co_return fail(Why::busy, "the client is too slow for the events that it asked for");
      if (said_end_) co_return std::optional<std::string>{};
      if (expired()) ending_ = "your login has expired";
      if (ending_) {
        said_end_ = true;
        co_return std::optional{event_text(++hub_.last_, "end", json::object{{"reason", *ending_}})};
      }
      std::string piece;
      while (piece.size() < kPiece) {
        SharedMessage message = take();
        if (!message) break;
        if (message->topic == Topic::mark) {
          piece += message->text;
          continue;
        }
        const Kind kind = kind_of(*message);
        auto sees = sight_.remembered(kind, message->project);
        if (!sees) {
          const auto before = seen_.find({kind, message->project});
          auto asked = co_await sight_.sees(kind, message->project);
          // Nobody could say: then nobody is told, and may ask again.
          if (!asked) {
            ending_ = asked.error().what;
            break;
          }
          // What was not told before would be missing, and what was would stay.
          if (before != seen_.end() && before->second != *asked) {
            ending_ = "what you may see has changed";
            break;
          }
          seen_[{kind, message->project}] = *asked;
          sees = *asked;
        }
        if (*sees) piece += message->text;
      }
      if (!piece.empty()) co_return std::optional{std::move(piece)};
      if (cut_ || ending_ || has_more()) continue;
      const bool woken = co_await woken_.wait(earlier(heartbeat, expires()));
      if (!woken && !expired()) co_return std::optional<std::string>{":\n\n"};
    }
  }

 private:
  void cut() {
    cut_ = true;
    queue_.clear();
    snapshot_.clear();
    log::info("A client was too slow for its stream of events", {{"caller", sight_.caller().name}});
  }
  SharedMessage take() {
    if (at_ < snapshot_.size()) {
      SharedMessage next = std::move(snapshot_[at_++]);
      if (at_ == snapshot_.size()) snapshot_ = {};
      if (snapshot_.empty()) at_ = 0;
      return next;
    }
    if (queue_.empty()) return nullptr;
    SharedMessage next = std::move(queue_.front());
    queue_.pop_front();
    queued_.count -= next->text.size();
    return next;
  }
  bool has_more() const { return at_ < snapshot_.size() || !queue_.empty(); }
  bool expired() const {
    return sight_.caller().expires && std::chrono::system_clock::now() >= *sight_.caller().expires;
  }
  Deadline expires() const {
    if (!sight_.caller().expires) return Deadline::never();
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    return Deadline::in(std::min<std::chrono::seconds>(*sight_.caller().expires - now, 24h));
  }

  EventHub& hub_;
  EventFilter filter_;
  Sight sight_;
  std::map<std::pair<Kind, ProjectId>, bool> seen_;  // what it was told by
  std::vector<SharedMessage> snapshot_;              // how everything was when it came, before what the queue has
  std::size_t at_ = 0;
  std::deque<SharedMessage> queue_;
  Bytes queued_{0};
  bool cut_ = false;
  std::optional<std::string> ending_;  // why
  bool said_end_ = false;
  WaitList woken_;
};

EventHub::EventHub(Loop& loop, platform::Platform& platform, EventLimits limits)
    : loop_(loop), platform_(platform), limits_(limits), changed_(loop), work_(loop) {
  platform_.observe(this);
}

EventHub::~EventHub() { platform_.observe(nullptr); }

Result<std::unique_ptr<http::BodySource>> EventHub::open(EventFilter filter, Sight sight) {
  if (closed_) return fail(Why::unavailable, "the dashboard is ending");
  if (streams_count_ >= limits_.streams)
    return fail(Why::busy, "there are " + std::to_string(streams_count_) +
                               " streams of events already; close one, or try again later");
  if (filter.logs.size() > limits_.logs)
    return fail(Why::invalid, "a stream has the logs of at most " + std::to_string(limits_.logs) + " functions, not " +
                                  std::to_string(filter.logs.size()));
  const std::vector<Namespace> served = platform_.namespaces();
  if (std::ranges::find(served, filter.name_space) == served.end())
    return fail(Why::not_found, "namespace \"" + filter.name_space.value() + "\" is not served here");
  if (streams_count_ == 0) TRY_DO(begin());
  ++streams_count_;
  std::vector<SharedMessage> all = snapshot(filter);
  for (const std::string& name : filter.logs) {
    const auto& recent = follow({filter.name_space, FunctionName{name}}).recent();
    all.insert(all.end(), recent.begin(), recent.end());
  }
  // From here on it gets what is sent, which is what the snapshot does not have.
  auto stream = std::make_unique<Stream>(*this, std::move(filter), std::move(sight), std::move(all));
  streams_.push_back(*stream);
  return stream;
}

void EventHub::close() {
  closed_ = true;
  streams_.for_each([](Stream& stream) { stream.end("the dashboard is ending"); });
}

void EventHub::left(Stream& stream) {
  stream.unlink();
  for (const std::string& name : stream.filter().logs) {
    const auto found = followed_.find({stream.filter().name_space, FunctionName{name}});
    if (found != followed_.end() && --found->second.streams == 0) followed_.erase(found);
  }
  if (--streams_count_ == 0) end();
}

// Looks at everything, once, for all who listen from now on.
Result<void> EventHub::begin() {
  for (const Namespace& name_space : platform_.namespaces()) {
    TRY(const auto projects, platform_.projects(name_space));
    for (const spec::Project& each : projects) look_at(platform::id_of(each));
    TRY(const auto functions, platform_.functions(name_space, {}));
    for (const spec::FunctionConfig& each : functions) see(platform::id_of(each), &each);
  }
  work_.spawn(tell());
  return {};
}

void EventHub::end() {
  work_.cancel();
  functions_.clear();
  projects_.clear();
  changed_functions_.clear();
  changed_projects_.clear();
  new_lines_.clear();
}

void EventHub::function_changed(const FunctionId& id) {
  if (streams_count_ == 0) return;
  changed_functions_.insert(id);
  changed_.notify_all();
  const auto followed = followed_.find(id);
  if (followed != followed_.end()) followed->second.follower->replicas_changed();
}

void EventHub::project_changed(const ProjectId& id) {
  if (streams_count_ == 0) return;
  changed_projects_.insert(id);
  changed_.notify_all();
}

void EventHub::build_logged(const FunctionId& id, const json::object& line) {
  if (streams_count_ == 0) return;
  new_lines_[id].push_back(line);
  function_changed(id);
}

Task<void> EventHub::tell() {
  for (;;) {
    while (changed_functions_.empty() && changed_projects_.empty()) (void)co_await changed_.wait();
    co_await loop_.sleep(limits_.gather);
    for (const ProjectId& each : std::exchange(changed_projects_, {})) look_at(each);
    for (const FunctionId& each : std::exchange(changed_functions_, {})) look_at(each);
    new_lines_.clear();  // of functions that are not there
  }
}

void EventHub::look_at(const ProjectId& id) {
  const auto project = platform_.project(id);
  SharedMessage& known = projects_[id];
  if (!project) {
    if (known) send(make(Topic::project, id, "", "project-gone", gone(id.namespace_name, id.name.value())));
    projects_.erase(id);
    return;
  }
  const json::value data = with_all_parts(spec::to_json(*project));
  if (says(known, "project", data)) return;
  known = make(Topic::project, id, "", "project", data);
  send(known);
}

void EventHub::look_at(const FunctionId& id) {
  const auto config = platform_.function(id);
  see(id, config ? &*config : nullptr);
}

void EventHub::see(const FunctionId& id, const spec::FunctionConfig* config) {
  const auto before = functions_.find(id);
  const std::string& name = id.name.value();
  const bool moved = before != functions_.end() && config &&
                     before->second.project != ProjectId{id.namespace_name, platform::project_of(*config)};
  // Who may see the project that it was in need not see the one that it is in now.
  if (before != functions_.end() && (!config || moved)) {
    send(make(Topic::function, before->second.project, name, "function-gone", gone(id.namespace_name, name)));
    functions_.erase(before);
  }
  if (!config) return;
  const ProjectId project{id.namespace_name, platform::project_of(*config)};
  KnownFunction& known = functions_.try_emplace(id, KnownFunction{.project = project}).first->second;
  say_lines(id, *config, known);
  const json::value data = brief(*config);
  if (says(known.message, "function", data)) return;
  known.message = make(Topic::function, known.project, name, "function", data);
  send(known.message);
}

void EventHub::say_lines(const FunctionId& id, const spec::FunctionConfig& config, KnownFunction& known) {
  const bool building = !spec::provisioned(config.status.state);
  const bool begins = building && !known.building;
  known.building = building;
  auto lines = new_lines_.extract(id);
  const std::size_t news = lines.empty() ? 0 : lines.mapped().size();
  // One that is over already when we look may have begun since we looked last: then all its lines are new.
  if (begins || (news > 0 && news >= config.status.logs.size())) {
    send(make(Topic::build, known.project, id.name.value(), "build",
              build_lines(id, true, begins ? config.status.logs : lines.mapped())));
  } else if (news > 0) {
    send(make(Topic::build, known.project, id.name.value(), "build", build_lines(id, false, lines.mapped())));
  }
}

void EventHub::collected(const Collected& round) {
  if (streams_count_ == 0) return;
  for (auto& [id, known] : functions_) {
    const auto found = round.find(id);
    Point none;
    none.known = true;
    if (found == round.end() && !known.metrics) continue;
    const json::value data = metrics_sample(id, found == round.end() ? none : found->second);
    // One that is idle has nothing to say.
    if (says(known.metrics, "metrics", data)) continue;
    known.metrics = make(Topic::metrics, known.project, id.name.value(), "metrics", data);
    send(known.metrics);
  }
}

SharedMessage EventHub::make(Topic topic, const ProjectId& project, std::string function, std::string_view name,
                             const json::value& data) {
  return std::make_shared<const Message>(Message{topic, project, std::move(function), event_text(++last_, name, data)});
}

void EventHub::send(SharedMessage message) {
  streams_.for_each([&](Stream& stream) {
    if (stream.wants(*message)) stream.add(message);
  });
}

// All that is known, between an event that says that it begins and one that says that it is complete.
std::vector<SharedMessage> EventHub::snapshot(const EventFilter& filter) {
  std::vector<SharedMessage> out;
  const ProjectId none{filter.name_space, ProjectName{""}};
  const auto mark = [&](std::string_view name) {
    out.push_back(make(Topic::mark, none, "", name, json::object{{"namespace", filter.name_space.value()}}));
  };
  const auto take = [&](const SharedMessage& message) {
    if (!message || message->project.namespace_name != filter.name_space) return;
    if (!filter.project || message->project.name == *filter.project) out.push_back(message);
  };
  mark("snapshot");
  for (const auto& [id, message] : projects_) take(message);
  for (const auto& [id, known] : functions_) {
    take(known.message);
    const bool wanted = filter.metrics.contains("*") || filter.metrics.contains(id.name.value());
    if (wanted) take(known.metrics);
    if (!known.building || id.namespace_name != filter.name_space) continue;
    const auto config = platform_.function(id);
    if (config)
      take(make(Topic::build, known.project, id.name.value(), "build", build_lines(id, true, config->status.logs)));
  }
  mark("synced");
  return out;
}

LogFollower& EventHub::follow(const FunctionId& id) {
  Followed& followed = followed_[id];
  ++followed.streams;
  if (!followed.follower)
    followed.follower = std::make_unique<LogFollower>(
        loop_, platform_, id, [this, id](const platform::ReplicaName& replica, const std::vector<std::string>& lines) {
          const auto known = functions_.find(id);
          const ProjectId project =
              known == functions_.end() ? ProjectId{id.namespace_name, ProjectName{""}} : known->second.project;
          SharedMessage message = make(Topic::log, project, id.name.value(), "log", log_lines(id, replica, lines));
          send(message);
          return message;
        });
  return *followed.follower;
}

}  // namespace nuclio::dashboard
