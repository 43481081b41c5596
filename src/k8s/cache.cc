// SPDX-License-Identifier: Apache-2.0
#include "k8s/cache.h"

#include <boost/json.hpp>
#include <charconv>
#include <utility>

#include "k8s/json.h"

namespace nuclio::k8s {
namespace {

namespace json = boost::json;

// 0 for what is no number, which is in no order.
std::uint64_t number(std::string_view version) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), value);
  return error == std::errc{} && end == version.data() + version.size() ? value : 0;
}

std::uint64_t version_of(const json::object& object) { return number(resource_version_of(object)); }

bool older(std::uint64_t a, std::uint64_t b) { return a != 0 && b != 0 && a < b; }

bool same_state(const json::object& a, const json::object& b) {
  return uid_of(a) == uid_of(b) && resource_version_of(a) == resource_version_of(b);
}

}  // namespace

Object Cache::kept(json::object object) const {
  if (text_of(object, "apiVersion").empty()) object["apiVersion"] = resource_.api_version();
  if (text_of(object, "kind").empty()) object["kind"] = resource_.kind;
  if (trim_) trim_(object);
  object_in(object, "metadata").erase("managedFields");
  return std::make_shared<const json::object>(std::move(object));
}

Object Cache::find(const ObjectName& name) const {
  const auto found = objects_.find(name);
  return found == objects_.end() ? nullptr : found->second;
}

void Cache::store(const ObjectName& name, Object now, Changes& changes) {
  Object& place = objects_[name];
  changes.push_back({place, now});
  place = std::move(now);
}

void Cache::erase(const ObjectName& name, Changes& changes) {
  const auto found = objects_.find(name);
  if (found == objects_.end()) return;
  changes.push_back({std::move(found->second), nullptr});
  objects_.erase(found);
}

// The watch has said all up to this version.
void Cache::pass(std::string_view version, Changes& changes) {
  if (version.empty() || older(number(version), number(version_))) return;
  version_ = version;
  const std::uint64_t passed = number(version);
  while (!unconfirmed_.empty() && unconfirmed_.begin()->first < passed) {
    const auto [put, name] = *unconfirmed_.begin();
    unconfirmed_.erase(unconfirmed_.begin());
    if (const Object known = find(name); known && version_of(*known) == put) erase(name, changes);
  }
}

void Cache::list_begins() {
  listing_ = true;
  put_lately_.clear();
  gone_lately_.clear();
}

Changes Cache::list(ObjectList list) {
  Changes changes;
  const std::uint64_t version = number(list.resource_version);
  std::map<ObjectName, Object> before = std::exchange(objects_, {});
  const auto known_before = [&before](const ObjectName& name) {
    const auto found = before.find(name);
    return found == before.end() ? nullptr : found->second;
  };
  for (json::object& item : list.items) {
    const ObjectName name = name_of(item);
    const auto gone = gone_lately_.find(std::string(uid_of(item)));
    if (gone != gone_lately_.end() && gone->second == resource_version_of(item)) continue;
    Object now = kept(std::move(item));
    const Object known = known_before(name);
    if (known && same_state(*known, *now) && *known == *now) now = known;
    objects_.insert_or_assign(name, std::move(now));
  }
  list.items.clear();
  std::erase_if(unconfirmed_, [&](const auto& each) {
    const auto& [put, name] = each;
    const Object known = known_before(name);
    if (put <= version || !put_lately_.contains(name) || !known || version_of(*known) != put) return true;
    objects_.insert_or_assign(name, known);
    return false;
  });
  for (const auto& [name, now] : objects_)
    if (Object known = known_before(name); known != now) changes.push_back({std::move(known), now});
  for (auto& [name, known] : before)
    if (!objects_.contains(name)) changes.push_back({std::move(known), nullptr});
  version_ = list.resource_version;
  listing_ = false;
  put_lately_.clear();
  gone_lately_.clear();
  return changes;
}

Changes Cache::changed(json::object object) {
  Changes changes;
  const std::string version{resource_version_of(object)};
  if (older(number(version), number(version_))) return changes;
  const ObjectName name = name_of(object);
  const Object known = find(name);
  const bool says_news = !known || (!same_state(*known, object) && !older(number(version), version_of(*known)));
  if (says_news) {
    store(name, kept(std::move(object)), changes);
  } else {
    std::erase_if(unconfirmed_, [&](const auto& each) { return each.first == number(version) && each.second == name; });
  }
  pass(version, changes);
  return changes;
}

Changes Cache::deleted(const json::object& object) {
  Changes changes;
  const ObjectName name = name_of(object);
  const Object known = find(name);
  if (known && !older(version_of(object), version_of(*known))) erase(name, changes);
  pass(resource_version_of(object), changes);
  return changes;
}

Changes Cache::bookmark(std::string_view version) {
  Changes changes;
  pass(version, changes);
  return changes;
}

Changes Cache::put(json::object object) {
  Changes changes;
  const std::uint64_t version = version_of(object);
  if (version == 0) return changes;  // of which nobody could say whether it is newer
  const ObjectName name = name_of(object);
  const Object known = find(name);
  if (known ? version <= version_of(*known) : version <= number(version_)) return changes;
  store(name, kept(std::move(object)), changes);
  unconfirmed_.emplace(version, name);
  if (listing_) put_lately_.insert(name);
  return changes;
}

Changes Cache::put_gone(const ObjectName& name, std::string_view uid) {
  Changes changes;
  const Object known = find(name);
  if (!known || (!uid.empty() && uid_of(*known) != uid)) return changes;
  if (listing_) gone_lately_.insert_or_assign(std::string(uid_of(*known)), std::string(resource_version_of(*known)));
  erase(name, changes);
  return changes;
}

}  // namespace nuclio::k8s
