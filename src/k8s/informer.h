// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "k8s/api.h"
#include "k8s/resource.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "loop/wait_list.h"

namespace nuclio::k8s {

// An object as it was when it was seen: shared by the cache and those who look at it, and never changed.
using Object = std::shared_ptr<const boost::json::object>;

// How long it waits for what.
struct InformerTimes {
  std::chrono::milliseconds first_pause{100};  // after a failure; doubles with each, give or take a quarter
  std::chrono::milliseconds longest_pause{30'000};
  std::chrono::seconds shortest_watch{300};  // a watch is to last that long, up to twice as long
  std::chrono::milliseconds grace{30'000};   // and counts as dead when the server has not ended it by then
  // Or when nothing is heard for so long: a server sends a bookmark each minute, if nothing else.
  std::chrono::milliseconds longest_silence{150'000};
};

struct InformerOptions {
  Resource resource;
  std::string namespace_name = {};  // "" for all
  std::string label_selector = {};
  // What is kept of an object, to save memory; metadata.managedFields is never kept, but this may look at it. Empty
  // keeps the rest. It must bear to be given what it has trimmed before.
  std::function<void(boost::json::object&)> trim = {};
  InformerTimes times = {};
};

// Knows all objects of a kind as they are, or were a moment ago: lists, watches, and begins anew when the server has
// forgotten where it was (410), when a watch ends, is silent for too long, or says what is no JSON. It survives a
// server that is gone for hours (with growing pauses), one that comes back with fewer objects, and one that comes back
// with an older store: what is there counts, not the order of resource versions.
//
// Lives on its loop's thread; `api` outlives it.
class Informer {
 public:
  // `changed` is called for each object that was added, changed (its resourceVersion is another) or has gone, with
  // what was there before and what is now; either may be null. In the order of changes, and not from within a call of
  // ours: what was put is told a moment later.
  using Changed = std::function<void(const Object& before, const Object& now)>;
  Informer(Loop& loop, Api& api, InformerOptions options, Changed changed);
  ~Informer();

  // Works in the background from now on, until it is destroyed.
  void start();
  // True once all objects were seen for the first time.
  bool synced() const;
  // Why::timeout at the deadline, with the last error of the server if there was one (Why::forbidden and
  // Why::not_found at once: no rights, no such kind).
  Task<Result<void>> wait_synced(Deadline deadline);
  // Why it does not know what is there at the moment: the last error; fine while it watches.
  const Result<void>& health() const;

  Object find(const ObjectName& name) const;  // null when there is none
  std::vector<Object> all() const;            // by namespace and name
  // Those in its namespace whose name begins like that, by name; looks at no others.
  std::vector<Object> with_prefix(const ObjectName& prefix) const;
  std::size_t size() const;

  // What the server answered to a write of ours, so that we read what we wrote. Ignored when the cache has that object
  // in a newer state already (numeric resourceVersion), or when it was written before a relist that no longer has it.
  void put(boost::json::object object);
  void put_gone(const ObjectName& name, std::string_view uid);

  // Notified with every change of an object and of health.
  WaitList& changed();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nuclio::k8s
