// SPDX-License-Identifier: Apache-2.0
#include "platform/process/replica.h"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <random>

namespace nuclio::platform::process {
namespace {

using namespace std::chrono_literals;

constexpr int kListenAs = 3;  // the processor's descriptors, named in its arguments
constexpr int kStatusAs = 4;
constexpr std::size_t kMaxStatusLine = 64 << 10;
constexpr std::size_t kLinesInMessage = 10;
// A log is complete within moments, unless a process that left the replica's group holds it open.
constexpr auto kLogIsComplete = 1s;

std::string new_name(const std::string& function) {
  static std::random_device random;
  return fmt::format("{}-{:08x}", function, random());
}

std::string text_of(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

Result<std::unique_ptr<Replica>> Replica::start(Loop& loop, const Launch& launch) {
  ReplicaName name{new_name(launch.function)};
  TRY(auto log, ReplicaLog::create(loop, launch.log_keeper, launch.log_folder + "/" + name.value() + ".log"));
  TRY(Pipe status, make_pipe());
  ChildOptions options;
  options.argv = launch.command;
  options.env = launch.environment;
  options.env.push_back("NUCLIO_FUNCTION_INSTANCE=" + name.value());
  options.directory = launch.directory;
  options.descriptors = {{log->descriptor(), 1}, {log->descriptor(), 2}, {status.write.get(), kStatusAs}};
  options.argv.insert(options.argv.end(), {"--status-fd", std::to_string(kStatusAs)});
  if (launch.listening_socket >= 0) {
    options.descriptors.push_back({launch.listening_socket, kListenAs});
    options.argv.insert(options.argv.end(), {"--listen-fd", std::to_string(kListenAs)});
  }
  // The chance to finish what it does, should we die.
  options.signal_when_parent_dies = SIGTERM;
  TRY(Child child, Child::spawn(loop, options));
  return std::unique_ptr<Replica>{
      new Replica{loop, std::move(name), std::move(log), std::move(child), std::move(status.read)}};
}

Replica::Replica(Loop& loop, ReplicaName name, std::unique_ptr<ReplicaLog> log, Child child, Descriptor status)
    : name_(std::move(name)),
      log_(std::move(log)),
      child_(std::move(child)),
      status_(loop, std::move(status)),
      changed_(loop),
      work_(loop) {
  work_.spawn(listen());
  work_.spawn(outlive());
}

Task<void> Replica::listen() {
  std::string buffered;
  std::array<char, 4096> buffer;
  for (;;) {
    auto count = co_await status_.read_some(buffer, Deadline::never());
    if (!count || *count == 0) break;
    buffered.append(buffer.data(), *count);
    for (std::size_t end; (end = buffered.find('\n')) != std::string::npos; buffered.erase(0, end + 1))
      understand(std::string_view(buffered).substr(0, end));
    if (buffered.size() > kMaxStatusLine) break;
  }
}

void Replica::understand(std::string_view line) {
  boost::system::error_code error;
  boost::json::value said = boost::json::parse(boost::json::string_view(line.data(), line.size()), error);
  if (error || !said.is_object()) return;
  std::string state = text_of(said.get_object(), "state");
  if (state == "draining") draining_ = true;
  if (state == "ready" && state_ == State::starting) {
    state_ = State::ready;
    const auto* addresses = said.get_object().if_contains("addresses");
    if (addresses && addresses->is_object())
      for (const auto& [name, address] : addresses->get_object())
        if (address.is_string()) addresses_.emplace(name, address.get_string());
  }
  if (state == "failed" && state_ == State::starting) {
    state_ = State::failed;
    said_ = text_of(said.get_object(), "message");
  }
  changed_.notify_all();
}

Task<void> Replica::outlive() {
  auto status = co_await child_.exited();
  // What it started goes with it, and would keep its log open.
  child_.signal_group(SIGKILL);
  Deadline deadline = Deadline::in(kLogIsComplete);
  co_await log_->add("The replica " + status->text(), deadline);
  co_await log_->complete(deadline);
  // From here on its log is whole, also for messages that quote it.
  exit_ = status;
  changed_.notify_all();
  wake_readers(log_->path());
}

std::string Replica::address(std::string_view name) const {
  const auto found = addresses_.find(name);
  return found == addresses_.end() ? std::string() : found->second;
}

Task<Result<void>> Replica::ready(Deadline deadline) {
  // One that says why it failed ends right afterwards, its log complete then.
  while (state_ != State::ready && !exit_) {
    bool notified = co_await changed_.wait(deadline);
    if (!notified) break;
  }
  if (state_ == State::ready && !exit_) co_return Result<void>{};
  std::string text = said_;
  Why why = Why::unavailable;
  if (text.empty() && exit_) text = "the processor " + exit_->text() + " before it was ready";
  if (text.empty()) {
    text = "it was not ready in time; spec.readinessTimeoutSeconds allows it more";
    why = Why::timeout;
  }
  if (said_.empty())
    for (const std::string& line : last_words(kLinesInMessage)) text += "\n" + line;
  co_return fail(why, std::move(text));
}

Task<void> Replica::draining(Deadline deadline) {
  while (!draining_ && !exit_) {
    bool notified = co_await changed_.wait(deadline);
    if (!notified) break;
  }
}

Task<std::optional<ExitStatus>> Replica::exited(Deadline deadline) {
  while (!exit_) {
    bool notified = co_await changed_.wait(deadline);
    if (!notified) break;
  }
  co_return exit_;
}

Task<void> Replica::stop(Deadline deadline) {
  child_.signal(SIGTERM);
  auto status = co_await exited(deadline);
  if (status) co_return;
  co_await log_->add("The replica did not end in time and is killed", Deadline::in(100ms));
  child_.signal_group(SIGKILL);
  (void)co_await exited();
}

}  // namespace nuclio::platform::process
