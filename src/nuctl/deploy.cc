// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <csignal>
#include <filesystem>

#include "base/log.h"
#include "loop/file_watch.h"
#include "loop/group.h"
#include "loop/signals.h"
#include "loop/wait_list.h"
#include "nuctl/commands.h"
#include "nuctl/follow_logs.h"
#include "nuctl/function_client.h"
#include "nuctl/function_flags.h"

namespace nuclio::nuctl {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;
namespace fs = std::filesystem;

std::string url_list(const json::object& function, std::string_view path) {
  const json::value* urls = value_at(function, path);
  return urls ? json::serialize(*urls) : "[]";
}

void say_deployed(const json::object& function) {
  const json::value* port = value_at(function, "status.httpPort");
  log::info("Function deploy complete",
            {{"functionName", text_at(function, "metadata.name")},
             log::Field::raw_json("httpPort", port ? json::serialize(*port) : "0"),
             log::Field::raw_json("internalInvocationURLs", url_list(function, "status.internalInvocationUrls")),
             log::Field::raw_json("externalInvocationURLs", url_list(function, "status.externalInvocationUrls"))});
}

class Deploy final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.optional_argument("name", name_, "Name of the function");
    function_.declare(flags);
    flags.text({"input-image-file"}, input_image_, "Kept for Nuclio's scripts; images are not loaded on this platform");
  }

  Task<Result<int>> run(Session& session) override {
    CO_TRY(json::object config, function_.file(session));
    CO_TRY_DO(function_.apply(config, session));
    if (!name_.empty()) object_at(config, "metadata")["name"] = name_;
    if (text_at(config, "metadata.name").empty())
      co_return fail(Why::invalid, "the function has no name\nnuctl deploy NAME, or metadata.name in the file");
    const json::value* build = value_at(config, "spec.build");
    if (!function_.has_code() && (!build || !build->is_object() || build->get_object().empty()) &&
        text_at(config, "spec.image").empty())
      co_return fail(
          Why::invalid,
          "there is no code to deploy\ngive --path FILE-OR-FOLDER, --source BASE64, or spec.build in a --file");
    CO_TRY(config, checked(config, session));
    log::info("Deploying function", {{"name", text_at(config, "metadata.name")}});
    CO_TRY(json::object function, co_await deploy_function(session, std::move(config)));
    say_deployed(function);
    co_return 0;
  }

 private:
  std::string name_;
  std::string input_image_;
  FunctionFlags function_;
};

class UpdateFunction final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.argument("name", name_, "Name of the function");
    function_.declare(flags);
  }

  Task<Result<int>> run(Session& session) override {
    CO_TRY(json::object config, co_await get_function(session, name_));
    config.erase("status");
    CO_TRY_DO(function_.apply(config, session));
    CO_TRY(config, checked(config, session));
    CO_TRY(json::object function, co_await deploy_function(session, std::move(config)));
    say_deployed(function);
    co_return 0;
  }

 private:
  std::string name_;
  FunctionFlags function_;
};

// A name that the platform takes, from the name of a file: "My_handler.py" becomes "my-handler".
std::string name_from(const std::string& path) {
  std::string stem = fs::path(path).stem().string();
  std::string name;
  for (unsigned char c : stem) name += std::isalnum(c) ? static_cast<char>(std::tolower(c)) : '-';
  name.erase(0, std::min(name.find_first_not_of('-'), name.size()));
  name.erase(name.find_last_not_of('-') + 1);
  return name.empty() ? "dev" : name;
}

// Deploys a file or folder, shows its log, and deploys it again whenever something in it is saved, until interrupted.
// The old version serves until the new one is ready, and goes on when the new one is broken.
class Dev final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.argument("FILE", file_, "File or folder with the function's code");
    flags.text({"name"}, name_, "Name of the function (the file's, when left out)");
    flags.yes({"keep"}, keep_, "Leave the function deployed when interrupted");
    function_.declare(flags);
  }

  Task<Result<int>> run(Session& session) override {
    function_.set_path(file_);
    if (name_.empty()) name_ = name_from(session.absolute(file_));
    std::error_code error;
    std::string path = session.absolute(file_);
    if (!fs::exists(path, error)) co_return fail(Why::not_found, "there is no file or folder " + file_);
    CO_TRY(FileWatch watch, watch_code(session.loop(), path));

    Signals signals{session.loop(), {SIGINT, SIGTERM}};
    bool interrupted = false;
    {
      Group group{session.loop()};
      WaitList stop{session.loop()};
      group.spawn(wait_for_interrupt(signals, interrupted, stop));
      group.spawn(reload(session, watch));
      group.spawn(follow_logs(session, name_));
      if (!interrupted) (void)co_await stop.wait();
    }
    if (!keep_) {
      session.note("\n");
      log::info("Deleting function", {{"name", name_}});
      CO_TRY_DO(co_await delete_function(session, name_, Force::yes, WithGateways::no));
    }
    co_return 0;
  }

 private:
  static Result<FileWatch> watch_code(Loop& loop, const std::string& path) {
    TRY(FileWatch watch, FileWatch::create(loop));
    std::error_code error;
    // The folder, also for a file: editors save by renaming a new file into its place.
    TRY_DO(watch.add(fs::is_directory(path, error) ? path : fs::path(path).parent_path().string()));
    if (fs::is_directory(path, error)) {
      for (auto at = fs::recursive_directory_iterator(path, error); at != fs::recursive_directory_iterator(); ++at) {
        if (!at->is_directory(error)) continue;
        std::string name = at->path().filename().string();
        if (name.starts_with('.') || name == "__pycache__" || name == "node_modules") {
          at.disable_recursion_pending();
        } else {
          TRY_DO(watch.add(at->path().string()));
        }
      }
    }
    return watch;
  }

  static Task<void> wait_for_interrupt(Signals& signals, bool& interrupted, WaitList& stop) {
    (void)co_await signals.next();
    interrupted = true;
    stop.notify_all();
  }

  // What the code looks like: a save that changes nothing, or a file that is none of ours, deploys nothing.
  static std::vector<std::pair<std::string, fs::file_time_type>> fingerprint(const std::string& path) {
    std::vector<std::pair<std::string, fs::file_time_type>> out;
    std::error_code error;
    if (!fs::is_directory(path, error)) return {{path, fs::last_write_time(path, error)}};
    for (auto at = fs::recursive_directory_iterator(path, error); at != fs::recursive_directory_iterator(); ++at) {
      std::string name = at->path().filename().string();
      if (name.starts_with('.') || name == "__pycache__" || name == "node_modules") {
        at.disable_recursion_pending();
      } else if (at->is_regular_file(error)) {
        out.emplace_back(at->path().string(), at->last_write_time(error));
      }
    }
    return out;
  }

  Task<void> reload(Session& session, FileWatch& watch) {
    std::string path = session.absolute(file_);
    for (bool first = true;; first = false) {
      auto before = fingerprint(path);
      co_await deploy_once(session, first);
      while (fingerprint(path) == before) {
        (void)co_await watch.changed(Deadline::never());
        // One save is several changes; they are over within moments.
        while (co_await watch.changed(Deadline::in(30ms))) {
        }
      }
    }
  }

  Task<void> deploy_once(Session& session, bool first) {
    auto began = std::chrono::steady_clock::now();
    auto result = co_await deploy(session);
    auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
    if (!result) {
      session.note("nuctl: " + result.error().what +
                   (first ? "\nwaiting for a change\n" : "\nthe last good version goes on; waiting for a change\n"));
      co_return;
    }
    if (first) say_deployed(*result);
    if (!first) log::info("Reloaded", {{"name", name_}, {"milliseconds", took.count()}});
  }

  Task<Result<json::object>> deploy(Session& session) {
    CO_TRY(json::object config, function_.file(session));
    CO_TRY_DO(function_.apply(config, session));
    object_at(config, "metadata")["name"] = name_;
    CO_TRY(config, checked(config, session));
    co_return co_await deploy_function(session, std::move(config));
  }

  std::string file_;
  std::string name_;
  bool keep_ = false;
  FunctionFlags function_;
};

}  // namespace

std::unique_ptr<Command> make_deploy() { return std::make_unique<Deploy>(); }
std::unique_ptr<Command> make_update_function() { return std::make_unique<UpdateFunction>(); }
std::unique_ptr<Command> make_dev() { return std::make_unique<Dev>(); }

}  // namespace nuclio::nuctl
