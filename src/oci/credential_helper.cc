// SPDX-License-Identifier: Apache-2.0
#include "oci/credential_helper.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <chrono>

#include "loop/child.h"
#include "loop/stream.h"
#include "oci/json.h"
#include "schema/json.h"

namespace nuclio::oci {
namespace {

constexpr std::size_t kMaxAnswer = 64 << 10;
constexpr std::chrono::seconds kPatience{10};

bool is_helper_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 &&
         std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; });
}

// With /dev/null for its standard error, where a careless helper might write more than it should.
Result<Child> start(Loop& loop, const std::string& program, const std::vector<std::string>& environment, int input,
                    int output) {
  Descriptor nowhere{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  if (!nowhere) return fail_errno("opening /dev/null");
  ChildOptions options;
  options.argv = {program, "get"};
  options.env = environment;
  options.descriptors = {{input, 0}, {output, 1}, {nowhere.get(), 2}};
  auto child = Child::spawn(loop, options);
  if (!child && child.error().why == Why::not_found)
    return fail(Why::not_found,
                "there is no such program in PATH; install it, or take its name out of the "
                "docker config and log in again");
  return child;
}

Result<std::optional<Login>> understand(std::string_view answer, const std::string& program) {
  auto document = schema::parse_json(answer);
  const boost::json::object* said = document ? document->if_object() : nullptr;
  if (!said || text_of(*said, "Secret").empty())
    return fail(Why::unavailable, "its answer must be a JSON object with Username and Secret, and is not");
  Login login{.user = std::string(text_of(*said, "Username")), .source = program};
  // What docker's helpers say when the secret is a token to be exchanged.
  (login.user == "<token>" ? login.identity_token : login.password) = text_of(*said, "Secret");
  return login;
}

Task<Result<std::optional<Login>>> ask(Loop& loop, std::string program, std::string registry,
                                       std::vector<std::string> environment, Deadline deadline) {
  CO_TRY(Pipe input, make_pipe());
  CO_TRY(Pipe output, make_pipe());
  // A pipe takes so few bytes at once, while its other end is still ours, so nothing waits and nothing breaks.
  if (::write(input.write.get(), registry.data(), registry.size()) != static_cast<ssize_t>(registry.size()))
    co_return fail(errno_error("writing to a pipe", errno));
  input.write.reset();
  CO_TRY(Child child, start(loop, program, environment, input.read.get(), output.write.get()));
  input.read.reset();
  output.write.reset();
  Stream from{loop, std::move(output.read)};
  std::string answer;
  std::array<char, 4096> buffer;
  for (;;) {
    CO_TRY(const std::size_t count, co_await from.read_some(buffer, deadline));
    if (count == 0) break;
    answer.append(buffer.data(), count);
    if (answer.size() > kMaxAnswer) co_return fail(Why::unavailable, "it answered more than 64 KiB");
  }
  const auto status = co_await child.exited(deadline);
  if (!status) co_return fail(Why::timeout, "it did not end in time");
  if (status->ok()) co_return understand(answer, program);
  // Said by all of docker's helpers for a registry that they do not know.
  if (answer.find("credentials not found") != std::string::npos) co_return std::optional<Login>{};
  co_return fail(Why::unavailable,
                 "it " + status->text() + "; run it by hand to see why: echo " + registry + " | " + program + " get");
}

}  // namespace

Task<Result<std::optional<Login>>> ask_credential_helper(Loop& loop, std::string name, std::string registry,
                                                         std::vector<std::string> environment, Deadline deadline) {
  if (!is_helper_name(name))
    co_return fail(Why::invalid,
                   "the name of a credential helper must be letters, digits, \"-\", \"_\" and \".\", is \"" +
                       name.substr(0, 100) + "\"");
  const std::string program = "docker-credential-" + name;
  const std::string doing = "asking " + program + " for the login to " + registry;
  auto login = co_await ask(loop, program, std::move(registry), std::move(environment),
                            earlier(deadline, Deadline::in(kPatience)));
  if (!login && login.error().why == Why::timeout) login = fail(Why::timeout, "it did not answer in time");
  if (!login) co_return fail(std::move(login).error().in(doing));
  co_return login;
}

}  // namespace nuclio::oci
