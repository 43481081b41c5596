// SPDX-License-Identifier: Apache-2.0
#include "k8s/kubeconfig.h"

#include <boost/json.hpp>
#include <cctype>
#include <utility>

#include "base/base64.h"
#include "k8s/file.h"
#include "k8s/json.h"
#include "schema/yaml.h"

namespace nuclio::k8s {
namespace {

namespace json = boost::json;
using Entry = Kubeconfig::Entry;

// What stands at a field: nothing is "", false.
Result<std::string> text_at(const json::object& members, std::string_view field, const std::string& place) {
  const json::value* value = members.if_contains(field);
  if (!value || value->is_null()) return "";
  if (value->is_string()) return std::string(value->get_string());
  return fail(Why::invalid, place + ": " + std::string(field) + " must be text, is " + json::serialize(*value));
}

Result<std::string> text_at(const Entry& entry, std::string_view field) {
  return text_at(entry.members, field, entry.place);
}

Result<bool> truth_at(const json::object& members, std::string_view field, const std::string& place) {
  const json::value* value = members.if_contains(field);
  if (!value || value->is_null()) return false;
  if (value->is_bool()) return value->get_bool();
  return fail(Why::invalid,
              place + ": " + std::string(field) + " must be true or false, is " + json::serialize(*value));
}

std::string in_folder(const std::string& folder, const std::string& path) {
  return path.starts_with('/') || folder.empty() ? path : folder + "/" + path;
}

// The PEM text that stands in `field`-data, or in the file that `field` names.
Result<std::string> pem_at(const Entry& entry, const std::string& field) {
  TRY(std::string data, text_at(entry, field + "-data"));
  if (!data.empty()) {
    std::erase_if(data, [](unsigned char c) { return std::isspace(c); });
    auto text = decode_base64(data);
    if (!text) return fail(std::move(text).error().in(entry.place + ": " + field + "-data"));
    return text;
  }
  TRY(const std::string path, text_at(entry, field));
  if (path.empty()) return "";
  auto text = read_file(in_folder(entry.folder, path));
  if (!text) return fail(Why::invalid, std::move(text).error().in(entry.place + ": " + field).what);
  return text;
}

Result<void> read_cluster(const Entry& entry, Cluster& cluster) {
  TRY(cluster.server, text_at(entry, "server"));
  if (!cluster.server.starts_with("https://") && !cluster.server.starts_with("http://"))
    return fail(Why::invalid,
                entry.place + ": server must be a URL such as https://10.0.0.1:6443, is \"" + cluster.server + "\"");
  while (cluster.server.ends_with('/')) cluster.server.pop_back();
  TRY(cluster.authorities, pem_at(entry, "certificate-authority"));
  TRY(cluster.tls_server_name, text_at(entry, "tls-server-name"));
  TRY(cluster.proxy, text_at(entry, "proxy-url"));
  TRY(const bool insecure, truth_at(entry.members, "insecure-skip-tls-verify", entry.place));
  if (insecure) cluster.verify_peer = http::VerifyPeer::no;
  return {};
}

Result<CredentialProgram> read_program(const Entry& entry, const json::object& exec) {
  const std::string place = entry.place + ": exec";
  CredentialProgram program;
  TRY(program.api_version, text_at(exec, "apiVersion", place));
  if (program.api_version != "client.authentication.k8s.io/v1" &&
      program.api_version != "client.authentication.k8s.io/v1beta1")
    return fail(Why::invalid, place + ": apiVersion must be client.authentication.k8s.io/v1 or v1beta1, is \"" +
                                  program.api_version + "\"");
  TRY(std::string command, text_at(exec, "command", place));
  if (command.empty()) return fail(Why::invalid, place + ": command must name a program");
  program.argv = {command.find('/') == std::string::npos ? command : in_folder(entry.folder, command)};
  if (const json::value* args = exec.if_contains("args"); args && args->is_array()) {
    for (const json::value& arg : args->get_array()) {
      if (!arg.is_string()) return fail(Why::invalid, place + ": args must be texts");
      program.argv.emplace_back(arg.get_string());
    }
  }
  if (const json::value* variables = exec.if_contains("env"); variables && variables->is_array()) {
    for (const json::value& variable : variables->get_array()) {
      if (!variable.is_object() || text_of(variable.get_object(), "name").empty())
        return fail(Why::invalid, place + ": env must be a list of name and value");
      program.environment.emplace_back(text_of(variable.get_object(), "name"), text_of(variable.get_object(), "value"));
    }
  }
  TRY(program.install_hint, text_at(exec, "installHint", place));
  TRY(program.wants_cluster, truth_at(exec, "provideClusterInfo", place));
  TRY(const std::string mode, text_at(exec, "interactiveMode", place));
  if (mode == "Always")
    return fail(Why::invalid, place + ": interactiveMode Always wants to talk to a person, for whom there is no way");
  return program;
}

Result<void> read_user(const Entry& entry, Cluster& cluster) {
  for (const char* field : {"auth-provider", "as", "as-groups", "as-uid"})
    if (const json::value* value = entry.members.if_contains(field); value && !value->is_null())
      return fail(Why::invalid, entry.place + ": " + field + " is not supported; use exec, or a user of its own");
  TRY(cluster.client_certificate, pem_at(entry, "client-certificate"));
  TRY(cluster.client_key, pem_at(entry, "client-key"));
  if (cluster.client_certificate.empty() != cluster.client_key.empty())
    return fail(Why::invalid, entry.place + ": client-certificate and client-key belong together, and one is missing");
  TRY(cluster.token, text_at(entry, "token"));
  TRY(cluster.token_file, text_at(entry, "tokenFile"));
  if (!cluster.token_file.empty()) cluster.token_file = in_folder(entry.folder, cluster.token_file);
  TRY(cluster.username, text_at(entry, "username"));
  TRY(cluster.password, text_at(entry, "password"));
  if (const json::object* exec = object_of(entry.members, "exec")) {
    TRY(cluster.program, read_program(entry, *exec));
  }
  return {};
}

std::string names(const std::map<std::string, Entry>& entries) {
  std::string text;
  for (const auto& [name, entry] : entries) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

}  // namespace

Result<void> Kubeconfig::add(std::string_view text, const std::string& folder, const std::string& place) {
  auto document = schema::parse_yaml(text);
  if (!document) return fail(std::move(document).error().in(place));
  places_ += (places_.empty() ? "" : ", ") + place;
  if (document->is_null()) return {};
  if (!document->is_object()) return fail(Why::invalid, place + ": a kubeconfig must be a map, and is not");
  const json::object& config = document->get_object();
  struct Part {
    const char* list;
    const char* what;
    Entries& entries;
  };
  for (const Part& part : {Part{"clusters", "cluster", clusters_}, Part{"users", "user", users_},
                           Part{"contexts", "context", contexts_}}) {
    const json::value* list = config.if_contains(part.list);
    if (!list || list->is_null()) continue;
    if (!list->is_array()) return fail(Why::invalid, place + ": " + part.list + " must be a list");
    for (const json::value& each : list->get_array()) {
      const json::object* named = each.if_object();
      if (!named || text_of(*named, "name").empty())
        return fail(Why::invalid, place + ": each of " + part.list + " must have a name");
      const std::string name{text_of(*named, "name")};
      const json::object* members = object_of(*named, part.what);
      part.entries.try_emplace(
          name, Entry{members ? *members : json::object{}, folder, place + ": " + part.what + " \"" + name + "\""});
    }
  }
  if (current_context_.empty()) {
    TRY(current_context_, text_at(config, "current-context", place));
  }
  return {};
}

Result<Cluster> Kubeconfig::cluster(std::string context) const {
  if (context.empty()) context = current_context_;
  if (context.empty())
    return fail(Why::invalid, places_ + ": no current-context is set; choose one of its contexts: " + names(contexts_));
  const auto found = contexts_.find(context);
  if (found == contexts_.end())
    return fail(Why::invalid,
                places_ + ": there is no context \"" + context + "\"; its contexts are: " + names(contexts_));
  const Entry& chosen = found->second;
  TRY(const std::string cluster_name, text_at(chosen, "cluster"));
  TRY(const std::string user_name, text_at(chosen, "user"));
  const auto cluster_entry = clusters_.find(cluster_name);
  if (cluster_entry == clusters_.end())
    return fail(Why::invalid, chosen.place + ": there is no cluster \"" + cluster_name + "\"");
  Cluster cluster;
  TRY_DO(read_cluster(cluster_entry->second, cluster));
  if (!user_name.empty()) {
    const auto user_entry = users_.find(user_name);
    if (user_entry == users_.end())
      return fail(Why::invalid, chosen.place + ": there is no user \"" + user_name + "\"");
    TRY_DO(read_user(user_entry->second, cluster));
  }
  TRY(std::string namespace_name, text_at(chosen, "namespace"));
  if (!namespace_name.empty()) cluster.namespace_name = std::move(namespace_name);
  cluster.context = std::move(context);
  return cluster;
}

}  // namespace nuclio::k8s
