// SPDX-License-Identifier: Apache-2.0
#include "k8s/credential_program.h"

#include <array>
#include <boost/json.hpp>
#include <map>

#include "base/base64.h"
#include "k8s/json.h"
#include "k8s/time.h"
#include "loop/child.h"
#include "loop/group.h"
#include "loop/stream.h"

namespace nuclio::k8s {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostOutput = 1 << 20;
constexpr std::size_t kMostWords = 500;

std::string question(const Cluster& cluster) {
  json::object spec{{"interactive", false}};
  if (cluster.program->wants_cluster) {
    json::object about{{"server", cluster.server}};
    if (!cluster.tls_server_name.empty()) about["tls-server-name"] = cluster.tls_server_name;
    if (cluster.verify_peer == http::VerifyPeer::no) about["insecure-skip-tls-verify"] = true;
    if (!cluster.authorities.empty()) about["certificate-authority-data"] = encode_base64(cluster.authorities);
    if (!cluster.proxy.empty()) about["proxy-url"] = cluster.proxy;
    spec["cluster"] = std::move(about);
  }
  return json::serialize(json::object{
      {"apiVersion", cluster.program->api_version}, {"kind", "ExecCredential"}, {"spec", std::move(spec)}});
}

// Reads to the end and keeps the first `most` bytes.
Task<void> read_to_end(Loop& loop, Descriptor pipe, std::string& text, std::size_t most) {
  Stream from{loop, std::move(pipe)};
  std::array<char, 4096> buffer;
  for (;;) {
    const auto count = co_await from.read_some(buffer, Deadline::never());
    if (!count || *count == 0) co_return;
    text.append(buffer.data(), std::min(*count, most - std::min(most, text.size())));
  }
}

std::string safe_words(std::string text) {
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.pop_back();
  if (text.size() > kMostWords) text.erase(0, text.size() - kMostWords);
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  return text;
}

}  // namespace

Result<ProgramCredential> understand_credential(std::string_view text, const std::string& api_version) {
  const auto said = parse_object(text);
  if (!said || text_of(*said, "kind") != "ExecCredential")
    return fail(Why::unavailable, "it must write an ExecCredential as JSON, and did not");
  if (text_of(*said, "apiVersion") != api_version)
    return fail(Why::unavailable, "it must write an ExecCredential of " + api_version + ", not of " +
                                      std::string(text_of(*said, "apiVersion")));
  const json::object* status = object_of(*said, "status");
  ProgramCredential credential;
  if (status) {
    credential.token = text_of(*status, "token");
    credential.certificate = text_of(*status, "clientCertificateData");
    credential.key = text_of(*status, "clientKeyData");
    if (const std::string_view until = text_of(*status, "expirationTimestamp"); !until.empty()) {
      credential.expires = parse_time(until);
      if (!credential.expires)
        return fail(Why::unavailable, "its expirationTimestamp is no time: " + std::string(until));
    }
  }
  if (credential.certificate.empty() != credential.key.empty())
    return fail(Why::unavailable, "it gave a certificate without a key, or a key without a certificate");
  if (credential.token.empty() && credential.certificate.empty())
    return fail(Why::unavailable, "it gave neither a token nor a certificate");
  return credential;
}

Task<Result<ProgramCredential>> ask_credential_program(Loop& loop, const Cluster& cluster, Deadline deadline) {
  const CredentialProgram& program = *cluster.program;
  const std::string doing = "asking " + program.argv.front() + " for credentials";
  CO_TRY(Pipe output, make_pipe());
  CO_TRY(Pipe complaints, make_pipe());
  ChildOptions options;
  options.argv = program.argv;
  std::map<std::string, std::string> variables{program.environment.begin(), program.environment.end()};
  for (const auto& [name, value] : program.environment) variables[name] = value;
  variables["KUBERNETES_EXEC_INFO"] = question(cluster);
  for (const auto& [name, value] : variables) options.env.push_back(name + "=" + value);
  options.descriptors = {{output.write.get(), 1}, {complaints.write.get(), 2}};
  auto child = Child::spawn(loop, options);
  if (!child && child.error().why == Why::not_found)
    co_return fail(Why::forbidden,
                   doing + ": there is no such program; install it" +
                       (program.install_hint.empty() ? std::string{} : ": " + safe_words(program.install_hint)));
  if (!child) co_return fail(std::move(child).error().in(doing));
  output.write.reset();
  complaints.write.reset();

  std::string said;
  std::string complained;
  Group readers{loop};
  readers.spawn(read_to_end(loop, std::move(output.read), said, kMostOutput));
  readers.spawn(read_to_end(loop, std::move(complaints.read), complained, kMostOutput));
  const auto status = co_await child->exited(deadline);
  if (!status) co_return fail(Why::timeout, doing + ": it did not end in time");
  // A process that it left behind may hold the pipes open for ever.
  (void)co_await readers.empty(earlier(deadline, Deadline::in(std::chrono::seconds{1})));
  if (!status->ok())
    co_return fail(Why::forbidden, doing + ": it " + status->text() +
                                       (complained.empty() ? std::string{} : ": " + safe_words(complained)));
  auto credential = understand_credential(said, program.api_version);
  if (!credential) co_return fail(std::move(credential).error().in(doing));
  co_return credential;
}

}  // namespace nuclio::k8s
