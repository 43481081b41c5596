// SPDX-License-Identifier: Apache-2.0
// What the stream of events says. Each message is rendered once, whoever gets it.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dashboard/metrics/point.h"
#include "platform/platform.h"

namespace nuclio::dashboard {

enum class Topic { mark, function, project, build, log, metrics };  // a mark is for whoever gets it

struct Message {
  Topic topic;
  platform::ProjectId project;  // that it is of: who may not read that does not get it
  std::string function;         // that it is about; "" for a project
  std::string text;             // as it is sent
};
// Shared by the queues of all streams that are still to send it, and by what is known.
using SharedMessage = std::shared_ptr<const Message>;

using EventNumber = std::uint64_t;
using BuildLines = std::vector<boost::json::object>;

// "id: 7\nevent: synced\ndata: {…}\n\n".
std::string event_text(EventNumber number, std::string_view name, const boost::json::value& data);

// A function as GET shows it, without what is long or secret: of its spec what a list shows, and no logs.
boost::json::value brief(const spec::FunctionConfig& config);

// {"metadata": {"name", "namespace"}} of what has gone.
boost::json::object gone(const Namespace& name_space, const std::string& name);
// `begin`: of a new build, whose lines take the place of those of the one before.
boost::json::object build_lines(const platform::FunctionId& id, bool begin, const BuildLines& lines);
boost::json::object log_lines(const platform::FunctionId& id, const platform::ReplicaName& replica,
                              const std::vector<std::string>& lines);
boost::json::object metrics_sample(const platform::FunctionId& id, const Point& point);

}  // namespace nuclio::dashboard
