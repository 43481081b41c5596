// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "base/result.h"
#include "platform/platform.h"
#include "platform/process/store.h"

namespace nuclio::platform::process {

// The layout of NUCLIO_HOME; the one place that knows it. Names are checked before they come here, so none leads out.
class Home {
 public:
  explicit Home(std::string folder) : folder_(std::move(folder)) {}

  const std::string& folder() const { return folder_; }
  std::string state() const { return folder_ + "/state.db"; }
  std::string pid_file() const { return folder_ + "/dashboard.pid"; }
  std::string address_file() const { return folder_ + "/dashboard.address"; }
  std::string metrics() const { return folder_ + "/metrics.history"; }
  std::string cache() const { return folder_ + "/cache"; }

  std::string functions() const { return folder_ + "/functions"; }
  std::string all_logs() const { return folder_ + "/logs"; }
  std::string trash() const { return folder_ + "/trash"; }

  std::string function(const FunctionId& id) const { return functions() + "/" + path(id); }
  std::string revision(const FunctionId& id, Revision revision) const {
    return function(id) + "/" + std::to_string(revision.value());
  }
  std::string logs(const FunctionId& id) const { return all_logs() + "/" + path(id); }
  std::string log(const FunctionId& id, const ReplicaName& replica) const {
    return logs(id) + "/" + replica.value() + ".log";
  }

 private:
  static std::string path(const FunctionId& id) { return id.namespace_name.value() + "/" + id.name.value(); }
  std::string folder_;
};

// A folder and those above it, for this user alone where they are new.
Result<void> make_private_folder(const std::string& path);
// Writes a small file in place of an old one, readable by this user alone: a reader sees the old or the new text.
Result<void> replace_file(const std::string& path, std::string_view text);
// With all that is in it; fine when there is none. Failing is logged: nothing depends on it.
void remove_folder(const std::string& path);

}  // namespace nuclio::platform::process
