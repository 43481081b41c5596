// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/duration.h"
#include "dashboard/api/calls.h"
#include "spec/invocation.h"

namespace nuclio::dashboard {
namespace {

// Between two hops, or about the way to the function: neither is the function's business.
constexpr std::array<std::string_view, 18> kNotPassedOn{"Connection",
                                                        "Keep-Alive",
                                                        "Proxy-Authenticate",
                                                        "Proxy-Authorization",
                                                        "Proxy-Connection",
                                                        "TE",
                                                        "Trailer",
                                                        "Transfer-Encoding",
                                                        "Upgrade",
                                                        "Host",
                                                        "Content-Length",
                                                        "Expect",
                                                        "X-Nuclio-Path",
                                                        "X-Nuclio-Invoke-Url",
                                                        "X-Nuclio-Invoke-Timeout",
                                                        "X-Nuclio-Skip-Tls-Verification",
                                                        "X-Nuclio-Sanitize-Response",
                                                        "X-Nuclio-Csrf"};

bool passed_on(std::string_view name) {
  return std::ranges::none_of(kNotPassedOn, [&](auto each) { return http::same_ignoring_case(each, name); });
}

// What shows us who somebody is: the function could be them with it.
bool is_credential(std::string_view name) {
  return http::same_ignoring_case(name, "Authorization") || http::same_ignoring_case(name, "Cookie");
}

bool shown_to_caller(std::string_view name) {
  constexpr std::string_view kOurs = "X-Nuclio-";
  bool ours = name.size() >= kOurs.size() && http::same_ignoring_case(name.substr(0, kOurs.size()), kOurs);
  return passed_on(name) && (!ours || http::same_ignoring_case(name, "X-Nuclio-Logs"));
}

std::string_view without_scheme(std::string_view url) {
  std::size_t mark = url.find("://");
  return mark == std::string_view::npos ? url : url.substr(mark + 3);
}

// Where the function answers. A caller may choose among its URLs and no others: this is no open proxy.
Result<std::string> target(const spec::FunctionStatus& status, const std::string& name, std::string_view wanted) {
  std::vector<std::string> urls = status.internal_invocation_urls;
  urls.insert(urls.end(), status.external_invocation_urls.begin(), status.external_invocation_urls.end());
  if (urls.empty())
    return fail(Why::precondition, "function \"" + name + "\" has no address to be invoked at (its state is " +
                                       std::string(schema::name_of(status.state)) + ")");
  if (wanted.empty()) return std::string(without_scheme(urls[0]));
  for (const std::string& url : urls)
    if (without_scheme(url) == without_scheme(wanted)) return std::string(without_scheme(url));
  return fail(Why::invalid, "X-Nuclio-Invoke-Url must be one of the function's URLs, is \"" + std::string(wanted) +
                                "\"; they are listed in its status");
}

Result<Deadline> invocation_deadline(const Context& context, std::string_view wanted) {
  if (wanted.empty()) return Deadline::in(context.config.function_invocation_timeout);
  auto duration = parse_duration(wanted);
  if (duration && duration->count() > 0) return Deadline::in(*duration);
  return fail(Why::invalid,
              "X-Nuclio-Invoke-Timeout must be a duration such as 30s, is \"" + std::string(wanted) + "\"");
}

// Everything is checked before anything is sent.
Task<Result<http::ClientRequest>> invocation(Context& context, const Request& request, std::string_view path_behind) {
  std::string name{request.headers.get("X-Nuclio-Function-Name")};
  if (name.empty()) co_return fail(Why::invalid, "the header X-Nuclio-Function-Name must name the function");
  platform::FunctionId id{namespace_of(context, request, "X-Nuclio-Function-Namespace"), FunctionName{name}};
  CO_TRY(const auto to_invoke, co_await context.platform.function_to_invoke(std::move(id)));
  const std::string_view wanted = request.headers.get("X-Nuclio-Invoke-Url");
  CO_TRY(const std::string authority, target(to_invoke.function.status, name, wanted));
  std::string path{request.headers.get("X-Nuclio-Path")};
  if (path.empty()) path = path_behind;
  if (!path.starts_with('/')) path.insert(0, 1, '/');
  http::ClientRequest out;
  out.method = request.method;
  // Whoever deployed a moment ago wants the version that serves now, and not the one before, which finishes what its
  // connections bring, and to which the function's URL leads until all have heard of the new one.
  out.connections = http::Connections::of_its_own;
  const std::string& address = wanted.empty() && to_invoke.replica ? *to_invoke.replica : authority;
  if (address != authority) out.headers.set("Host", authority);
  if (context.platform.kind() == "kube") {
    out.refused_patience = spec::kServicePatience;
    // Hosts of ingresses are what their functions say: none leads to where clouds tell secrets.
    out.reach = http::Reach::not_link_local;
  }
  if (!request.query.empty()) (path += path.find('?') == std::string::npos ? '?' : '&') += request.query;
  bool skip = http::same_ignoring_case(request.headers.get("X-Nuclio-Skip-Tls-Verification"), "true");
  auto verify = skip ? http::VerifyPeer::no : http::VerifyPeer::yes;
  CO_TRY_DO(spec::direct_to_function(out, to_invoke.function.spec, address, path, verify));
  for (const http::Header& header : request.headers)
    if (passed_on(header.name) && !(context.authenticator.asks() && is_credential(header.name)))
      out.headers.add(header.name, header.value);
  out.body = request.body;
  co_return out;
}

Response failed(Error error) {
  error.what = "Failed to invoke function: " + error.what;
  return Response::error(error);
}

Task<Response> invoke(Context& context, const Request& request, std::string path_behind) {
  auto to_send = co_await invocation(context, request, path_behind);
  if (!to_send) co_return failed(std::move(to_send).error());
  auto deadline = invocation_deadline(context, request.headers.get("X-Nuclio-Invoke-Timeout"));
  if (!deadline) co_return failed(std::move(deadline).error());
  auto answer = co_await context.client.open(std::move(*to_send), *deadline, *deadline);
  if (!answer) {
    Error error = std::move(answer).error();
    if (error.why == Why::forbidden)
      error.what += "; X-Nuclio-Skip-Tls-Verification: true invokes it whatever its certificate is";
    if (error.why != Why::timeout) error.why = Why::internal;
    co_return failed(std::move(error));
  }
  Response response{.status = answer->status};
  for (const http::Header& header : answer->headers)
    if (shown_to_caller(header.name)) response.headers.add(header.name, header.value);
  // A function's page must not act as if it were the dashboard's, whose address it has here.
  response.headers.set("Content-Security-Policy", "sandbox");
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.body = std::move(answer->body);
  co_return response;
}

}  // namespace

Task<Response> invoke_function(Context& context, Request& request, const PathParams&) {
  return invoke(context, request, "/");
}

Task<Response> invoke_function_at_path(Context& context, Request& request, const PathParams&) {
  // As the caller encoded it.
  constexpr std::string_view kPrefix = "/api/function_invocations";
  return invoke(context, request, std::string(request.path.substr(kPrefix.size())));
}

}  // namespace nuclio::dashboard
