// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "loop/group.h"
#include "platform/kube/kube_platform.h"

namespace nuclio::platform::kube {

inline k8s::ObjectName name_of(const FunctionId& id) { return {id.namespace_name.value(), id.name.value()}; }

struct KubePlatform::Deploying {
  Deploying(Loop& loop, FunctionId id, std::string builder, std::string uid, std::string folder, Deadline deadline)
      : id(std::move(id)),
        builder(std::move(builder)),
        uid(std::move(uid)),
        folder(std::move(folder)),
        deadline(deadline),
        work(loop) {}
  Deploying(const Deploying&) = delete;
  Deploying& operator=(const Deploying&) = delete;
  ~Deploying();  // with its folder

  void add_log(std::string_view level, std::string_view message);

  FunctionId id;
  std::string builder;  // whom the object's status must name as its builder, or the build is not ours any more
  std::string uid;      // of the object that the deploy is for: one that was made anew is none of its business
  std::string folder;   // for what is fetched and staged
  Deadline deadline;
  boost::json::value given;               // what was asked for
  bool applied = false;                   // by somebody else, as it stands: the spec is not ours to write
  std::string inputs;                     // of its image, see build_inputs()
  std::optional<builder::Origin> origin;  // where its code is, when that has to be got
  std::optional<builder::Source> source;  // once the code is here; nothing when there is none to build
  std::string image;                      // what was built
  std::vector<boost::json::object> logs;
  std::function<void(const boost::json::object& line)> logged = {};  // told of each line
  Group work;                                                        // the deploy itself; after what it uses
};

}  // namespace nuclio::platform::kube
