// SPDX-License-Identifier: Apache-2.0
// Logins as docker, podman and Kubernetes write them down. Reads text, does no I/O.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "oci/names.h"

namespace nuclio::oci {

// What a registry is shown. Not to be put into messages, logs or command lines, but for `user` and `source`.
struct Login {
  std::string user;
  std::string password;
  std::string identity_token;  // exchanged for a token, instead of user and password
  std::string registry_token;  // a bearer token as it is
  std::string source;          // where it was found, for messages: "/root/.docker/config.json"
};

// A config.json, or a Kubernetes pull secret of either type.
struct DockerConfig {
  struct Entry {
    std::string host;  // without scheme; may have "*" in it; "docker.io" for all names of Docker Hub
    std::string path;  // the login is for repositories at or beneath it; "" for all
    Login login;
  };
  std::vector<Entry> entries;
  std::string store;                           // credsStore: the helper for every registry; "" for none
  std::map<std::string, std::string> helpers;  // credHelpers: host to helper

  // The login for a repository, of the entry that says most about it: the longest path, then a host without "*", then
  // the first. Null when there is none.
  const Login* find(std::string_view host, const Repository& repository) const;
};

// Takes {"auths": {...}} and the legacy form without "auths" around the logins. Messages name the entry that is wrong
// and never quote a value. `source` is what the logins say they come from.
Result<DockerConfig> parse_docker_config(std::string_view text, const std::string& source);

}  // namespace nuclio::oci
