// SPDX-License-Identifier: Apache-2.0
#include "dashboard/settings.h"

#include <array>
#include <boost/json/value.hpp>
#include <charconv>
#include <filesystem>

#include "base/environment.h"
#include "base/names.h"
#include "dashboard/auth/auth_config.h"
#include "dashboard/guard.h"
#include "schema/json.h"

namespace nuclio::dashboard {
namespace {

using Flag = SettingFlag<Settings>;

Result<void> set_listen(Settings& settings, const std::string& value) {
  settings.private_socket = value == "private";
  if (settings.private_socket) return {};
  TRY(settings.listen, parse_address(value));
  return {};
}

Result<void> set_platform(Settings& settings, const std::string& value) {
  if (value == "kube") {
    settings.platform = PlatformChoice::kube;
  } else if (value == "auto") {
    settings.platform = settings.in_cluster ? PlatformChoice::kube : PlatformChoice::process;
  } else if (value == "process" || value == "local") {
    settings.platform = PlatformChoice::process;
  } else {
    return fail(Why::invalid, "must be process, kube or auto, is \"" + value + "\"");
  }
  return {};
}

Result<void> set_namespace(Settings& settings, const std::string& value) {
  TRY_DO(parse_namespace(value));
  settings.namespace_name = value;
  return {};
}

Result<void> set_ready(Settings& settings, const std::string& value) {
  int& descriptor = settings.ready_descriptor;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), descriptor);
  if (error != std::errc{} || end != value.data() + value.size() || descriptor < 3)
    return fail(Why::invalid, "must be the number of an open descriptor from 3 on, is \"" + value + "\"");
  return {};
}

template <std::string TemplateFlags::* member>
Result<void> set_templates(Settings& settings, const std::string& value) {
  settings.template_flags.*member = value;
  return {};
}

Result<void> set_addresses(Settings& settings, const std::string& value) {
  settings.external_addresses = split_list(value);
  return {};
}

Result<void> set_resources(Settings& settings, const std::string& value) {
  const auto parsed = schema::parse_json(value);
  if (!parsed || !parsed->is_object())
    return fail(Why::invalid, "must be a JSON object, such as {\"limits\": {\"memory\": \"2Gi\"}}, is " + value);
  settings.build_job_resources = value;
  return {};
}

constexpr std::array kFlags{
    Flag{{"listen-addr", "NUCLIO_DASHBOARD_LISTEN_ADDR",
          "Address to listen on (127.0.0.1:8070; in a pod all addresses); of this machine alone without --auth-kind"},
         set_listen},
    Flag{{"platform", "NUCLIO_DASHBOARD_PLATFORM",
          "Where functions run: process (this machine), kube, or auto: kube in a pod, else process (auto)"},
         set_platform},
    Flag{{"platform-config", "", "File with the platform's settings, a platform.yaml"},
         set_text<&Settings::platform_config>},
    Flag{{"namespace", "NUCLIO_DASHBOARD_NAMESPACE", "Namespace of the functions (nuclio; on kube the context's)"},
         set_namespace},
    Flag{{"kubeconfig", "", "Kubeconfig of the cluster (kube; else KUBECONFIG, else a pod's own account)"},
         set_text<&Settings::kubeconfig>},
    Flag{{"context", "", "Context of the kubeconfig (kube; else its current one)"}, set_text<&Settings::context>},
    Flag{{"registry", "NUCLIO_DASHBOARD_REGISTRY_URL",
          "Registry to which images of functions go, HOST[:PORT][/PATH], http:// in front for plain HTTP (kube)"},
         set_text<&Settings::registry>},
    Flag{{"run-registry", "NUCLIO_DASHBOARD_RUN_REGISTRY_URL",
          "Registry from which nodes pull them, when another (kube)"},
         set_text<&Settings::run_registry>},
    Flag{{"base-registry", "NUCLIO_DASHBOARD_DEFAULT_BASE_REGISTRY_URL",
          "Registry of base images whose names have none, such as python:3.11-slim, written as --registry (kube; else "
          "Docker Hub)"},
         set_text<&Settings::base_registry>},
    Flag{{"docker-key-dir", "NUCLIO_DASHBOARD_DOCKER_KEY_DIR",
          "Folder with logins of registries: files .dockerconfigjson or config.json (kube)"},
         set_text<&Settings::docker_key_dir>},
    Flag{{"registry-credentials-secret-name", "NUCLIO_REGISTRY_CREDENTIALS_SECRET_NAME",
          "Secret with which nodes pull images of functions (kube)"},
         set_text<&Settings::pull_secret>},
    Flag{{"external-ip-addresses", "NUCLIO_DASHBOARD_EXTERNAL_IP_ADDRESSES",
          "Addresses at which NodePorts are reached, commas between them (kube)"},
         set_addresses},
    Flag{{"build-job-image", "NUCLIO_DASHBOARD_BUILD_JOB_IMAGE",
          "Image, the dashboard's own, whose pods run spec.build.commands; else they run on this machine (kube)"},
         set_text<&Settings::build_job_image>},
    Flag{{"build-job-service-account", "NUCLIO_DASHBOARD_BUILD_JOB_SERVICE_ACCOUNT",
          "Service account of these pods, whose token they do not get; else the namespace's default (kube)"},
         set_text<&Settings::build_job_service_account>},
    Flag{{"build-job-resources", "NUCLIO_DASHBOARD_BUILD_JOB_RESOURCES",
          "Resources of these pods, {\"requests\": …, \"limits\": …} (kube)"},
         set_resources},
    Flag{
        {"auth-kind", "NUCLIO_AUTH_KIND",
         "How callers show who they are: of basic, tokens, oidc and kubernetes, commas between them; or none, which is "
         "also what it is where only this machine reaches the dashboard"},
        set_text<&Settings::auth_kind>},
    Flag{{"auth-config", "NUCLIO_AUTH_CONFIG", "File with users, grants and the OpenID provider: docs/login.md"},
         set_text<&Settings::auth_config>},
    Flag{{"audit-log", "NUCLIO_DASHBOARD_AUDIT_LOG",
          "File to which a line goes for each call that changes something (the dashboard's own log)"},
         set_text<&Settings::audit_log>},
    Flag{{"tls-certificate", "NUCLIO_DASHBOARD_TLS_CERTIFICATE",
          "PEM file of the certificate with which it speaks HTTPS, and HTTPS alone"},
         set_text<&Settings::tls_certificate>},
    Flag{{"tls-key", "NUCLIO_DASHBOARD_TLS_KEY", "PEM file of its private key"}, set_text<&Settings::tls_key>},
    Flag{{"templates-git-repository", "NUCLIO_TEMPLATES_GIT_REPOSITORY",
          "Repository with templates beside those of the program, a URL of https, http or ssh"},
         set_templates<&TemplateFlags::git_repository>},
    Flag{{"templates-git-ref", "NUCLIO_TEMPLATES_GIT_REF",
          "Which of it: refs/heads/main, refs/tags/v1 or a commit (the repository's own)"},
         set_templates<&TemplateFlags::git_reference>},
    Flag{{"templates-git-username", "NUCLIO_TEMPLATES_GIT_USERNAME", "User who may read it"},
         set_templates<&TemplateFlags::git_username>},
    Flag{{"templates-git-password", "NUCLIO_TEMPLATES_GIT_PASSWORD",
          "Password or token of that user; better by the variable, since all users of a machine see arguments"},
         set_templates<&TemplateFlags::git_password>},
    Flag{{"templates-github-access-token", "NUCLIO_TEMPLATES_GITHUB_ACCESS_TOKEN",
          "Token for a repository on GitHub, instead of user and password; better by the variable, too"},
         set_templates<&TemplateFlags::github_access_token>},
    Flag{{"templates-git-ca-cert-contents", "NUCLIO_TEMPLATES_GIT_CA_CERT_CONTENTS",
          "Certificates of the only authorities that count for the repository's server, PEM or that in base64"},
         set_templates<&TemplateFlags::git_ca_cert>},
    Flag{{"templates-archive-address", "NUCLIO_TEMPLATES_ARCHIVE_ADDRESS",
          "Zip with templates, file:///PATH or a URL of http or https; in it are ROOT/NAME/FILES"},
         set_templates<&TemplateFlags::archive_address>},
    Flag{{"ready-fd", "", "Descriptor to which \"ready ADDRESS\" is written, or why it cannot start"}, set_ready},
};

// Whoever reaches the dashboard can run programs as its user, or do in a cluster what it can: so either this machine
// alone reaches it, or it asks who they are.
Result<void> check_listen(Settings& settings) {
  Address& address = settings.listen;
  const bool kube = settings.platform == PlatformChoice::kube;
  auto kinds = parse_auth_kinds(settings.auth_kind);
  if (!kinds) return std::unexpected(std::move(kinds).error().in("--auth-kind"));
  if (kinds->kubernetes && !kube) return fail(Why::invalid, "--auth-kind kubernetes is for --platform kube");
  if (settings.tls_certificate.empty() != settings.tls_key.empty())
    return fail(Why::invalid, "--tls-certificate and --tls-key go together");
  // Only nuctl, which knows no other dashboard of a cluster, asks for it.
  if (settings.private_socket && kube) return {};
  if (settings.private_socket) return fail(Why::invalid, "--listen-addr private is for --platform kube");
  // Nuclio's default names no host; what it would mean, all addresses, is what must not be on a laptop.
  if (address.host.empty() && !settings.in_cluster && !kinds->any()) address.host = "127.0.0.1";
  if (address.unix_path.empty() && (is_loopback(address.host) || kinds->any())) return {};
  // A cluster may have put something in front of it that asks; that is for whoever says so.
  if (address.unix_path.empty() && kube && settings.in_cluster && !settings.auth_kind.empty()) return {};
  return fail(Why::forbidden, "--listen-addr " + address.text() + " is reached by others, who could " +
                                  (kube ? "do in the cluster what the dashboard can" : "run programs as its user") +
                                  ": either listen on this machine alone (127.0.0.1:8070), or say by --auth-kind how "
                                  "callers show who they are; with --auth-kind tokens, `dashboard token create` makes "
                                  "them, and docs/login.md has the others");
}

}  // namespace

Result<Settings> read_settings(std::span<const std::string> arguments, const std::vector<std::string>& environment,
                               std::string programs) {
  Settings settings;
  settings.programs = std::move(programs);
  settings.in_cluster = !variable(environment, "KUBERNETES_SERVICE_HOST").empty();
  TRY_DO(set_platform(settings, "auto"));
  if (settings.in_cluster) settings.listen.host = "";
  TRY(settings.asked, read_program_flags(kFlags, settings, arguments, environment, "dashboard"));
  if (settings.asked != Asked::run) return settings;
  TRY_DO(check_listen(settings));
  TRY(settings.template_sources, template_sources(settings.template_flags));
  // On kube, where it is not given, the context or the pod says it.
  if (settings.platform == PlatformChoice::process && settings.namespace_name.empty())
    settings.namespace_name = "nuclio";
  settings.home = variable(environment, "NUCLIO_HOME");
  std::string user_home = variable(environment, "HOME");
  if (settings.home.empty() && user_home.empty())
    return fail(Why::invalid, "set NUCLIO_HOME to the folder for the functions' data: HOME is not set either");
  if (settings.home.empty()) settings.home = user_home + "/.nuclio";
  std::error_code error;
  settings.home = std::filesystem::absolute(settings.home, error).lexically_normal().string();
  if (error) return fail(Why::invalid, "NUCLIO_HOME: " + error.message());
  return settings;
}

std::string help_text() {
  return "dashboard runs functions, on this machine or on Kubernetes, and serves the REST API for them.\n\n"
         "  dashboard [flags]\n"
         "  dashboard token create|list|revoke   API tokens, for who logs in\n"
         "  dashboard hash-password              what stands for a password in --auth-config\n\n" +
         help_of(kFlags) + "\nNUCLIO_HOME names the folder for everything that it keeps (~/.nuclio).\n";
}

}  // namespace nuclio::dashboard
