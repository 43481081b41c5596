// SPDX-License-Identifier: Apache-2.0
#include "oci/keychain.h"

#include "base/environment.h"
#include "oci/credential_helper.h"
#include "oci/file.h"

namespace nuclio::oci {
namespace {

constexpr Bytes kMaxConfigFile{1u << 20};

const std::string& helper_for(const DockerConfig& config, const std::string& registry) {
  const auto found = config.helpers.find(registry);
  return found == config.helpers.end() ? config.store : found->second;
}

}  // namespace

void Keychain::add_login(const std::string& registry, Login login) {
  Place place{login.source, {}};
  place.config.entries.push_back({registry, "", std::move(login)});
  places_.push_back(std::move(place));
}

Result<void> Keychain::add_pull_secret(const std::string& name, std::string_view text) {
  const std::string place = "the secret " + name;
  TRY(DockerConfig config, parse_docker_config(text, place));
  config.store.clear();
  config.helpers.clear();
  places_.push_back({place, std::move(config)});
  return {};
}

Result<void> Keychain::add_docker_config(const std::string& path) {
  auto text = read_whole_file(path, kMaxConfigFile);
  if (!text && text.error().why != Why::not_found) return fail(std::move(text).error());
  DockerConfig config;
  if (text) {
    TRY(config, parse_docker_config(*text, path));
  }
  places_.push_back({path, std::move(config)});
  return {};
}

Task<Result<std::optional<Login>>> Keychain::find(Loop& loop, std::string registry, Repository repository,
                                                  Deadline deadline) const {
  for (const Place& place : places_) {
    if (const std::string& helper = helper_for(place.config, registry); !helper.empty()) {
      const std::string asked = registry == "docker.io" ? "https://index.docker.io/v1/" : registry;
      auto login = co_await ask_credential_helper(loop, helper, asked, environment_, deadline);
      if (!login) co_return fail(std::move(login).error().in(place.name));
      if (*login) co_return std::move(login);
    }
    if (const Login* login = place.config.find(registry, repository)) co_return std::optional<Login>(*login);
  }
  co_return std::optional<Login>{};
}

std::string Keychain::places() const {
  std::string text;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (i > 0) text += i + 1 == places_.size() ? " and " : ", ";
    text += places_[i].name;
  }
  return text;
}

std::string docker_config_path(const std::vector<std::string>& environment) {
  if (std::string folder = variable(environment, "DOCKER_CONFIG"); !folder.empty()) return folder + "/config.json";
  const std::string home = variable(environment, "HOME");
  return home.empty() ? std::string{} : home + "/.docker/config.json";
}

}  // namespace nuclio::oci
