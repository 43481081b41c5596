// SPDX-License-Identifier: Apache-2.0
// An API server for the tests: objects of any kind in memory, lists in pages, watches, and faults by order.
#pragma once
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/client.h"
#include "http/router.h"
#include "http/test_server.h"
#include "k8s/api.h"
#include "k8s/json.h"
#include "k8s/resource.h"
#include "loop/wait_list.h"

namespace nuclio::k8s {

namespace json = boost::json;
using namespace std::chrono_literals;

inline json::object parsed(std::string_view text) { return json::parse(text).as_object(); }

// Text that is sent as it comes, until somebody ends or cuts it.
struct Feed {
  explicit Feed(Loop& loop) : changed(loop) {}
  void say(std::string text) {
    waiting.push_back(std::move(text));
    changed.notify_all();
  }
  void end() { finish(Ended::properly); }
  void cut() { finish(Ended::cut); }

  enum class Ended { no, properly, cut };
  void finish(Ended how) {
    ended = how;
    changed.notify_all();
  }
  std::deque<std::string> waiting;
  Ended ended = Ended::no;
  std::string asked;  // the request's target
  WaitList changed;
};

class FeedBody final : public http::BodySource {
 public:
  // Shared with the test, which speaks through it.
  explicit FeedBody(std::shared_ptr<Feed> feed) : feed_(std::move(feed)) {}
  ~FeedBody() override { feed_->ended = Feed::Ended::cut; }
  Task<Result<std::optional<std::string>>> next() override {
    for (;;) {
      if (!feed_->waiting.empty()) {
        std::optional<std::string> piece = std::move(feed_->waiting.front());
        feed_->waiting.pop_front();
        co_return std::move(piece);
      }
      if (feed_->ended == Feed::Ended::properly) co_return std::optional<std::string>{};
      if (feed_->ended == Feed::Ended::cut) co_return fail(Why::unavailable, "cut by the test");
      (void)co_await feed_->changed.wait();
    }
  }

 private:
  std::shared_ptr<Feed> feed_;
};

struct Asked {
  std::string method;
  std::string target;
  std::string content_type;
  std::string authorization;
  json::value body;
};

class TestApiServer {
 public:
  TestApiServer() : server([this](http::Request& request) { return answer(request); }) {}
  TestApiServer(const TestApiServer&) = delete;
  ~TestApiServer() {
    for (const auto& feed : feeds) feed->cut();
  }

  Cluster cluster() const {
    Cluster cluster;
    cluster.server = server.url("");
    return cluster;
  }
  Loop& loop() { return server.loop; }

  // Writes as another client would.
  json::object set(const Resource& resource, const ObjectName& name, json::object object = {}) {
    json::object& metadata = object_in(object, "metadata");
    const std::string collection = path_of(resource, "");
    auto& objects = stored[collection];
    const auto known = objects.find(name);
    if (!name.namespace_name.empty()) metadata["namespace"] = name.namespace_name;
    metadata["name"] = name.name;
    if (!metadata.contains("uid"))
      metadata["uid"] =
          known == objects.end() ? "uid-" + std::to_string(revision + 1) : std::string(uid_of(known->second));
    metadata["resourceVersion"] = std::to_string(++revision);
    const bool is_new = known == objects.end();
    objects[name] = object;
    tell(collection, is_new ? "ADDED" : "MODIFIED", object);
    return object;
  }
  void erase(const Resource& resource, const ObjectName& name) {
    const std::string collection = path_of(resource, "");
    json::object object = stored[collection].at(name);
    stored[collection].erase(name);
    object_in(object, "metadata")["resourceVersion"] = std::to_string(++revision);
    tell(collection, "DELETED", object);
  }
  static std::string line(std::string_view type, const json::object& object) {
    return json::serialize(json::object{{"type", type}, {"object", object}}) + "\n";
  }
  static std::string status(int code, const std::string& message) {
    return json::serialize(json::object{{"kind", "Status"}, {"code", code}, {"message", message}});
  }

  http::TestServer server;
  int revision = 100;
  bool watches_speak = true;  // else they are silent, unless the test speaks through a feed
  std::map<std::string, std::map<ObjectName, json::object>> stored;
  std::vector<std::shared_ptr<Feed>> feeds;  // of all watches, in the order in which they began
  std::vector<Asked> asked;
  // Answers instead, when it says something.
  std::function<std::optional<http::Response>(const Asked&)> instead;

  std::size_t count(std::string_view method, std::string_view part) const {
    return static_cast<std::size_t>(std::ranges::count_if(asked, [&](const Asked& each) {
      return each.method == method && each.target.find(part) != std::string::npos;
    }));
  }
  std::size_t lists() const { return count("GET", "") - count("GET", "watch=1"); }

 private:
  void tell(const std::string& collection, std::string_view type, const json::object& object) {
    if (!watches_speak) return;
    for (const auto& feed : feeds) {
      const bool concerned =
          feed->asked.starts_with(collection + "?") ||
          feed->asked.find("/namespaces/" + std::string(text_in(object, "namespace")) + "/") != std::string::npos;
      if (concerned && feed->ended == Feed::Ended::no) feed->say(line(type, object));
    }
  }

  static std::string parameter(std::string_view query, std::string_view name) {
    while (!query.empty()) {
      const std::string_view one = query.substr(0, query.find('&'));
      query.remove_prefix(std::min(one.size() + 1, query.size()));
      if (one.starts_with(name) && one.substr(name.size()).starts_with('='))
        return http::percent_decode(one.substr(name.size() + 1)).value_or("");
    }
    return "";
  }

  // Finds "/apis/g/v/namespaces/ns/plural/name/sub".
  struct Place {
    std::string collection;  // without the namespace
    ObjectName name;
    std::string subresource;
  };
  static Place place_of(std::string_view path) {
    std::vector<std::string> parts;
    for (std::size_t begin = 1; begin <= path.size();) {
      const std::size_t end = std::min(path.find('/', begin), path.size());
      parts.push_back(*http::percent_decode(path.substr(begin, end - begin)));
      begin = end + 1;
    }
    Place place;
    std::size_t at = parts[0] == "api" ? 2 : 3;
    for (std::size_t i = 0; i < at; ++i) place.collection += "/" + parts[i];
    if (parts.size() > at + 2 && parts[at] == "namespaces") {
      place.name.namespace_name = parts[at + 1];
      at += 2;
    }
    if (parts.size() > at) place.collection += "/" + parts[at];
    if (parts.size() > at + 1) place.name.name = parts[at + 1];
    if (parts.size() > at + 2) place.subresource = parts[at + 2];
    return place;
  }

  Task<http::Response> answer(http::Request& request) {
    Asked now{std::string(request.method), std::string(request.target),
              std::string(request.headers.get("Content-Type")), std::string(request.headers.get("Authorization")),
              json::value{}};
    if (!request.body.empty()) now.body = json::parse(request.body);
    asked.push_back(now);
    if (instead)
      if (auto other = instead(now)) co_return std::move(*other);
    if (now.method == "GET" && parameter(request.query, "watch") == "1") {
      feeds.push_back(std::make_shared<Feed>(server.loop));
      feeds.back()->asked = now.target;
      http::Response response;
      response.body = std::make_unique<FeedBody>(feeds.back());
      co_return response;
    }
    const Place place = place_of(request.path);
    auto& objects = stored[place.collection];
    if (now.method == "POST") co_return create(place, now.body.as_object());
    if (place.name.name.empty()) co_return list(place, request.query);
    const auto found = objects.find(place.name);
    if (found == objects.end() && now.content_type != "application/apply-patch+yaml")
      co_return http::Response::json(404, status(404, "\"" + place.name.name + "\" not found"));
    if (now.method == "GET") co_return http::Response::json(200, json::serialize(found->second));
    if (now.method == "DELETE") {
      json::object object = found->second;
      objects.erase(found);
      object_in(object, "metadata")["resourceVersion"] = std::to_string(++revision);
      tell(place.collection, "DELETED", object);
      co_return http::Response::json(200, status(200, ""));
    }
    json::object object = now.body.as_object();
    if (found != objects.end()) {
      const auto wanted = resource_version_of(object);
      if (!wanted.empty() && wanted != resource_version_of(found->second))
        co_return http::Response::json(409, status(409, "the object has been modified"));
      if (now.method == "PATCH") {
        json::object merged = found->second;
        for (const auto& [key, value] : object)
          if (key != "metadata") merged[key] = value;
        object = std::move(merged);
      }
    }
    co_return store(place, std::move(object), 200);
  }

  http::Response store(const Place& place, json::object object, int code) {
    const auto& objects = stored[place.collection];
    const bool is_new = !objects.contains(place.name);
    json::object& metadata = object_in(object, "metadata");
    metadata["name"] = place.name.name;
    if (!place.name.namespace_name.empty()) metadata["namespace"] = place.name.namespace_name;
    metadata["uid"] = is_new ? "uid-" + std::to_string(revision + 1) : std::string(uid_of(objects.at(place.name)));
    metadata["resourceVersion"] = std::to_string(++revision);
    stored[place.collection][place.name] = object;
    tell(place.collection, is_new ? "ADDED" : "MODIFIED", object);
    return http::Response::json(code, json::serialize(object));
  }

  http::Response create(Place place, json::object object) {
    place.name.name = text_in(object, "name");
    if (stored[place.collection].contains(place.name))
      return http::Response::json(409, status(409, "\"" + place.name.name + "\" already exists"));
    return store(place, std::move(object), 201);
  }

  http::Response list(const Place& place, std::string_view query) {
    json::array items;
    json::object metadata{{"resourceVersion", std::to_string(revision)}};
    const std::string limit = parameter(query, "limit");
    const std::size_t most = limit.empty() ? SIZE_MAX : std::stoul(limit);
    const std::string from = parameter(query, "continue");
    std::size_t index = 0;
    const std::size_t begin = from.empty() ? 0 : std::stoul(from);
    for (const auto& [name, object] : stored[place.collection]) {
      if (!place.name.namespace_name.empty() && name.namespace_name != place.name.namespace_name) continue;
      if (index++ < begin) continue;
      if (items.size() == most) {
        metadata["continue"] = std::to_string(begin + most);
        break;
      }
      items.push_back(object);
    }
    return http::Response::json(
        200, json::serialize(json::object{{"kind", "List"}, {"metadata", metadata}, {"items", std::move(items)}}));
  }
};

// The server, and one who asks it.
struct TestApi {
  TestApiServer server;
  http::Client client{server.loop()};
  Api api{server.loop(), client, server.cluster(), "nuclio-test"};
  Loop& loop() { return server.loop(); }
  template <class T>
  T run(Task<T> task) {
    return run_until_done(server.loop(), std::move(task));
  }
  Deadline soon() const { return Deadline::in(5s); }
  // Waits for a condition, at most five seconds.
  template <class Condition>
  void until(Condition condition) {
    run(until_true(loop(), std::move(condition)));
  }

 private:
  template <class Condition>
  static Task<bool> until_true(Loop& loop, Condition condition) {
    co_await http::until(loop, std::move(condition));
    co_return true;
  }
};

}  // namespace nuclio::k8s
