// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "dashboard/auth/sight.h"
#include "dashboard/events/log_follower.h"
#include "dashboard/events/message.h"
#include "dashboard/metrics/collector.h"
#include "http/message.h"
#include "loop/group.h"
#include "loop/list.h"
#include "loop/loop.h"
#include "loop/wait_list.h"
#include "platform/platform.h"

namespace nuclio::dashboard {

// What one client wants to hear of.
struct EventFilter {
  Namespace name_space;
  std::optional<ProjectName> project = {};
  std::set<std::string> logs = {};     // of these functions
  std::set<std::string> metrics = {};  // of these functions; "*" for all
};

struct EventLimits {
  std::size_t streams = 500;
  std::size_t logs = 8;   // that one stream may follow
  Bytes queue{1u << 20};  // of what a client has not taken yet; more, and it is cut
  std::chrono::nanoseconds heartbeat = std::chrono::seconds{15};
  std::chrono::nanoseconds gather = std::chrono::milliseconds{50};  // changes of so long are told together
};

// Tells clients what becomes of functions and projects: at first how everything is, then each change. Renders each
// once, for all; knows nothing while nobody listens. Lives on its loop's thread; the platform outlives it, and it the
// streams that it gave.
class EventHub final : public platform::Observer {
 public:
  EventHub(Loop& loop, platform::Platform& platform, EventLimits limits = {});
  ~EventHub() override;

  // Why::busy when there are too many; Why::not_found for a namespace that is not served; Why::invalid for too many
  // logs.
  Result<std::unique_ptr<http::BodySource>> open(EventFilter filter, Sight sight);
  // Ends all streams, and takes no more.
  void close();
  std::size_t streams() const { return streams_count_; }

  void function_changed(const platform::FunctionId& id) override;
  void project_changed(const platform::ProjectId& id) override;
  void build_logged(const platform::FunctionId& id, const boost::json::object& line) override;
  void collected(const Collected& round);

 private:
  class Stream;
  struct KnownFunction {
    platform::ProjectId project;
    bool building = false;       // its lines were begun
    SharedMessage message = {};  // what was said of it last
    SharedMessage metrics = {};
  };

  Result<void> begin();
  void end();
  Task<void> tell();
  void look_at(const platform::FunctionId& id);
  void look_at(const platform::ProjectId& id);
  void see(const platform::FunctionId& id, const spec::FunctionConfig* config);  // null when it has gone
  void say_lines(const platform::FunctionId& id, const spec::FunctionConfig& config, KnownFunction& known);
  SharedMessage make(Topic topic, const platform::ProjectId& project, std::string function, std::string_view name,
                     const boost::json::value& data);
  void send(SharedMessage message);
  std::vector<SharedMessage> snapshot(const EventFilter& filter);
  LogFollower& follow(const platform::FunctionId& id);
  void left(Stream& stream);

  Loop& loop_;
  platform::Platform& platform_;
  EventLimits limits_;
  EventNumber last_ = 0;
  List<Stream> streams_;
  std::size_t streams_count_ = 0;
  bool closed_ = false;
  std::map<platform::FunctionId, KnownFunction> functions_;
  std::map<platform::ProjectId, SharedMessage> projects_;
  std::set<platform::FunctionId> changed_functions_;
  std::set<platform::ProjectId> changed_projects_;
  std::map<platform::FunctionId, BuildLines> new_lines_;
  struct Followed {
    std::unique_ptr<LogFollower> follower;
    std::size_t streams = 0;  // that want it
  };
  std::map<platform::FunctionId, Followed> followed_;
  WaitList changed_;
  Group work_;
};

}  // namespace nuclio::dashboard
