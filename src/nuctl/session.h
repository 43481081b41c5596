// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/value.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/client.h"
#include "k8s/cluster.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "nuctl/flags.h"

namespace nuclio::nuctl {

// What main has read from the environment and the flags that every command takes.
struct Settings {
  std::string home;      // NUCLIO_HOME, absolute
  std::string programs;  // the folder with our programs
  std::string working_directory;
  std::vector<std::string> environment;  // handed to the dashboard that is started
  bool terminal = false;                 // standard output is one
  bool colour = false;

  std::string server = "";  // URL of a dashboard elsewhere; "" for this machine's, or one of our own for a cluster
  std::string platform = "auto";
  std::string name_space = "";  // "" until a command asks for it, see Session::name_space()
  bool verbose = false;
  std::string kubeconfig = "";  // a file; KUBECONFIG is the environment's
  std::string context = "";     // of the kubeconfig
  std::string concurrency = "";
  bool mask_sensitive_fields = false;

  void declare(Flags& flags);
};

class ClusterDashboard;

// What a command has in its hands: the dashboard, which is started when it is not running, and the terminal.
class Session {
 public:
  Session(Loop& loop, Settings settings);
  ~Session();
  // At the end of a command: what was started for it alone ends.
  Task<void> close();

  Loop& loop() { return loop_; }
  http::Client& client() { return client_; }
  const Settings& settings() const { return settings_; }
  // Whether what it works on is not on this machine, which therefore cannot read its files.
  bool is_elsewhere() const { return !settings_.server.empty(); }
  // The token with which we log in there: NUCTL_TOKEN, else the one that was saved; "" for none.
  Result<std::string> saved_token() const;
  Result<void> save_token(const std::string& token) const;  // "" forgets it
  // The base URL of the dashboard that runs functions on this machine, of one elsewhere, or of one of our own for a
  // cluster.
  Task<Result<std::string>> dashboard();
  // As it was asked for, else the kubeconfig's, else "nuclio"; "" for the one that a dashboard elsewhere takes.
  std::string name_space() const;
  // Whether functions run on a cluster: --platform, or what there is. Why::invalid for a platform that there is not.
  Result<bool> on_cluster() const;
  // By flags and environment.
  Result<k8s::Cluster> cluster() const;
  // The URL of the dashboard that runs functions on this machine, "" when none answers.
  Task<std::string> running_dashboard();

  // A call of the dashboard's REST API: `path` begins with /api. The answer's JSON (null when it has no body), or the
  // message of its error with the Why of its status.
  struct Api {
    std::string method;
    std::string path;
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string body = {};
  };
  Task<Result<boost::json::value>> call(Api api, Deadline deadline);
  // The same for an answer that is read as it comes.
  Task<Result<http::ClientStream>> open(Api api, Deadline deadline);

  // An absolute path of what the user wrote, seen from where they stand.
  std::string absolute(const std::string& path) const;
  Result<std::string> read_file(const std::string& path) const;
  Result<void> write_file(const std::string& path, const std::string& text) const;
  // All of standard input.
  Result<std::string> read_input() const;

  void print(std::string_view text) const;  // the command's result: standard output
  void note(std::string_view text) const;   // for the person who waits: standard error

 private:
  Task<Result<std::string>> local_dashboard();
  Result<std::string> server() const;
  Result<void> find_token();
  Task<Result<std::string>> cluster_dashboard();
  Task<Result<void>> start_dashboard(Deadline deadline);
  http::ClientRequest request(const std::string& base, Api api) const;

  Loop& loop_;
  Settings settings_;
  http::Client client_;
  std::string base_url_;
  std::optional<std::string> token_;  // once it was looked for
  std::unique_ptr<ClusterDashboard> cluster_;
};

}  // namespace nuclio::nuctl
