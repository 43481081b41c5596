// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "schema/schema.h"
#include "spec/metadata.h"

namespace nuclio::spec {

using schema::field;

enum class ServiceType { platform_default, cluster_ip, node_port };
constexpr auto choices(ServiceType) {
  using C = schema::Choice<ServiceType>;
  return std::array{C{ServiceType::platform_default, ""}, C{ServiceType::cluster_ip, "ClusterIP"},
                    C{ServiceType::node_port, "NodePort"}};
}

enum class PathType { implementation_specific, exact, prefix };
constexpr auto choices(PathType) {
  using C = schema::Choice<PathType>;
  return std::array{C{PathType::implementation_specific, "ImplementationSpecific"}, C{PathType::exact, "Exact"},
                    C{PathType::prefix, "Prefix"}};
}

enum class HttpMode { sync, async };
constexpr auto choices(HttpMode) {
  using C = schema::Choice<HttpMode>;
  return std::array{C{HttpMode::sync, "sync"}, C{HttpMode::async, "async"}};
}

struct Ingress {
  std::string host;
  std::string host_template;
  int host_template_random_chars_length = 8;
  std::vector<std::string> paths;
  PathType path_type = PathType::implementation_specific;
  std::string secret_name;

  template <class I = Ingress>
  static constexpr auto fields() {
    return std::tuple{
        field("host", &I::host, {.doc = "Host name; wins over hostTemplate."}),
        field(
            "hostTemplate", &I::host_template,
            {.doc = "Template of the host name, with .Name, .ProjectName and .Namespace; @nuclio.fromDefault takes the "
                    "platform's."}),
        field(
            "hostTemplateRandomCharsLength", &I::host_template_random_chars_length,
            {.doc = "Random characters at the end of a label that had to be cut; -1 for none.", .min = -1, .max = 32}),
        field("paths", &I::paths, {.doc = "Paths, with .Name, .Namespace and .Version."}),
        field("pathType", &I::path_type, {.doc = "How Kubernetes compares the paths."}),
        field("secretName", &I::secret_name, {.doc = "Secret with the TLS certificate."}),
    };
  }
};

struct Cors {
  bool enabled = false;
  std::vector<std::string> allow_origins = {"*"};
  std::vector<std::string> allow_methods = {"HEAD", "GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"};
  std::vector<std::string> allow_headers = {"Accept", "Content-Length", "Content-Type", "Authorization",
                                            "X-Nuclio-Log-Level"};
  bool allow_credentials = false;
  std::vector<std::string> expose_headers;
  std::string preflight_request_method = "OPTIONS";
  std::optional<std::int64_t> preflight_max_age_seconds = 5;

  template <class C = Cors>
  static constexpr auto fields() {
    return std::tuple{
        field("enabled", &C::enabled, {.doc = "Answer preflight requests and check origins."}),
        field("allowOrigins", &C::allow_origins, {.doc = "Origins that may call; * for all."}),
        field("allowMethods", &C::allow_methods, {.doc = "Methods that may be used."}),
        field("allowHeaders", &C::allow_headers, {.doc = "Request headers that may be sent."}),
        field("allowCredentials", &C::allow_credentials, {.doc = "Whether cookies and credentials may be sent."}),
        field("exposeHeaders", &C::expose_headers, {.doc = "Response headers that scripts may read."}),
        field("preflightRequestMethod", &C::preflight_request_method, {.doc = "Method of a preflight request."}),
        field("preflightMaxAgeSeconds", &C::preflight_max_age_seconds,
              {.doc =
                   "Seconds for which a browser may keep the preflight answer; the header is left out when negative or "
                   "null."}),
    };
  }
};

enum class TlsMinimumVersion { v1_2, v1_3 };
constexpr auto choices(TlsMinimumVersion) {
  using C = schema::Choice<TlsMinimumVersion>;
  return std::array{C{TlsMinimumVersion::v1_2, "1.2"}, C{TlsMinimumVersion::v1_3, "1.3"}};
}

struct HttpTls {
  std::string secret_path;
  std::string certificate = "tls.crt";
  std::string key = "tls.key";
  std::string client_ca;
  TlsMinimumVersion minimum_version = TlsMinimumVersion::v1_2;

  template <class T = HttpTls>
  static constexpr auto fields() {
    return std::tuple{
        field("secretPath", &T::secret_path,
              {.doc = "Folder of the files below, as a volume of a Kubernetes secret of type kubernetes.io/tls has "
                      "them. A renewed certificate is taken without a restart."}),
        field("certificate", &T::certificate,
              {.doc = "PEM file of the certificate, followed by those that lead to its root; in secretPath unless it "
                      "begins with /."}),
        field("key", &T::key,
              {.doc = "PEM file of the certificate's private key, without passphrase; in secretPath unless it begins "
                      "with /."}),
        field("clientCA", &T::client_ca,
              {.doc = "PEM file of authorities, in secretPath unless it begins with /: only clients that show a "
                      "certificate of one of them are served. All are when empty."}),
        field("minimumVersion", &T::minimum_version, {.doc = "Oldest version of TLS that is spoken."}),
    };
  }

  // Where a file named above lies; "" for one that is not named.
  std::string path_of(const std::string& file) const {
    return file.empty() || file.front() == '/' || secret_path.empty() ? file : secret_path + "/" + file;
  }
};

struct HttpTrigger {
  static constexpr std::string_view kKind = "http";
  int port = 0;
  ServiceType service_type = ServiceType::platform_default;
  std::map<std::string, Ingress> ingresses;
  std::optional<Bytes> read_buffer_size;
  std::optional<Bytes> max_request_body_size;
  bool reduce_memory_usage = false;
  std::optional<Cors> cors;
  bool disable_port_publishing = false;
  HttpMode mode = HttpMode::sync;
  std::optional<HttpTls> tls;
  bool http2 = true;

  template <class H = HttpTrigger>
  static constexpr auto fields() {
    return std::tuple{
        field("port", &H::port,
              {.doc = "Port of the host where the function answers; chosen by the platform when 0.",
               .min = 0,
               .max = 65535}),
        field("serviceType", &H::service_type, {.doc = "Type of the Kubernetes service.", .only = kKubernetes}),
        field("ingresses", &H::ingresses, {.doc = "Ingresses by name.", .only = kKubernetes}),
        field("readBufferSize", &H::read_buffer_size,
              {.doc = "Bytes that the request line and headers may have, more is answered 431; the platform's "
                      "processor.http.maxHeaderBytes when absent.",
               .min = 256,
               .max = 1048576}),
        field("maxRequestBodySize", &H::max_request_body_size,
              {.doc = "Bytes that a request body may have, more is answered 413; the platform's "
                      "processor.http.maxBodyBytes when absent or 0.",
               .min = 0}),
        field("reduceMemoryUsage", &H::reduce_memory_usage,
              {.doc = "Use less memory for more processor time.", .inert = true}),
        field("cors", &H::cors, {.doc = "Cross-origin requests; off when absent."}),
        field("disablePortPublishing", &H::disable_port_publishing,
              {.doc = "Do not publish the port on the host (docker platform).", .inert = true}),
        field("mode", &H::mode, {.doc = "sync or async; both behave the same."}),
        field("tls", &H::tls, {.doc = "Speak HTTPS with this certificate, and nothing else; off when absent."}),
        field("http2", &H::http2,
              {.doc = "Speak HTTP/2 too: with tls to clients that choose it, else to those that begin with it (h2c)."}),
    };
  }
};

}  // namespace nuclio::spec
