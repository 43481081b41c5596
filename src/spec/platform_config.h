// SPDX-License-Identifier: Apache-2.0
// The settings of a whole platform, platform.yaml: shared by the processor, the dashboard and the builder.
#pragma once
#include <array>
#include <boost/json/value.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "schema/schema.h"
#include "spec/function.h"
#include "spec/logger_sink.h"

namespace nuclio::spec {

using schema::field;

struct ListenerConfig {
  bool enabled = true;
  std::string listen_address;

  template <class L = ListenerConfig>
  static constexpr auto fields() {
    return std::tuple{
        field("enabled", &L::enabled, {.doc = "Whether it listens at all."}),
        field("listenAddress", &L::listen_address,
              {.doc = "Address to listen on; :8081 for webAdmin and :8082 for healthCheck when empty."}),
    };
  }
};

enum class LoggerSinkKind { standard_output, appinsights };
constexpr auto choices(LoggerSinkKind) {
  using C = schema::Choice<LoggerSinkKind>;
  return std::array{C{LoggerSinkKind::standard_output, "stdout"}, C{LoggerSinkKind::appinsights, "appinsights"}};
}

enum class LogEncoding { console, json };
constexpr auto choices(LogEncoding) {
  using C = schema::Choice<LogEncoding>;
  return std::array{C{LogEncoding::console, "console"}, C{LogEncoding::json, "json"}};
}

struct LoggerSinkAttributes {
  LogEncoding encoding = LogEncoding::console;
  std::string var_group_name;
  std::string var_group_mode;
  std::string time_field_name = "time";
  std::string time_field_encoding;
  std::string instrumentation_key;
  int max_batch_size = 1024;
  std::chrono::nanoseconds max_batch_interval = std::chrono::seconds{3};

  template <class A = LoggerSinkAttributes>
  static constexpr auto fields() {
    return std::tuple{
        field("encoding", &A::encoding, {.doc = "console for people, json for machines (stdout)."}),
        field("varGroupName", &A::var_group_name, {.doc = "Put the variables under this key (stdout).", .inert = true}),
        field("varGroupMode", &A::var_group_mode, {.doc = "structured or flattened (stdout).", .inert = true}),
        field("timeFieldName", &A::time_field_name, {.doc = "Key of the time (stdout).", .inert = true}),
        field("timeFieldEncoding", &A::time_field_encoding,
              {.doc = "epoch-millis or iso8601 (stdout).", .inert = true}),
        field("instrumentationKey", &A::instrumentation_key,
              {.doc = "Key of the resource (appinsights).", .secret = true, .inert = true}),
        field("maxBatchSize", &A::max_batch_size,
              {.doc = "Records sent at once (appinsights).", .min = 1, .inert = true}),
        field("maxBatchInterval", &A::max_batch_interval,
              {.doc = "Longest time that a record waits (appinsights).", .inert = true}),
    };
  }
};

struct NamedLoggerSink {
  LoggerSinkKind kind = LoggerSinkKind::standard_output;
  std::string url;
  LoggerSinkAttributes attributes;

  template <class N = NamedLoggerSink>
  static constexpr auto fields() {
    return std::tuple{
        field("kind", &N::kind, {.doc = "Where lines go."}),
        field("url", &N::url, {.doc = "Address of the sink.", .inert = true}),
        field("attributes", &N::attributes, {.doc = "Settings of the kind."}),
    };
  }
};

struct LoggerConfig {
  std::map<std::string, NamedLoggerSink> sinks;
  std::vector<LoggerSink> system;
  std::vector<LoggerSink> functions;

  template <class L = LoggerConfig>
  static constexpr auto fields() {
    return std::tuple{
        field("sinks", &L::sinks, {.doc = "Sinks by name; one named stdout exists always."}),
        field("system", &L::system, {.doc = "Where the platform's own programs log."}),
        field("functions", &L::functions,
              {.doc = "Where functions log; stdout from level debug when empty. loggerSinks of a function win."}),
    };
  }
};

enum class MetricSinkKind { prometheus_pull, prometheus_push, appinsights };
constexpr auto choices(MetricSinkKind) {
  using C = schema::Choice<MetricSinkKind>;
  return std::array{C{MetricSinkKind::prometheus_pull, "prometheusPull"},
                    C{MetricSinkKind::prometheus_push, "prometheusPush"},
                    C{MetricSinkKind::appinsights, "appinsights"}};
}

struct MetricSink {
  std::optional<bool> enabled;
  MetricSinkKind kind = MetricSinkKind::prometheus_pull;
  std::string url;
  boost::json::object attributes;

  template <class M = MetricSink>
  static constexpr auto fields() {
    return std::tuple{
        field("enabled", &M::enabled, {.doc = "Whether the sink is used; yes when absent."}),
        field("kind", &M::kind, {.doc = "How metrics leave the processor; only prometheusPull works yet."}),
        field("url", &M::url, {.doc = "Address; for prometheusPull the one to listen on, :8090 when empty."}),
        field("attributes", &M::attributes,
              {.doc = "Settings of the kind: instanceName, interval, jobName, instrumentationKey.", .secret = true}),
    };
  }
};

struct MetricsConfig {
  std::map<std::string, MetricSink> sinks;
  std::vector<std::string> system;
  std::vector<std::string> functions;

  template <class M = MetricsConfig>
  static constexpr auto fields() {
    return std::tuple{
        field("sinks", &M::sinks, {.doc = "Sinks by name."}),
        field("system", &M::system, {.doc = "Names of the sinks of the platform's programs.", .inert = true}),
        field("functions", &M::functions, {.doc = "Names of the sinks of functions."}),
    };
  }
};

// What an http trigger allows its clients. http::Limits has the same in the units that the server works with.
struct HttpLimitsConfig {
  Bytes max_header_bytes{16384};
  int max_headers = 100;
  std::optional<Bytes> max_target_bytes;
  Bytes max_body_bytes{4194304};
  int header_timeout_milliseconds = 10000;
  int idle_timeout_milliseconds = 75000;
  int least_bytes_per_second = 1024;
  int body_grace_milliseconds = 10000;
  int answer_grace_milliseconds = 60000;
  int linger_milliseconds = 2000;
  int http2_streams = 128;
  Bytes http2_window_bytes{1048576};
  Bytes http2_body_bytes{16777216};
  int http2_idle_frames = 1000;
  int http2_idle_frames_per_second = 100;
  int http2_resets = 200;
  int http2_resets_per_second = 20;
  int http2_unread_acks = 100;

  template <class H = HttpLimitsConfig>
  static constexpr auto fields() {
    return std::tuple{
        field("maxHeaderBytes", &H::max_header_bytes,
              {.doc = "Bytes that a request line and its headers may have, and the trailers of a chunked body; more is "
                      "answered 431. A trigger's readBufferSize wins.",
               .min = 256,
               .max = 1048576}),
        field("maxHeaders", &H::max_headers,
              {.doc = "Headers that a request may have; more is answered 431.", .min = 1, .max = 10000}),
        field("maxTargetBytes", &H::max_target_bytes,
              {.doc = "Bytes that a request target may have, more is answered 414; as many as the headers when absent.",
               .min = 1,
               .max = 1048576}),
        field("maxBodyBytes", &H::max_body_bytes,
              {.doc = "Bytes that a request body may have; more is answered 413. A trigger's maxRequestBodySize wins.",
               .min = 0,
               .max = 1099511627776}),
        field("headerTimeoutMilliseconds", &H::header_timeout_milliseconds,
              {.doc = "Milliseconds from a request's first byte to its last header; then it is answered 408.",
               .min = 1,
               .max = 3600000}),
        field("idleTimeoutMilliseconds", &H::idle_timeout_milliseconds,
              {.doc = "Milliseconds that a connection may wait for its next request; then it is closed.",
               .min = 1,
               .max = 86400000}),
        field("leastBytesPerSecond", &H::least_bytes_per_second,
              {.doc = "Bytes a second that a client must at least send of a body and take of an answer.",
               .min = 1,
               .max = 1073741824}),
        field("bodyGraceMilliseconds", &H::body_grace_milliseconds,
              {.doc = "Milliseconds that a client may be behind the least rate while it sends a body; then it is "
                      "answered 408.",
               .min = 1,
               .max = 3600000}),
        field("answerGraceMilliseconds", &H::answer_grace_milliseconds,
              {.doc = "Milliseconds that a client may be behind the least rate while it takes an answer; then the "
                      "connection is cut.",
               .min = 1,
               .max = 3600000}),
        field("lingerMilliseconds", &H::linger_milliseconds,
              {.doc = "Milliseconds for which what a refused client still sends is read and thrown away, so that it "
                      "sees the answer.",
               .min = 0,
               .max = 60000}),
        field("http2Streams", &H::http2_streams,
              {.doc = "Requests that an HTTP/2 connection may have at once; more are refused, to be sent again.",
               .min = 1,
               .max = 10000}),
        field("http2WindowBytes", &H::http2_window_bytes,
              {.doc = "Bytes of request bodies that may be on their way at once on an HTTP/2 connection.",
               .min = 65535,
               .max = 2147483647}),
        field("http2BodyBytes", &H::http2_body_bytes,
              {.doc = "Bytes of memory for the request bodies above 32 KiB that come at once on an HTTP/2 connection; "
                      "further ones wait. One alone may be larger.",
               .min = 0,
               .max = 1099511627776}),
        field(
            "http2IdleFrames", &H::http2_idle_frames,
            {.doc = "Frames that carry nothing (pings, settings, windows, empty data) which an HTTP/2 client may send "
                    "at once; then it is told ENHANCE_YOUR_CALM and cut off. What it asks for and reads earns some "
                    "back.",
             .min = 1,
             .max = 1000000}),
        field("http2IdleFramesPerSecond", &H::http2_idle_frames_per_second,
              {.doc = "Frames that carry nothing which an HTTP/2 client may send a second in the long run.",
               .min = 0,
               .max = 1000000}),
        field("http2Resets", &H::http2_resets,
              {.doc = "Requests that an HTTP/2 client may give up at once before they are answered; then it is told "
                      "ENHANCE_YOUR_CALM and cut off.",
               .min = 1,
               .max = 1000000}),
        field(
            "http2ResetsPerSecond", &H::http2_resets_per_second,
            {.doc = "Requests that an HTTP/2 client may give up a second in the long run.", .min = 0, .max = 1000000}),
        field("http2UnreadAcks", &H::http2_unread_acks,
              {.doc = "Answers to settings and pings that an HTTP/2 client need not have read; then it is cut off.",
               .min = 1,
               .max = 100000}),
    };
  }
};

enum class WorkerTransport { ring, socket };
constexpr auto choices(WorkerTransport) {
  using C = schema::Choice<WorkerTransport>;
  return std::array{C{WorkerTransport::ring, "ring"}, C{WorkerTransport::socket, "socket"}};
}

// Settings of the processor that Nuclio does not have.
struct ProcessorConfig {
  int queue_limit = 10;
  int max_connections = 262144;
  int io_threads = 1;
  std::optional<int> drain_pause_milliseconds;
  std::optional<bool> expose_errors;
  WorkerTransport worker_transport = WorkerTransport::ring;
  Bytes worker_memory_limit{0};
  int worker_descriptor_limit = 0;
  HttpLimitsConfig http;

  template <class P = ProcessorConfig>
  static constexpr auto fields() {
    return std::tuple{
        field("queueLimit", &P::queue_limit,
              {.doc = "Events that may wait for each worker of a trigger; more are answered 503 at once.",
               .min = 0,
               .max = 1000000}),
        field("maxConnections", &P::max_connections,
              {.doc = "Connections that an http trigger keeps open; more are answered 503 and closed.",
               .min = 1,
               .max = 1000000}),
        field("ioThreads", &P::io_threads,
              {.doc = "Threads among which the workers of each http trigger and its connections are shared out, as far "
                      "as there are workers. More than one is of use when one core is not enough for what is between "
                      "clients and handlers, or for C++ handlers that run in the processor, which then must be safe to "
                      "run at the same time.",
               .min = 1,
               .max = 256}),
        field("drainPauseMilliseconds", &P::drain_pause_milliseconds,
              {.doc = "Milliseconds between being told to stop and closing the listener, for load balancers to notice; "
                      "when absent 2000 on kube, else 0.",
               .min = 0,
               .max = 600000}),
        field("exposeErrors", &P::expose_errors,
              {.doc = "Whether a 500 shows the exception and its traceback to the caller; yes when absent, except on "
                      "kube."}),
        field("workerTransport", &P::worker_transport,
              {.doc = "How events reach workers in processes of their own: ring (shared memory, where the runtime can) "
                      "or socket."}),
        field("workerMemoryLimit", &P::worker_memory_limit,
              {.doc = "Bytes of address space that each worker in a process of its own may take, beside what it shares "
                      "with the processor; 0 is no limit.",
               .min = 0,
               .max = 1099511627776}),
        field("workerDescriptorLimit", &P::worker_descriptor_limit,
              {.doc = "Descriptors that each worker in a process of its own may have open; 0 is the processor's limit.",
               .min = 0,
               .max = 1048576}),
        field("http", &P::http, {.doc = "What an http trigger allows its clients."}),
    };
  }
};

// What the builder may do for those who deploy functions.
struct BuilderConfig {
  std::optional<bool> local_sources;

  template <class B = BuilderConfig>
  static constexpr auto fields() {
    return std::tuple{
        field("localSources", &B::local_sources,
              {.doc = "Whether a function may name code that this machine alone reaches: its files, loopback and "
                      "link-local addresses, and repositories by ssh with its keys; yes when absent, except on kube."}),
    };
  }
};

enum class PlatformKind { automatic, process, local, kube };
constexpr auto choices(PlatformKind) {
  using C = schema::Choice<PlatformKind>;
  return std::array{C{PlatformKind::automatic, ""}, C{PlatformKind::process, "process"},
                    C{PlatformKind::local, "local"}, C{PlatformKind::kube, "kube"}};
}

struct RuntimeEnvironment {
  std::vector<EnvironmentVariable> env;
  boost::json::array env_from;
  std::map<std::string, std::string> build_args;
  std::string pip_ca_path;

  template <class R = RuntimeEnvironment>
  static constexpr auto fields() {
    return std::tuple{
        field("env", &R::env, {.doc = "Environment variables of every function; a function's own win."}),
        field("envFrom", &R::env_from,
              {.doc = "Kubernetes EnvFromSource list, for every function.", .only = kKubernetes}),
        field("buildArgs", &R::build_args, {.doc = "Build arguments.", .inert = true}),
        field("pipCAPath", &R::pip_ca_path, {.doc = "Certificate authority for pip.", .inert = true}),
    };
  }
};

struct RuntimeConfig {
  RuntimeEnvironment common;
  RuntimeEnvironment python;

  template <class R = RuntimeConfig>
  static constexpr auto fields() {
    return std::tuple{
        field("common", &R::common, {.doc = "For functions of every runtime."}),
        field("python", &R::python, {.doc = "For Python functions."}),
    };
  }
};

enum class CronTriggerCreationMode { processor, kube };
constexpr auto choices(CronTriggerCreationMode) {
  using C = schema::Choice<CronTriggerCreationMode>;
  return std::array{C{CronTriggerCreationMode::processor, "processor"}, C{CronTriggerCreationMode::kube, "kube"}};
}

struct PreemptibleNodes {
  PreemptionMode default_mode = PreemptionMode::prevent;
  boost::json::array tolerations;
  boost::json::array gpu_tolerations;
  std::map<std::string, std::string> node_selector;

  template <class P = PreemptibleNodes>
  static constexpr auto fields() {
    return std::tuple{
        field("defaultMode", &P::default_mode, {.doc = "preemptionMode of functions that say none."}),
        field("tolerations", &P::tolerations,
              {.doc = "What a function needs to tolerate such nodes: Toleration list."}),
        field("gpuTolerations", &P::gpu_tolerations, {.doc = "The same for functions with a limit of nvidia.com/gpu."}),
        field("nodeSelector", &P::node_selector,
              {.doc = "Labels of such nodes; preemptionMode does nothing when there are none."}),
    };
  }
};

struct KubeConfig {
  std::string kube_config_path;
  ServiceType default_service_type = ServiceType::cluster_ip;
  std::map<std::string, std::string> default_function_node_selector;
  std::string default_http_ingress_host_template;
  std::map<std::string, std::string> default_http_ingress_annotations;
  std::string default_http_ingress_class_name = "nginx";
  std::string default_function_priority_class_name;
  std::vector<std::string> valid_function_priority_class_names;
  std::string default_function_service_account;
  boost::json::object default_function_pod_resources;
  boost::json::object default_sidecar_resources;
  boost::json::array default_function_tolerations;
  PreemptibleNodes preemptible_nodes;
  std::string image_pull_secrets;
  std::string cron_trigger_cron_job_image = "nuclio/nuctl";

  template <class K = KubeConfig>
  static constexpr auto fields() {
    return std::tuple{
        field("kubeConfigPath", &K::kube_config_path,
              {.doc = "kubeconfig of the cluster; KUBECONFIG or the pod's service account when empty.", .inert = true}),
        field("defaultServiceType", &K::default_service_type, {.doc = "serviceType of functions that say none."}),
        field("defaultFunctionNodeSelector", &K::default_function_node_selector,
              {.doc = "Labels of the nodes for functions; a project's and a function's own win."}),
        field("defaultHTTPIngressHostTemplate", &K::default_http_ingress_host_template,
              {.doc = "What an ingress's hostTemplate @nuclio.fromDefault stands for."}),
        field("defaultHTTPIngressAnnotations", &K::default_http_ingress_annotations,
              {.doc = "Annotations of every function's Ingress; a trigger's own win."}),
        field("defaultHTTPIngressClassName", &K::default_http_ingress_class_name,
              {.doc = "Class of every function's Ingress; the cluster's default when empty."}),
        field("defaultFunctionPriorityClassName", &K::default_function_priority_class_name,
              {.doc = "priorityClassName of functions that say none."}),
        field("validFunctionPriorityClassNames", &K::valid_function_priority_class_names,
              {.doc = "What functions may give as priorityClassName; everything when empty."}),
        field("defaultFunctionServiceAccount", &K::default_function_service_account,
              {.doc = "serviceAccount of functions that say none."}),
        field("defaultFunctionPodResources", &K::default_function_pod_resources,
              {.doc = "requests and limits of functions; a function's own win, one by one."}),
        field("defaultSidecarResources", &K::default_sidecar_resources,
              {.doc = "requests and limits of sidecars; a sidecar's own win, one by one."}),
        field("defaultFunctionTolerations", &K::default_function_tolerations,
              {.doc = "tolerations of functions that have none."}),
        field("preemptibleNodes", &K::preemptible_nodes, {.doc = "Nodes that may be taken away at any time."}),
        field("imagePullSecrets", &K::image_pull_secrets,
              {.doc = "imagePullSecrets of functions that say none: one secret, by name."}),
        field("cronTriggerCronJobImage", &K::cron_trigger_cron_job_image,
              {.doc = "Image with nuctl, from which CronJobs call functions."}),
    };
  }
};

enum class SelectorOperator { in, not_in, exists, does_not_exist };
constexpr auto choices(SelectorOperator) {
  using C = schema::Choice<SelectorOperator>;
  return std::array{C{SelectorOperator::in, "In"}, C{SelectorOperator::not_in, "NotIn"},
                    C{SelectorOperator::exists, "Exists"}, C{SelectorOperator::does_not_exist, "DoesNotExist"}};
}

struct SelectorExpression {
  std::string key;
  SelectorOperator is = SelectorOperator::in;
  std::vector<std::string> values;

  template <class S = SelectorExpression>
  static constexpr auto fields() {
    return std::tuple{
        field("key", &S::key, {.doc = "Key of the label.", .required = true}),
        field("operator", &S::is, {.doc = "What the label must be to the values."}),
        field("values", &S::values, {.doc = "Values, for In and NotIn."}),
    };
  }
};

struct LabelSelector {
  std::map<std::string, std::string> match_labels;
  std::vector<SelectorExpression> match_expressions;

  template <class L = LabelSelector>
  static constexpr auto fields() {
    return std::tuple{
        field("matchLabels", &L::match_labels, {.doc = "Labels that the function must have."}),
        field("matchExpressions", &L::match_expressions, {.doc = "What must be so of its labels."}),
    };
  }
};

struct AugmentedObjects {
  boost::json::object deployment;

  template <class A = AugmentedObjects>
  static constexpr auto fields() {
    return std::tuple{
        field("deployment", &A::deployment,
              {.doc = "Merged over the function's Deployment: objects key by key, lists of named things by "
                      "name; null removes."})};
  }
};

// What functions with certain labels get.
struct AugmentedConfig {
  LabelSelector label_selector;
  boost::json::object function_config;
  AugmentedObjects kubernetes;

  template <class A = AugmentedConfig>
  static constexpr auto fields() {
    return std::tuple{
        field("labelSelector", &A::label_selector, {.doc = "Which functions; all when empty."}),
        field("functionConfig", &A::function_config, {.doc = "Merged over the function: metadata and spec."}),
        field("kubernetes", &A::kubernetes, {.doc = "Merged over the function's objects."}),
    };
  }
};

struct IngressConfig {
  bool enable_ssl_redirect = false;
  std::string tls_secret;
  std::string iguazio_auth_url;
  std::string iguazio_sign_in_url;
  std::vector<std::string> allowed_authentication_modes;
  std::string oauth2_proxy_url;

  template <class I = IngressConfig>
  static constexpr auto fields() {
    return std::tuple{
        field("enableSSLRedirect", &I::enable_ssl_redirect, {.doc = "Send plain HTTP of ingresses to HTTPS (nginx)."}),
        field("tlsSecret", &I::tls_secret, {.doc = "Secret with the certificate of ingresses that name none."}),
        field("iguazioAuthURL", &I::iguazio_auth_url, {.doc = "Where iguazio sessions are checked.", .inert = true}),
        field("iguazioSignInURL", &I::iguazio_sign_in_url, {.doc = "Where iguazio users sign in.", .inert = true}),
        field("allowedAuthenticationModes", &I::allowed_authentication_modes,
              {.doc = "authenticationModes that API gateways may have.", .inert = true}),
        field("oauth2ProxyURL", &I::oauth2_proxy_url, {.doc = "Proxy of API gateways with oauth2.", .inert = true}),
    };
  }
};

struct SensitiveFields {
  std::optional<bool> mask_sensitive_fields;
  std::vector<std::string> custom_sensitive_fields;

  template <class S = SensitiveFields>
  static constexpr auto fields() {
    return std::tuple{
        field("maskSensitiveFields", &S::mask_sensitive_fields,
              {.doc = "Whether passwords and keys of functions are kept in a Secret, with references to them in the "
                      "function; yes when absent."}),
        field("customSensitiveFields", &S::custom_sensitive_fields,
              {.doc = "Regular expressions of more paths to mask, such as ^/spec/env/.*/value$; case makes no "
                      "difference."}),
    };
  }
};

// The dashboard asks an Open Policy Agent over HTTP who may do what, where its authorization says so.
struct OpaConfig {
  std::string address;
  std::string client_kind;
  int request_timeout = 10;
  std::string permission_query_path = "/v1/data/iguazio/authz/allow";
  std::string permission_filter_path = "/v1/data/iguazio/authz/filter_allowed";
  int log_level = 0;
  std::string override_header_value;

  template <class O = OpaConfig>
  static constexpr auto fields() {
    return std::tuple{
        field("address", &O::address, {.doc = "Its URL, such as http://127.0.0.1:8181."}),
        field("clientKind", &O::client_kind, {.doc = "http, nop or mock.", .inert = true}),
        field("requestTimeout", &O::request_timeout,
              {.doc = "Seconds until a question counts as not answered, which is no permission.", .min = 1, .max = 60}),
        field("permissionQueryPath", &O::permission_query_path,
              {.doc = "Where it answers {input: {resource, action, ids}} with {result: true or false}."}),
        field("permissionFilterPath", &O::permission_filter_path,
              {.doc = "Where it answers {input: {resources, action, ids}} with {result: the resources that may be}."}),
        field("logLevel", &O::log_level, {.doc = "How much the client logs.", .inert = true}),
        field("overrideHeaderValue", &O::override_header_value,
              {.doc = "What a caller would send to be asked nothing.", .secret = true, .inert = true}),
    };
  }
};

struct PlatformConfig {
  PlatformKind kind = PlatformKind::automatic;
  ListenerConfig web_admin;
  ListenerConfig health_check;
  LoggerConfig logger;
  MetricsConfig metrics;
  ProcessorConfig processor;
  BuilderConfig builder;
  RuntimeConfig runtime;
  std::chrono::nanoseconds function_readiness_timeout = std::chrono::seconds{120};
  std::chrono::nanoseconds function_invocation_timeout = std::chrono::seconds{60};
  bool disable_default_http_trigger = false;
  CronTriggerCreationMode cron_trigger_creation_mode = CronTriggerCreationMode::processor;
  boost::json::object scale_to_zero;
  boost::json::object auto_scale;
  boost::json::array supported_auto_scale_metrics;
  std::string auto_scale_metrics_mode;
  std::vector<AugmentedConfig> function_augmented_configs;
  IngressConfig ingress_config;
  KubeConfig kube;
  boost::json::object local;
  boost::json::object image_registry_overrides;
  boost::json::object projects_leader;
  std::vector<std::string> managed_namespaces;
  std::string iguazio_session_cookie;
  OpaConfig opa;
  boost::json::object stream_monitoring;
  SensitiveFields sensitive_fields;
  boost::json::object container_builder_configuration;

  template <class P = PlatformConfig>
  static constexpr auto fields() {
    return std::tuple{
        field("kind", &P::kind,
              {.doc = "Where functions run; found out when empty: kube within a cluster, else process."}),
        field("webAdmin", &P::web_admin, {.doc = "The processor's administration port."}),
        field("healthCheck", &P::health_check, {.doc = "The processor's readiness and liveness port."}),
        field("logger", &P::logger, {.doc = "Where log lines go."}),
        field("metrics", &P::metrics, {.doc = "Where metrics go; to be pulled from :8090 when no sink is named."}),
        field("processor", &P::processor, {.doc = "Limits and behaviour of each processor."}),
        field("builder", &P::builder, {.doc = "What a build may do."}),
        field("runtime", &P::runtime, {.doc = "What all functions of a runtime get."}),
        field("functionReadinessTimeout", &P::function_readiness_timeout,
              {.doc = "Time within which a function must become ready, unless it says its own."}),
        field("functionInvocationTimeout", &P::function_invocation_timeout,
              {.doc = "Time that an invocation through the dashboard may take."}),
        field("disableDefaultHTTPTrigger", &P::disable_default_http_trigger,
              {.doc = "Do not add an http trigger to functions that have none."}),
        field("cronTriggerCreationMode", &P::cron_trigger_creation_mode,
              {.doc =
                   "Where cron triggers run: kube: as CronJobs. processor: in the function's processor, or as CronJobs "
                   "where there may be several replicas, each of which would fire.",
               .only = kKubernetes}),
        field("scaleToZero", &P::scale_to_zero,
              {.doc = "mode, scalerInterval, resourceReadinessTimeout, scaleResources, inactivityWindowPresets, "
                      "httpTriggerIngressAnnotations, multiTargetStrategy.",
               .inert = true}),
        field("autoScale", &P::auto_scale, {.doc = "metricName and targetValue.", .inert = true}),
        field("supportedAutoScaleMetrics", &P::supported_auto_scale_metrics,
              {.doc = "Metrics to offer.", .inert = true}),
        field("autoScaleMetricsMode", &P::auto_scale_metrics_mode, {.doc = "legacy or custom.", .inert = true}),
        field("functionAugmentedConfigs", &P::function_augmented_configs,
              {.doc = "Patches for functions with certain labels.", .only = kKubernetes}),
        field("ingressConfig", &P::ingress_config,
              {.doc = "TLS and authentication of ingresses.", .only = kKubernetes}),
        field("kube", &P::kube, {.doc = "Defaults of functions.", .only = kKubernetes}),
        field("local", &P::local, {.doc = "Defaults of the docker platform.", .inert = true}),
        field("imageRegistryOverrides", &P::image_registry_overrides,
              {.doc = "baseImageRegistries: where base images are pulled from, by runtime. onbuildImageRegistries has "
                      "no effect.",
               .only = kKubernetes}),
        field("projectsLeader", &P::projects_leader, {.doc = "System that owns the projects.", .inert = true}),
        field("managedNamespaces", &P::managed_namespaces,
              {.doc = "Namespaces that the dashboard serves beside its own.", .only = kKubernetes}),
        field("iguazioSessionCookie", &P::iguazio_session_cookie,
              {.doc = "Session for the projects' leader.", .secret = true, .inert = true}),
        field("opa", &P::opa, {.doc = "Open Policy Agent that the dashboard asks, where its authorization is opa."}),
        field("streamMonitoring", &P::stream_monitoring, {.doc = "v3io streams.", .inert = true}),
        field("sensitiveFields", &P::sensitive_fields,
              {.doc = "What of functions is to be kept in Secrets.", .only = kKubernetes}),
        field("containerBuilderConfiguration", &P::container_builder_configuration,
              {.doc = "How images are built.", .secret = true, .inert = true}),
    };
  }
};

// How long a processor that was told to stop goes on listening: on Kubernetes until nodes have heard that it goes.
inline std::chrono::milliseconds drain_pause(const PlatformConfig& platform) {
  const int otherwise = platform.kind == PlatformKind::kube ? 2000 : 0;
  return std::chrono::milliseconds{platform.processor.drain_pause_milliseconds.value_or(otherwise)};
}

}  // namespace nuclio::spec
