// SPDX-License-Identifier: Apache-2.0
#include "oci/docker_config.h"

#include <fnmatch.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/base64.h"
#include "oci/json.h"
#include "schema/json.h"

namespace nuclio::oci {
namespace {

namespace json = boost::json;

// "https://index.docker.io/v1/" is how docker calls its hub; others write hosts, with or without a scheme and a path.
void split_key(std::string_view key, DockerConfig::Entry& entry) {
  for (std::string_view scheme : {"https://", "http://"})
    if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
  while (key.ends_with('/')) key.remove_suffix(1);
  for (std::string_view version : {"/v1", "/v2"})
    if (key.ends_with(version)) key.remove_suffix(version.size());
  const std::size_t slash = key.find('/');
  entry.host = key.substr(0, slash);
  if (slash != std::string_view::npos) entry.path = key.substr(slash + 1);
  std::ranges::transform(entry.host, entry.host.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (std::string_view name : {"index.docker.io", "registry-1.docker.io"})
    if (entry.host == name) entry.host = "docker.io";
}

Result<void> split_auth(std::string_view auth, Login& login) {
  auto decoded = decode_base64(auth);
  const std::string wrong = "auth must be \"user:password\" as base64";
  if (!decoded) return fail(Why::invalid, wrong);
  while (decoded->ends_with('\0')) decoded->pop_back();  // docker pads with them
  const std::size_t colon = decoded->find(':');
  if (colon == std::string::npos) return fail(Why::invalid, wrong);
  login.user = decoded->substr(0, colon);
  login.password = decoded->substr(colon + 1);
  return {};
}

Result<void> read_logins(const json::object& logins, const std::string& source, DockerConfig& out) {
  for (const auto& [key, value] : logins) {
    const json::object* said = value.if_object();
    if (!said) return fail(Why::invalid, source + ": the login for \"" + std::string(key) + "\" must be an object");
    DockerConfig::Entry entry;
    split_key(key, entry);
    entry.login = {.user = std::string(text_of(*said, "username")),
                   .password = std::string(text_of(*said, "password")),
                   .identity_token = std::string(text_of(*said, "identitytoken")),
                   .registry_token = std::string(text_of(*said, "registrytoken")),
                   .source = source};
    if (const std::string_view auth = text_of(*said, "auth"); !auth.empty())
      if (auto split = split_auth(auth, entry.login); !split)
        return fail(std::move(split).error().in(source + ": \"" + std::string(key) + "\""));
    // `docker login` with a helper leaves an empty object behind.
    const Login& login = entry.login;
    if (!login.user.empty() || !login.identity_token.empty() || !login.registry_token.empty())
      out.entries.push_back(std::move(entry));
  }
  return {};
}

// As Kubernetes compares: "*.example.com" is any one label before example.com.
bool host_fits(std::string_view pattern, std::string_view host) {
  if (pattern.find_first_of("*?[") == std::string_view::npos) return pattern == host;
  for (;;) {
    const std::size_t pattern_dot = pattern.find('.');
    const std::size_t host_dot = host.find('.');
    const std::string wanted(pattern.substr(0, pattern_dot));
    const std::string label(host.substr(0, host_dot));
    if (::fnmatch(wanted.c_str(), label.c_str(), FNM_NOESCAPE) != 0) return false;
    const bool ends = pattern_dot == std::string_view::npos;
    if (ends != (host_dot == std::string_view::npos)) return false;
    if (ends) return true;
    pattern.remove_prefix(pattern_dot + 1);
    host.remove_prefix(host_dot + 1);
  }
}

bool path_fits(std::string_view path, std::string_view repository) {
  if (path.empty() || path == repository) return true;
  return repository.starts_with(path) && repository[path.size()] == '/';
}

}  // namespace

const Login* DockerConfig::find(std::string_view host, const Repository& repository) const {
  std::string name(host);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const Entry* best = nullptr;
  for (const Entry& entry : entries) {
    if (!host_fits(entry.host, name) || !path_fits(entry.path, repository.value())) continue;
    const bool says_more = !best || entry.path.size() > best->path.size() ||
                           (entry.path.size() == best->path.size() && entry.host == name && best->host != name);
    if (says_more) best = &entry;
  }
  return best ? &best->login : nullptr;
}

Result<DockerConfig> parse_docker_config(std::string_view text, const std::string& source) {
  auto document = schema::parse_json(text);
  if (!document) return fail(std::move(document).error().in(source));
  const json::object* object = document->if_object();
  if (!object) return fail(Why::invalid, source + ": must be a JSON object");
  DockerConfig config;
  const bool modern = object->contains("auths") || object->contains("credsStore") || object->contains("credHelpers");
  if (!modern) {
    // The legacy form has nothing but logins; a config.json without any has other things.
    const bool legacy = std::ranges::all_of(*object, [](const auto& member) {
      const json::object* login = member.value().if_object();
      return login && (login->contains("auth") || login->contains("username") || login->contains("email"));
    });
    if (legacy) TRY_DO(read_logins(*object, source, config));
    return config;
  }
  if (const json::value* auths = object->if_contains("auths"); auths && !auths->is_null()) {
    if (!auths->is_object()) return fail(Why::invalid, source + ": \"auths\" must be an object");
    TRY_DO(read_logins(auths->get_object(), source, config));
  }
  config.store = text_of(*object, "credsStore");
  if (const json::object* helpers = object_of(*object, "credHelpers"))
    for (const auto& [key, helper] : *helpers) {
      DockerConfig::Entry entry;
      split_key(key, entry);
      if (helper.is_string()) config.helpers[entry.host] = helper.get_string();
    }
  return config;
}

}  // namespace nuclio::oci
