// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "k8s/cluster.h"

namespace nuclio::k8s {

// Kubeconfig files, merged as kubectl does it: of two entries by one name, and of two current contexts, the first one
// counts, whole.
class Kubeconfig {
 public:
  // `place` names the file in messages; relative paths in it start at `folder`.
  Result<void> add(std::string_view text, const std::string& folder, const std::string& place);
  bool empty() const { return contexts_.empty() && clusters_.empty(); }
  // What a context means; "" for the current one.
  Result<Cluster> cluster(std::string context) const;

  struct Entry {
    boost::json::object members;
    std::string folder;
    std::string place;  // "/home/me/.kube/config: user \"admin\""
  };

 private:
  using Entries = std::map<std::string, Entry>;
  Entries clusters_;
  Entries users_;
  Entries contexts_;
  std::string current_context_;
  std::string places_;
};

}  // namespace nuclio::k8s
