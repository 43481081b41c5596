// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/fwd.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/client.h"
#include "k8s/cluster.h"
#include "k8s/resource.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio::k8s {

struct ListOptions {
  std::string label_selector;
  std::string field_selector;
  std::size_t page = 500;  // objects an answer; list() asks for all pages
  // "" for what is there now; "0" for what the server has in memory, which is cheaper and may be older.
  std::string resource_version;
  // May look at each object, and change it, while it still has its metadata.managedFields.
  std::function<void(boost::json::object&)> trim = {};
};

// Without metadata.managedFields, and each with apiVersion and kind, which a server leaves out in lists.
struct ObjectList {
  std::string resource_version;  // where a watch goes on
  std::vector<boost::json::object> items;
};

enum class Propagation { background, foreground, orphan };

struct DeleteOptions {
  Propagation propagation = Propagation::background;
  std::string uid;               // only this very object: Why::conflict when there is another by its name
  std::string resource_version;  // only as it was then
};

enum class TakeOver : bool { no, yes };  // fields that somebody else applied

// The API server, one call at a time. Errors carry the server's own message and what was asked:
// `GET deployments media/resize: deployments.apps "resize" not found`. Their Why: 400, 422 invalid; 401, 403
// forbidden; 404 not_found; 409 conflict; 410 precondition (a resource version that is too old); 413 too_large; 429
// busy; 500 internal, but invalid where an apply's object is at fault; 503 and no connection unavailable; 504 and the
// deadline timeout. What a busy server refuses (429) and wants to be asked again later (Retry-After) is asked again,
// ten times at most and until the deadline; after a 401 it is once, with credentials that were renewed. Nothing else is
// tried again here: callers have queues. A write that ended in timeout or unavailable may have been done all the same.
//
// Lives on its loop's thread and outlives its tasks. `user_agent` says which program asks.
class Api {
 public:
  Api(Loop& loop, http::Client& client, Cluster cluster, std::string user_agent);
  ~Api();

  const Cluster& cluster() const;

  Task<Result<boost::json::object>> get(Resource resource, ObjectName name, Deadline deadline);
  Task<Result<ObjectList>> list(Resource resource, std::string namespace_name, ListOptions options, Deadline deadline);
  // The namespace is the object's own; apiVersion and kind are filled in.
  Task<Result<boost::json::object>> create(Resource resource, boost::json::object object, Deadline deadline);
  // The whole object; with its resourceVersion only over that very version (Why::conflict).
  Task<Result<boost::json::object>> replace(Resource resource, boost::json::object object, Deadline deadline);
  // The status subresource: nothing but its status changes.
  Task<Result<boost::json::object>> replace_status(Resource resource, boost::json::object object, Deadline deadline);
  // Server-side apply: makes the object, or changes exactly the fields in it and those that `manager` applied before.
  Task<Result<boost::json::object>> apply(Resource resource, boost::json::object object, std::string manager,
                                          TakeOver take_over, Deadline deadline);
  // application/merge-patch+json; `subresource` "" or "status", "scale".
  Task<Result<boost::json::object>> merge(Resource resource, ObjectName name, boost::json::object patch,
                                          std::string subresource, Deadline deadline);
  // Fine when it is gone already: Why::not_found is not given.
  Task<Result<void>> remove(Resource resource, ObjectName name, DeleteOptions options, Deadline deadline);

  // A call of which only the answer's JSON counts, such as "/version" or a POST of a SelfSubjectAccessReview.
  Task<Result<boost::json::value>> call(std::string method, std::string path, std::optional<boost::json::value> body,
                                        Deadline deadline);
  // An answer that is read as it comes: a watch, a pod's log. A status of 300 and above is an error here, too.
  Task<Result<http::ClientStream>> open(std::string path, Deadline head, Deadline all);

 private:
  class Credentials;
  struct Question;
  Task<Result<http::ClientStream>> begin(const Question& question, Deadline head, Deadline all);
  Task<Result<boost::json::value>> ask(const Question& question, Deadline deadline);
  Task<Result<boost::json::object>> ask_object(Question question, Deadline deadline);
  Loop& loop_;
  http::Client& client_;
  Cluster cluster_;
  std::string user_agent_;
  std::unique_ptr<Credentials> credentials_;
};

}  // namespace nuclio::k8s
