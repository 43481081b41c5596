// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "http/client.h"
#include "spec/function.h"

namespace nuclio::spec {

// What `nuctl call` sends at most, and so a CronJob: each is one word of a command line, for which Linux has 128 KiB.
inline constexpr Bytes kMaxCallUrl{8 << 10};
inline constexpr Bytes kMaxCallBody{64 << 10};
inline constexpr Bytes kMaxCallHeader{8 << 10};  // name and value
inline constexpr std::size_t kMaxCallHeaders = 100;

// The trigger that a function is called through: its first HTTP trigger that is not disabled, or null.
const HttpTrigger* http_trigger(const FunctionSpec& spec);

// Makes `request` one to the function that serves at `address`, "127.0.0.1:32768"; `target` is the path and query. It
// goes over HTTPS when the function's trigger has `tls`. Then the function must show the certificate that its spec
// names, whatever host is in it, since functions are called by their address; not so with VerifyPeer::no.
// Why::precondition when it serves only clients with certificates of their own: we have none.
Result<void> direct_to_function(http::ClientRequest& request, const FunctionSpec& spec, std::string_view address,
                                std::string_view target, http::VerifyPeer verify);

// Nodes of Kubernetes hear a moment after a function is ready that it is, and refuse connections until then: so long is
// worth waiting for.
inline constexpr std::chrono::seconds kServicePatience{5};

}  // namespace nuclio::spec
