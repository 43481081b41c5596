// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/docker_config.h"
#include "oci/names.h"

namespace nuclio::oci {

// Finds the login to a registry. What was added first is asked first. Any number of registries may borrow one.
class Keychain {
 public:
  // `environment` is that of credential helpers, "NAME=value".
  explicit Keychain(std::vector<std::string> environment = {}) : environment_(std::move(environment)) {}

  // A login that was given by hand; `login.source` says how, for messages.
  void add_login(const std::string& registry, Login login);
  // The decoded .dockerconfigjson or .dockercfg of a Kubernetes secret; `name` is "namespace/name". Helpers that it
  // names are not run: a secret must not choose programs.
  Result<void> add_pull_secret(const std::string& name, std::string_view text);
  // A config.json of docker, read now. A file that does not exist has no logins, and is remembered as a place where one
  // would be found.
  Result<void> add_docker_config(const std::string& path);

  // The login for a repository, or nothing. Errors are those of files and helpers that could not be used.
  Task<Result<std::optional<Login>>> find(Loop& loop, std::string registry, Repository repository,
                                          Deadline deadline) const;
  // Where find() looks, for messages: "the secret media/registry and /root/.docker/config.json".
  std::string places() const;

 private:
  struct Place {
    std::string name;
    DockerConfig config;
  };
  std::vector<Place> places_;
  std::vector<std::string> environment_;
};

// Where docker keeps its config.json: in DOCKER_CONFIG, else in ~/.docker; "" when the environment has neither.
std::string docker_config_path(const std::vector<std::string>& environment);

}  // namespace nuclio::oci
