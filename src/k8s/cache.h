// SPDX-License-Identifier: Apache-2.0
// What is believed of a kind's objects. Lists, watches and answers to our own writes each tell a part, and not always
// in the order in which things happened.
#pragma once
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "k8s/api.h"
#include "k8s/informer.h"
#include "k8s/resource.h"

namespace nuclio::k8s {

struct Change {
  Object before;
  Object now;
};
using Changes = std::vector<Change>;

// Lives on one thread; does no I/O. Its rules:
//  - A list counts, whatever was known: a store may have been put back, and begin anew with smaller versions. Only
//    what was put while the list was made, and is newer than it, stands beside it.
//  - Within a watch that goes on from a list versions grow, so an event with a smaller one says what we know.
//  - What was put stays until the watch is past its version; by then the watch has said it, or it is not of those that
//    we were to see.
class Cache {
 public:
  using Trim = std::function<void(boost::json::object&)>;
  Cache(Resource resource, Trim trim) : resource_(resource), trim_(std::move(trim)) {}

  void list_begins();
  Changes list(ObjectList list);
  Changes changed(boost::json::object object);
  Changes deleted(const boost::json::object& object);
  Changes bookmark(std::string_view version);
  Changes put(boost::json::object object);
  Changes put_gone(const ObjectName& name, std::string_view uid);

  // Where a watch goes on.
  const std::string& version() const { return version_; }
  Object find(const ObjectName& name) const;
  const std::map<ObjectName, Object>& objects() const { return objects_; }

 private:
  Object kept(boost::json::object object) const;
  void pass(std::string_view version, Changes& changes);
  void store(const ObjectName& name, Object now, Changes& changes);
  void erase(const ObjectName& name, Changes& changes);

  Resource resource_;
  Trim trim_;
  std::map<ObjectName, Object> objects_;
  std::string version_;
  std::multimap<std::uint64_t, ObjectName> unconfirmed_;  // that were put, by version; the watch is not there yet
  std::set<ObjectName> put_lately_;                       // since the list began
  std::map<std::string, std::string> gone_lately_;        // likewise: uid, and the version that it had
  bool listing_ = false;
};

}  // namespace nuclio::k8s
