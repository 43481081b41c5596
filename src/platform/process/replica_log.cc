// SPDX-License-Identifier: Apache-2.0
#include "platform/process/replica_log.h"

#include <fcntl.h>

#include <cerrno>
#include <chrono>
#include <filesystem>

#include "base/log.h"
#include "loop/stream.h"
#include "platform/process/backoff.h"
#include "platform/process/log_reader.h"

namespace nuclio::platform::process {

Result<std::unique_ptr<ReplicaLog>> ReplicaLog::create(Loop& loop, const std::string& keeper, const std::string& path,
                                                       Bytes limit) {
  Descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!file && errno == EEXIST) return fail_errno("creating the log " + path);
  // On a full disk the function runs all the same, and the keeper makes the file once it can.
  if (!file) log::warn("A log could not be created", {{"reason", errno_error("creating " + path, errno).what}});
  TRY(Pipe pipe, make_pipe());
  std::unique_ptr<ReplicaLog> made{
      new ReplicaLog{loop, keeper, path, limit, std::move(pipe.read), std::move(pipe.write)}};
  TRY_DO(made->start_keeper());
  made->work_.spawn(made->mind_keeper());
  return made;
}

ReplicaLog::ReplicaLog(Loop& loop, std::string keeper, std::string path, Bytes limit, Descriptor read, Descriptor write)
    : loop_(loop),
      program_(std::move(keeper)),
      path_(std::move(path)),
      limit_(limit),
      read_(std::move(read)),
      write_(std::move(write)),
      completed_(loop),
      work_(loop) {}

Result<void> ReplicaLog::start_keeper() {
  std::filesystem::path path{path_};
  ChildOptions options;
  std::string name = path.filename().string();
  options.argv = {program_, name, older_log(name), std::to_string(limit_.count)};
  options.directory = path.parent_path().string();
  Descriptor null{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  if (!null) return fail_errno("opening /dev/null");
  // Not our own outputs: it would hold them open after us.
  options.descriptors = {{read_.get(), 0}, {null.get(), 1}, {null.get(), 2}};
  options.group = ChildOptions::Group::own_session;
  options.signal_when_parent_dies = 0;
  TRY(keeper_, Child::spawn(loop_, options));
  return {};
}

Task<void> ReplicaLog::mind_keeper() {
  Backoff backoff;
  for (;;) {
    SteadyTime began = std::chrono::steady_clock::now();
    if (keeper_) {
      auto status = co_await keeper_->exited();
      if (status->ok()) break;
      log::warn("A log keeper is started again", {{"log", path_}, {"reason", status->text()}});
    }
    co_await loop_.sleep(backoff.next(std::chrono::steady_clock::now() - began));
    keeper_.reset();
    auto started = start_keeper();
    if (!started) log::error("A log keeper could not be started", {{"reason", started.error().what}});
  }
  complete_ = true;
  completed_.notify_all();
}

Task<void> ReplicaLog::add(std::string message, Deadline deadline) {
  // Opened anew: the replica's own end must go on blocking.
  std::string pipe = "/proc/self/fd/" + std::to_string(write_.get());
  Descriptor own{::open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)};
  if (!own) co_return;
  Stream stream{loop_, std::move(own)};
  std::string line = log::format({}, "platform", log::Level::info, std::chrono::system_clock::now(), message, {});
  (void)co_await stream.write_all(line, deadline);
}

Task<void> ReplicaLog::complete(Deadline deadline) {
  write_.reset();
  while (!complete_) {
    bool notified = co_await completed_.wait(deadline);
    if (!notified) break;
  }
}

}  // namespace nuclio::platform::process
