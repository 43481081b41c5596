// SPDX-License-Identifier: Apache-2.0
// All functions to begin with: those of the program and those of the operator's sources.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "dashboard/function_template.h"
#include "dashboard/template_source.h"
#include "http/client.h"
#include "loop/group.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "loop/wait_list.h"

namespace nuclio::dashboard {

struct FunctionTemplatesOptions {
  std::vector<TemplateSource> sources;
  std::string folder;                    // for what is fetched meanwhile; nobody else's, made when it is needed
  std::vector<std::string> environment;  // of git, and whose proxies are used: "NAME=value"
  TemplateLimits limits = {};
  std::chrono::milliseconds time{60'000};       // that getting one source may take
  std::chrono::milliseconds patience{10'000};   // that a request waits for a source of which nothing is known yet
  std::chrono::milliseconds interval{600'000};  // after which sources are asked again
  std::chrono::milliseconds retry{30'000};      // the same after one that failed
};

// Sources are asked when templates are, not before; a request waits for them only while there is nothing to give of
// them. One that fails is logged, gives what it gave before, and hinders no other. Where names meet, the operator's
// template counts. Lives on its loop's thread, longer than the requests.
class FunctionTemplates {
 public:
  // Shared with the requests that are being answered when a newer list takes its place.
  using List = std::shared_ptr<const std::vector<FunctionTemplate>>;

  FunctionTemplates(Loop& loop, http::Client& client, FunctionTemplatesOptions options);

  // By name.
  Task<List> all();

 private:
  Task<void> load();
  Task<Result<std::vector<FunctionTemplate>>> get(const TemplateSource& source);

  Loop& loop_;
  http::Client& client_;
  FunctionTemplatesOptions options_;
  std::vector<std::vector<FunctionTemplate>> of_sources_;
  List all_;
  bool complete_;         // every source gave something once
  bool loading_ = false;  // load() is under way
  Deadline due_ = Deadline::in({});
  WaitList loaded_;
  Group group_;  // last: it ends before what load() uses
};

}  // namespace nuclio::dashboard
