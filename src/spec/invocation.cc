// SPDX-License-Identifier: Apache-2.0
#include "spec/invocation.h"

namespace nuclio::spec {

const HttpTrigger* http_trigger(const FunctionSpec& spec) {
  for (const auto& [name, trigger] : spec.triggers)
    if (const auto* http = std::get_if<HttpTrigger>(&trigger.kind); http && !trigger.disabled) return http;
  return nullptr;
}

Result<void> direct_to_function(http::ClientRequest& request, const FunctionSpec& spec, std::string_view address,
                                std::string_view target, http::VerifyPeer verify) {
  const HttpTrigger* trigger = http_trigger(spec);
  const HttpTls* tls = trigger && trigger->tls ? &*trigger->tls : nullptr;
  if (tls && !tls->client_ca.empty())
    return fail(Why::precondition,
                "the function serves only clients with a certificate of an authority in " +
                    tls->path_of(tls->client_ca) +
                    " (tls.clientCA), and there is none to show here; call it with a client that has one, such as "
                    "curl --cert FILE --key FILE https://" +
                    std::string(address));
  request.url = (tls ? "https://" : "http://") + std::string(address) + std::string(target);
  request.verify_peer = verify;
  if (tls && verify == http::VerifyPeer::yes) request.server_certificate = tls->path_of(tls->certificate);
  return {};
}

}  // namespace nuclio::spec
