// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "builder/commands_sandbox.h"
#include "builder/followed_log.h"
#include "http/message.h"
#include "http/router.h"
#include "loop/deadline.h"
#include "loop/group.h"
#include "loop/loop.h"
#include "loop/wait_list.h"

namespace nuclio::builder {

// A layer is sent in pieces of at most so many bytes.
inline constexpr Bytes kLayerPiece{4u << 20};

struct CommandsServerOptions {
  std::string folder;                       // to work in, for this run alone; exists
  std::string token;                        // what whoever asks must show
  std::chrono::milliseconds idle{120'000};  // so long without a caller, and it is over
  Deadline deadline = Deadline::never();    // of the commands
  Bytes layers{16ull << 30};                // at most, together, as they are sent
};

// Runs the commands of one job for somebody elsewhere, who sends the layers, then the job, follows the log, and fetches
// the outcome and the layer. Lives on its loop's thread; loop and sandbox are borrowed.
class CommandsServer final : public http::Handler {
 public:
  CommandsServer(Loop& loop, CommandsSandbox& sandbox, CommandsServerOptions options);
  ~CommandsServer() override;

  Task<http::Response> handle(http::Request& request) override;
  // Returns once there is nothing more to do here: all that there is was fetched, or nobody comes for it. Then says
  // which.
  enum class Over { fetched, nobody_came };
  Task<Over> over();

 private:
  class Visit;
  class VisitedBody;
  class LayerFile;

  std::vector<http::Route> routes();
  bool may_ask(const http::Request& request) const;
  Task<http::Response> put_layer(http::Request& request, const http::PathParams& params);
  Task<http::Response> post_run(http::Request& request);
  Task<http::Response> get_log();
  Task<http::Response> get_outcome();
  Task<http::Response> get_layer();
  Result<std::uint64_t> keep_piece(const std::string& number, const http::Request& request);
  Result<void> use_layers(std::vector<std::string>& layers) const;
  Result<void> start(const std::string& text);
  Task<void> run(SandboxJob job);
  std::string layer_path(const std::string& number) const { return options_.folder + "/layer-" + number; }
  std::string tar_path() const { return options_.folder + "/changes.tar"; }
  void fetched();

  Loop& loop_;
  CommandsSandbox& sandbox_;
  CommandsServerOptions options_;
  std::uint64_t received_ = 0;
  FollowedLog log_;
  bool begun_ = false;
  std::optional<SandboxOutcome> outcome_;
  bool fetched_ = false;
  std::size_t visitors_ = 0;
  SteadyTime last_seen_;
  WaitList changed_;
  http::Router router_;
  Group running_;
};

}  // namespace nuclio::builder
