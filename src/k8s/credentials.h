// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "k8s/api.h"
#include "k8s/credential_program.h"
#include "loop/group.h"
#include "loop/wait_list.h"

namespace nuclio::k8s {

// Says to the server who we are, and renews what runs out. Of a token file, a token, basic authentication and a
// program the first one that there is counts; a client certificate is shown besides. Lives on its loop's thread.
class Api::Credentials final {
 public:
  // Borrowed for as long as this lives.
  Credentials(Loop& loop, const Cluster& cluster) : loop_(loop), cluster_(cluster), renewed_(loop), renewal_(loop) {}

  // Which credentials of several: those that were renewed are others.
  using Generation = std::uint64_t;
  Task<Result<Generation>> add_to(http::ClientRequest& request, Deadline deadline);
  // The server did not accept them (401). True when there are, or may be, others by now.
  bool refused(Generation generation);

 private:
  Result<void> read_token();
  Task<Result<void>> ask(Deadline deadline);
  Task<void> renew();
  bool runs_out() const;

  Loop& loop_;
  const Cluster& cluster_;
  Generation generation_ = 0;
  std::string file_token_;
  std::optional<ProgramCredential> given_;
  std::optional<Error> failure_;  // of the program, when it ran last
  WaitList renewed_;
  Group renewal_;
};

}  // namespace nuclio::k8s
