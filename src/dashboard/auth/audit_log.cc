// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/audit_log.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>

#include "base/log.h"

namespace nuclio::dashboard {
namespace {

constexpr std::size_t kLongest = 500;  // of what callers choose
constexpr std::array<std::string_view, 6> kCredentials{"none", "password", "session", "token", "cluster", "oidc"};

std::string_view cut(std::string_view text) { return text.substr(0, kLongest); }

}  // namespace

Result<AuditLog> AuditLog::open(const std::string& path) {
  AuditLog out;
  out.file_ = Descriptor{::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (out.file_.get() < 0) return fail_errno("--audit-log: opening " + path);
  return out;
}

void AuditLog::write(const http::Request& request, const Record& record) {
  const std::string_view credential = kCredentials[static_cast<std::size_t>(record.credential)];
  if (file_.get() < 0) {
    log::info("Audit", {{"caller", cut(record.caller)},
                        {"credential", credential},
                        {"token", record.token_id},
                        {"from", request.remote_address},
                        {"method", cut(request.method)},
                        {"path", cut(request.path)},
                        {"what", cut(record.what)},
                        {"status", record.status},
                        {"milliseconds", record.taken.count()}});
    return;
  }
  const auto as_text = [](std::string_view text) { return boost::json::string(text.data(), text.size()); };
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  boost::json::object line{
      {"time", fmt::format("{:%FT%T}Z", now)},   {"caller", as_text(cut(record.caller))},
      {"credential", as_text(credential)},       {"token", as_text(record.token_id)},
      {"from", as_text(request.remote_address)}, {"forwardedFor", as_text(cut(request.headers.get("X-Forwarded-For")))},
      {"method", as_text(cut(request.method))},  {"path", as_text(cut(request.path))},
      {"what", as_text(cut(record.what))},       {"status", record.status},
      {"milliseconds", record.taken.count()}};
  const std::string text = boost::json::serialize(line) + "\n";
  if (::write(file_.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    log::error("The audit log cannot be written", {{"reason", fail_errno("writing").error().what}});
}

}  // namespace nuclio::dashboard
