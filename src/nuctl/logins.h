// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>

#include "base/result.h"

namespace nuclio::nuctl {

// The tokens with which nuctl logs in, by the URL of the dashboard, or "local" for the one of this machine: a file that
// its user alone can read, NUCLIO_HOME/logins.json.
class Logins {
 public:
  // No file is no login. Why::invalid names one that cannot be read.
  static Result<Logins> read(const std::string& path);
  std::string token(const std::string& server) const;  // "" when there is none
  // An empty token forgets the login. The file is changed as a whole or not at all.
  Result<void> save(const std::string& server, const std::string& token);

 private:
  explicit Logins(std::string path) : path_(std::move(path)) {}
  std::string path_;
  std::map<std::string, std::string> tokens_;
};

}  // namespace nuclio::nuctl
