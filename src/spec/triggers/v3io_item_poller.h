// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "schema/schema.h"

namespace nuclio::spec {

using schema::field;

struct V3ioItemPollerTrigger {
  static constexpr std::string_view kKind = "v3ioItemPoller";
  static constexpr bool kInert = true;
  int interval_ms = 0;
  int max_batch_size = 0;
  int max_batch_wait_ms = 0;
  bool restart = false;
  std::string container_id;
  std::string container_alias;
  std::vector<std::string> paths;
  std::vector<std::string> attributes;
  std::vector<std::string> queries;
  std::vector<std::string> suffixes;
  bool incremental = false;
  int shard_id = 0;
  int total_shards = 0;

  template <class T = V3ioItemPollerTrigger>
  static constexpr auto fields() {
    return std::tuple{
        field("intervalMs", &T::interval_ms, {.doc = "Milliseconds between two polls.", .min = 0}),
        field("maxBatchSize", &T::max_batch_size, {.doc = "Most items in a batch.", .min = 0}),
        field("maxBatchWaitMs", &T::max_batch_wait_ms, {.doc = "Milliseconds to wait for a full batch.", .min = 0}),
        field("restart", &T::restart, {.doc = "Begin again from the first item."}),
        field("containerID", &T::container_id, {.doc = "Data container, by number."}),
        field("containerAlias", &T::container_alias, {.doc = "Data container, by name."}),
        field("paths", &T::paths, {.doc = "Directories to poll."}),
        field("attributes", &T::attributes, {.doc = "Attributes to read."}),
        field("queries", &T::queries, {.doc = "Conditions that an item meets."}),
        field("suffixes", &T::suffixes, {.doc = "Ends of the names of items."}),
        field("incremental", &T::incremental, {.doc = "Only what changed since the last poll."}),
        field("shardID", &T::shard_id, {.doc = "This poller's part of the items.", .min = 0}),
        field("totalShards", &T::total_shards, {.doc = "Number of parts.", .min = 0}),
    };
  }
};

}  // namespace nuclio::spec
