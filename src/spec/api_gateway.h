// SPDX-License-Identifier: Apache-2.0
// A host name and path under which functions answer, with a login maybe.
#pragma once
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "schema/schema.h"
#include "spec/metadata.h"

namespace nuclio::spec {

enum class AuthenticationMode { none, basic_auth, access_key, oauth2 };
constexpr auto choices(AuthenticationMode) {
  using C = schema::Choice<AuthenticationMode>;
  return std::array{C{AuthenticationMode::none, "none"}, C{AuthenticationMode::basic_auth, "basicAuth"},
                    C{AuthenticationMode::access_key, "accessKey"}, C{AuthenticationMode::oauth2, "oauth2"}};
}

struct BasicAuth {
  std::string username;
  std::string password;

  template <class B = BasicAuth>
  static constexpr auto fields() {
    return std::tuple{
        field("username", &B::username, {.doc = "User name."}),
        field("password", &B::password, {.doc = "Password.", .secret = true}),
    };
  }
};

struct DexAuth {
  std::string oauth2_proxy_url;
  bool redirect_unauthorized_to_sign_in = false;

  template <class D = DexAuth>
  static constexpr auto fields() {
    return std::tuple{
        field("oauth2ProxyUrl", &D::oauth2_proxy_url, {.doc = "URL of the proxy that signs in."}),
        field("redirectUnauthorizedToSignIn", &D::redirect_unauthorized_to_sign_in,
              {.doc = "Send a caller without a session to the sign-in page."}),
    };
  }
};

struct Authentication {
  std::optional<BasicAuth> basic_auth;
  std::optional<DexAuth> dex_auth;

  template <class A = Authentication>
  static constexpr auto fields() {
    return std::tuple{
        field("basicAuth", &A::basic_auth, {.doc = "Settings of basicAuth."}),
        field("dexAuth", &A::dex_auth, {.doc = "Settings of oauth2."}),
    };
  }
};

struct UpstreamFunction {
  std::string name;

  template <class U = UpstreamFunction>
  static constexpr auto fields() {
    return std::tuple{field("name", &U::name, {.doc = "Name of the function.", .required = true})};
  }
};

inline constexpr std::string_view kFunctionUpstream = "nucliofunction";  // the only kind

struct Upstream {
  std::string kind{kFunctionUpstream};
  UpstreamFunction function;
  int port = 0;
  int percentage = 0;
  std::string rewrite_target;
  std::map<std::string, std::string> extra_annotations;
  std::map<std::string, std::string> extra_labels;

  template <class U = Upstream>
  static constexpr auto fields() {
    return std::tuple{
        field("kind", &U::kind, {.doc = "nucliofunction."}),
        field("nucliofunction", &U::function, {.doc = "The function to send requests to.", .also = "nuclioFunction"}),
        field("port", &U::port, {.doc = "Port of the function; its http trigger when 0.", .min = 0, .max = 65535}),
        field("percentage", &U::percentage, {.doc = "Share of a canary.", .min = 0, .max = 100}),
        field("rewriteTarget", &U::rewrite_target, {.doc = "Path that the function sees."}),
        field("extraAnnotations", &U::extra_annotations, {.doc = "Annotations to add to the ingress."}),
        field("extraLabels", &U::extra_labels, {.doc = "Labels to add to the ingress."}),
    };
  }
};

struct ApiGatewaySpec {
  std::string name;
  std::string host;
  std::string description;
  std::string path;
  AuthenticationMode authentication_mode = AuthenticationMode::none;
  std::optional<Authentication> authentication;
  std::vector<Upstream> upstreams;

  template <class A = ApiGatewaySpec>
  static constexpr auto fields() {
    return std::tuple{
        field("name", &A::name, {.doc = "Name of the gateway."}),
        field("host", &A::host, {.doc = "Host name."}),
        field("description", &A::description, {.doc = "What the gateway is for."}),
        field("path", &A::path, {.doc = "Path under which it answers."}),
        field("authenticationMode", &A::authentication_mode, {.doc = "How callers prove who they are."}),
        field("authentication", &A::authentication, {.doc = "Settings of the mode."}),
        field("upstreams", &A::upstreams, {.doc = "The function, or the function and its canary."}),
    };
  }
};

// status.state, as Nuclio's clients know it.
inline constexpr std::string_view kWaitingForProvisioning = "waitingForProvisioning";

struct ApiGatewayStatus {
  std::string name;
  std::string last_error;
  std::string description;
  std::string state;

  template <class A = ApiGatewayStatus>
  static constexpr auto fields() {
    return std::tuple{
        field("name", &A::name, {.doc = "Name of the gateway."}),
        field("last_error", &A::last_error, {.doc = "Why it is in error."}),
        field("description", &A::description, {.doc = "What the gateway is for."}),
        field("state", &A::state, {.doc = "waitingForProvisioning, ready or error."}),
    };
  }
};

struct ApiGateway {
  Metadata metadata;
  ApiGatewaySpec spec;
  ApiGatewayStatus status;

  template <class A = ApiGateway>
  static constexpr auto fields() {
    return std::tuple{
        field("metadata", &A::metadata, {.doc = "Who the gateway is."}),
        field("spec", &A::spec, {.doc = "What the user wants."}),
        field("status", &A::status, {.doc = "What the platform knows."}),
    };
  }
};

}  // namespace nuclio::spec
