// SPDX-License-Identifier: Apache-2.0
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <vector>

#include "controller/resources/desired.h"
#include "controller/resources/merge.h"
#include "controller/resources/ports.h"
#include "oci/digest.h"
#include "platform/kube/names.h"

namespace nuclio::controller {
namespace {

namespace json = boost::json;
namespace kube = platform::kube;

constexpr std::string_view kPlatformTemplate = "@nuclio.fromDefault";
constexpr std::size_t kLongestLabel = 63;

using Values = std::map<std::string, std::string, std::less<>>;

// "{{ .Name }}.example.com" with the values for their names. What is no name of ours stays, and the API server says
// what it thinks of it.
std::string filled(std::string_view text, const Values& values) {
  std::string out;
  while (!text.empty()) {
    const std::size_t open = text.find("{{");
    const std::size_t close = open == std::string_view::npos ? open : text.find("}}", open);
    if (close == std::string_view::npos) break;
    std::string_view name = text.substr(open + 2, close - open - 2);
    const auto is_around = [](char c) { return c == ' ' || c == '\t' || c == '-'; };
    while (!name.empty() && is_around(name.front())) name.remove_prefix(1);
    while (!name.empty() && is_around(name.back())) name.remove_suffix(1);
    const auto value = name.starts_with('.') ? values.find(name.substr(1)) : values.end();
    out += text.substr(0, open);
    out += value == values.end() ? text.substr(open, close + 2 - open) : std::string_view(value->second);
    text.remove_prefix(close + 2);
  }
  return out + std::string(text);
}

// Labels of a host have 63 characters at most. What is cut is told apart by characters that look random but are made
// from the whole label and whose function it is, so that the host stays the same.
std::string cut_labels(const std::string& host, int told_apart_by, std::string_view whose) {
  std::string out;
  std::string_view rest = host;
  for (;;) {
    const std::size_t dot = rest.find('.');
    std::string label{rest.substr(0, dot)};
    if (label.size() > kLongestLabel) {
      const std::string digest{oci::Digest::of(std::string(whose) + "/" + label).hex()};
      const std::string end =
          told_apart_by > 0 ? "-" + digest.substr(0, static_cast<std::size_t>(told_apart_by)) : std::string{};
      label.resize(kLongestLabel - end.size());
      while (label.ends_with('-')) label.pop_back();
      label += end;
    }
    out += label;
    if (dot == std::string_view::npos) return out;
    out += '.';
    rest.remove_prefix(dot + 1);
  }
}

Values values_of(const spec::FunctionConfig& config) {
  const std::string& name = config.metadata.name;
  return {{"Name", name},
          {"ResourceName", name},
          {"Namespace", config.metadata.namespace_name},
          {"ProjectName", labels(config).at(std::string(spec::kProjectLabel))},
          {"Version", "latest"}};
}

std::string host_of(const FunctionInput& input, const spec::Ingress& ingress) {
  if (!ingress.host.empty()) return ingress.host;
  const std::string& text = ingress.host_template == kPlatformTemplate
                                ? input.platform.kube.default_http_ingress_host_template
                                : ingress.host_template;
  const spec::Metadata& metadata = input.config.metadata;
  return cut_labels(filled(text, values_of(input.config)), ingress.host_template_random_chars_length,
                    metadata.namespace_name + "/" + metadata.name);
}

json::array paths_of(const FunctionInput& input, const spec::Ingress& ingress) {
  const json::object backend{
      {"service", {{"name", kube::object_name(input.config.metadata.name)}, {"port", {{"number", kHttpPort}}}}}};
  std::vector<std::string> paths = ingress.paths;
  if (paths.empty()) paths.emplace_back("/");
  json::array out;
  for (const std::string& path : paths) {
    std::string whole = filled(path, values_of(input.config));
    if (!whole.starts_with('/')) whole.insert(0, 1, '/');
    out.push_back(
        json::object{{"path", whole}, {"pathType", schema::name_of(ingress.path_type)}, {"backend", backend}});
  }
  return out;
}

json::object annotations(const FunctionInput& input, const spec::Trigger& trigger) {
  json::object out = to_object(input.platform.kube.default_http_ingress_annotations);
  if (input.platform.ingress_config.enable_ssl_redirect) out["nginx.ingress.kubernetes.io/ssl-redirect"] = "true";
  for (const auto& [key, value] : trigger.annotations) out[key] = value;
  return out;
}

const spec::Trigger* trigger_with_ingresses(const spec::FunctionConfig& config) {
  for (const auto& [name, trigger] : config.spec.triggers)
    if (const auto* http = std::get_if<spec::HttpTrigger>(&trigger.kind);
        http && !trigger.disabled && !http->ingresses.empty())
      return &trigger;
  return nullptr;
}

}  // namespace

std::optional<json::object> ingress(const FunctionInput& input) {
  const spec::Trigger* trigger = trigger_with_ingresses(input.config);
  if (trigger == nullptr) return std::nullopt;
  json::array rules;
  json::array certificates;
  for (const auto& [name, each] : std::get<spec::HttpTrigger>(trigger->kind).ingresses) {
    const std::string host = host_of(input, each);
    json::object rule{{"http", {{"paths", paths_of(input, each)}}}};
    if (!host.empty()) rule["host"] = host;
    rules.push_back(std::move(rule));
    const std::string& secret = each.secret_name.empty() ? input.platform.ingress_config.tls_secret : each.secret_name;
    if (secret.empty()) continue;
    json::object certificate{{"secretName", secret}};
    if (!host.empty()) certificate["hosts"] = json::array{json::value(host)};
    certificates.push_back(std::move(certificate));
  }
  json::object about = metadata(input, kube::object_name(input.config.metadata.name));
  about["annotations"] = annotations(input, *trigger);
  json::object spec{{"rules", std::move(rules)}};
  const std::string& class_name = input.platform.kube.default_http_ingress_class_name;
  if (!class_name.empty()) spec["ingressClassName"] = class_name;
  if (!certificates.empty()) spec["tls"] = std::move(certificates);
  return json::object{{"apiVersion", k8s::kIngresses.api_version()},
                      {"kind", k8s::kIngresses.kind},
                      {"metadata", std::move(about)},
                      {"spec", std::move(spec)}};
}

}  // namespace nuclio::controller
