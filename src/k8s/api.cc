// SPDX-License-Identifier: Apache-2.0
#include "k8s/api.h"

#include <boost/json.hpp>
#include <utility>

#include "base/bytes.h"
#include "http/retry.h"
#include "k8s/credentials.h"
#include "k8s/json.h"
#include "k8s/status.h"
#include "k8s/url.h"

namespace nuclio::k8s {

namespace json = boost::json;

namespace {

// etcd takes objects of 1.5 MiB; a page of them is what an answer may be. Where pages failed all comes at once.
constexpr Bytes kLargestAnswer{64u << 20};
constexpr Bytes kLargestWhole{512u << 20};
constexpr Bytes kLargestComplaint{64u << 10};
constexpr std::size_t kMostObjects = 1'000'000;
constexpr http::RetryPolicy kWhileBusy{.attempts = 10};

Task<Result<std::string>> read_all(http::ClientStream& stream, Bytes most) {
  std::string text;
  for (;;) {
    CO_TRY(auto piece, co_await stream.body->next());
    if (!piece) co_return std::move(text);
    text += *piece;
    if (text.size() > most.count)
      co_return fail(Why::too_large, "the answer has more than " + std::to_string(most.count) + " bytes");
  }
}

std::string_view name(Propagation propagation) {
  switch (propagation) {
    case Propagation::background: return "Background";
    case Propagation::foreground: return "Foreground";
    case Propagation::orphan: return "Orphan";
  }
  std::unreachable();
}

// "deployments media/resize", "pods in media", "nodes"
std::string shown(const Resource& resource, const ObjectName& name) {
  std::string text{resource.plural};
  if (!name.name.empty()) return text + " " + name.text();
  return name.namespace_name.empty() ? text : text + " in " + name.namespace_name;
}

void fill_in_kind(const Resource& resource, json::object& object) {
  if (text_of(object, "apiVersion").empty()) object["apiVersion"] = resource.api_version();
  if (text_of(object, "kind").empty()) object["kind"] = resource.kind;
}

// The server answers 500, as if it were its own fault, when what is applied is not of its kind's form or is too large
// for its store.
bool is_about_the_object(std::string_view complaint) {
  for (const std::string_view words :
       {"failed to create typed patch object", "failed to convert new object", "etcdserver: request is too large"})
    if (complaint.find(words) != std::string_view::npos) return true;
  return false;
}

Result<void> take_page(const Resource& resource, const ListOptions& options, json::object& page, ObjectList& into) {
  json::value* items = page.if_contains("items");
  if (!items || items->is_null()) return {};
  if (!items->is_array()) return fail(Why::unavailable, "the server's list has no items");
  for (json::value& item : items->get_array()) {
    json::object* object = item.if_object();
    if (!object || text_in(*object, "name").empty())
      return fail(Why::unavailable, "the server's list holds something that is no object");
    if (into.items.size() >= kMostObjects)
      return fail(Why::too_large, "there are more than " + std::to_string(kMostObjects) + " objects");
    fill_in_kind(resource, *object);
    if (options.trim) options.trim(*object);
    object_in(*object, "metadata").erase("managedFields");
    into.items.push_back(std::move(*object));
  }
  return {};
}

}  // namespace

// What is asked, and `what` it is called in messages.
struct Api::Question {
  std::string method = "GET";
  std::string path;
  std::string what;
  std::string body = {};
  std::string_view content_type = "application/json";
  Bytes largest = kLargestAnswer;
};

Api::Api(Loop& loop, http::Client& client, Cluster cluster, std::string user_agent)
    : loop_(loop),
      client_(client),
      cluster_(std::move(cluster)),
      user_agent_(std::move(user_agent)),
      credentials_(std::make_unique<Credentials>(loop_, cluster_)) {}

Api::~Api() = default;

const Cluster& Api::cluster() const { return cluster_; }

Task<Result<http::ClientStream>> Api::begin(const Question& question, Deadline head, Deadline all) {
  http::Backoff busy{loop_, kWhileBusy, head};
  for (bool renewed = false;;) {
    http::ClientRequest request;
    request.method = question.method;
    request.url = cluster_.server + question.path;
    request.body = question.body;
    request.headers.set("Accept", "application/json");
    request.headers.set("User-Agent", user_agent_);
    if (!question.body.empty()) request.headers.set("Content-Type", question.content_type);
    request.proxy = cluster_.proxy;
    request.verify_peer = cluster_.verify_peer;
    request.authority_text = cluster_.authorities;
    request.tls_server_name = cluster_.tls_server_name;
    request.protocol = http::Protocol::http1;
    CO_TRY(const Credentials::Generation shown, co_await credentials_->add_to(request, head));
    CO_TRY(http::ClientStream stream, co_await client_.open(std::move(request), head, all));
    if (stream.status < 300) co_return std::move(stream);
    if (stream.status == 401 && !renewed && credentials_->refused(shown)) {
      renewed = true;
      continue;
    }
    const auto complaint = co_await read_all(stream, kLargestComplaint);
    // So it says when it is to be asked again, having done nothing: it is loaded, shuts down, or has new CRDs.
    if (const auto pause = http::retry_after(stream.headers); stream.status == 429 && pause)
      if (co_await busy.again(pause)) continue;
    co_return fail(
        status_error(stream.status, complaint ? *complaint : std::string{}).in(question.method + " " + question.what));
  }
}

Task<Result<json::value>> Api::ask(const Question& question, Deadline deadline) {
  CO_TRY(http::ClientStream stream, co_await begin(question, deadline, deadline));
  auto text = co_await read_all(stream, question.largest);
  if (text && text->empty()) co_return json::value{};
  auto value = text ? parse_json(*text) : Result<json::value>(fail(std::move(text).error()));
  if (!value) co_return fail(std::move(value).error().in(question.method + " " + question.what));
  co_return std::move(value);
}

Task<Result<json::object>> Api::ask_object(Question question, Deadline deadline) {
  CO_TRY(json::value value, co_await ask(question, deadline));
  if (value.is_object()) co_return std::move(value.get_object());
  co_return fail(Why::unavailable, question.method + " " + question.what + ": the answer is no JSON object");
}

Task<Result<json::object>> Api::get(Resource resource, ObjectName name, Deadline deadline) {
  Question question{.path = path_of(resource, name.namespace_name, name.name), .what = shown(resource, name)};
  co_return co_await ask_object(std::move(question), deadline);
}

Task<Result<ObjectList>> Api::list(Resource resource, std::string namespace_name, ListOptions options,
                                   Deadline deadline) {
  const ObjectName everything{namespace_name, ""};
  ObjectList list;
  std::string next;
  std::size_t size = options.page;
  for (;;) {
    Question question{.path = path_of(resource, namespace_name), .what = shown(resource, everything)};
    add_query(question.path, "labelSelector", options.label_selector);
    add_query(question.path, "fieldSelector", options.field_selector);
    if (size > 0) add_query(question.path, "limit", std::to_string(size));
    if (size == 0) question.largest = kLargestWhole;
    add_query(question.path, "continue", next);
    if (next.empty()) add_query(question.path, "resourceVersion", options.resource_version);
    auto page = co_await ask_object(question, deadline);
    if (!page && page.error().why == Why::precondition && !next.empty()) {
      // The server has forgotten the state that the pages before were of.
      list.items.clear();
      next.clear();
      size = 0;
      continue;
    }
    if (!page && page.error().why == Why::too_large && size > 1) {
      size = std::max<std::size_t>(size / 8, 1);
      continue;
    }
    if (!page) co_return fail(std::move(page).error());
    if (auto taken = take_page(resource, options, *page, list); !taken)
      co_return fail(std::move(taken).error().in("GET " + question.what));
    list.resource_version = text_in(*page, "resourceVersion");
    next = text_in(*page, "continue");
    if (next.empty()) co_return std::move(list);
  }
}

Task<Result<json::object>> Api::create(Resource resource, json::object object, Deadline deadline) {
  const ObjectName name = name_of(object);
  fill_in_kind(resource, object);
  Question question{.method = "POST",
                    .path = path_of(resource, name.namespace_name),
                    .what = shown(resource, name),
                    .body = json::serialize(object)};
  co_return co_await ask_object(std::move(question), deadline);
}

Task<Result<json::object>> Api::replace(Resource resource, json::object object, Deadline deadline) {
  const ObjectName name = name_of(object);
  fill_in_kind(resource, object);
  Question question{.method = "PUT",
                    .path = path_of(resource, name.namespace_name, name.name),
                    .what = shown(resource, name),
                    .body = json::serialize(object)};
  co_return co_await ask_object(std::move(question), deadline);
}

Task<Result<json::object>> Api::replace_status(Resource resource, json::object object, Deadline deadline) {
  const ObjectName name = name_of(object);
  fill_in_kind(resource, object);
  Question question{.method = "PUT",
                    .path = path_of(resource, name.namespace_name, name.name, "status"),
                    .what = shown(resource, name) + " status",
                    .body = json::serialize(object)};
  co_return co_await ask_object(std::move(question), deadline);
}

Task<Result<json::object>> Api::apply(Resource resource, json::object object, std::string manager, TakeOver take_over,
                                      Deadline deadline) {
  const ObjectName name = name_of(object);
  fill_in_kind(resource, object);
  object_in(object, "metadata").erase("managedFields");  // which the server refuses here
  Question question{.method = "PATCH",
                    .path = path_of(resource, name.namespace_name, name.name),
                    .what = shown(resource, name),
                    .body = json::serialize(object),
                    .content_type = "application/apply-patch+yaml"};
  add_query(question.path, "fieldManager", manager);
  add_query(question.path, "force", take_over == TakeOver::yes ? "true" : "false");
  auto applied = co_await ask_object(std::move(question), deadline);
  if (!applied && applied.error().why == Why::internal && is_about_the_object(applied.error().what))
    co_return fail(Why::invalid, std::move(applied).error().what);
  co_return std::move(applied);
}

Task<Result<json::object>> Api::merge(Resource resource, ObjectName name, json::object patch, std::string subresource,
                                      Deadline deadline) {
  Question question{.method = "PATCH",
                    .path = path_of(resource, name.namespace_name, name.name, subresource),
                    .what = shown(resource, name) + (subresource.empty() ? "" : " " + subresource),
                    .body = json::serialize(patch),
                    .content_type = "application/merge-patch+json"};
  co_return co_await ask_object(std::move(question), deadline);
}

Task<Result<void>> Api::remove(Resource resource, ObjectName name, DeleteOptions options, Deadline deadline) {
  json::object wish{
      {"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", k8s::name(options.propagation)}};
  if (!options.uid.empty()) object_in(wish, "preconditions")["uid"] = options.uid;
  if (!options.resource_version.empty()) object_in(wish, "preconditions")["resourceVersion"] = options.resource_version;
  Question question{.method = "DELETE",
                    .path = path_of(resource, name.namespace_name, name.name),
                    .what = shown(resource, name),
                    .body = json::serialize(wish)};
  const auto answer = co_await ask(question, deadline);
  if (!answer && answer.error().why != Why::not_found) co_return fail(answer.error());
  co_return Result<void>{};
}

Task<Result<json::value>> Api::call(std::string method, std::string path, std::optional<json::value> body,
                                    Deadline deadline) {
  std::string what = path.substr(0, path.find('?'));
  Question question{.method = std::move(method),
                    .path = std::move(path),
                    .what = std::move(what),
                    .body = body ? json::serialize(*body) : std::string{}};
  co_return co_await ask(question, deadline);
}

Task<Result<http::ClientStream>> Api::open(std::string path, Deadline head, Deadline all) {
  std::string what = path.substr(0, path.find('?'));
  Question question{.path = std::move(path), .what = std::move(what)};
  co_return co_await begin(question, head, all);
}

}  // namespace nuclio::k8s
