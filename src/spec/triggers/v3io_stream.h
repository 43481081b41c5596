// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <string>

#include "schema/schema.h"
#include "spec/triggers/stream.h"

namespace nuclio::spec {

struct V3ioStreamTrigger {
  static constexpr std::string_view kKind = "v3ioStream";
  static constexpr bool kInert = true;
  std::string container_name;
  std::string stream_path;
  std::string consumer_group;
  int num_transport_workers = 8;
  WorkerAllocationMode worker_allocation_mode = WorkerAllocationMode::pool;
  StartAt seek_to = StartAt::latest;
  int read_batch_size = 64;
  std::chrono::nanoseconds session_timeout = std::chrono::seconds{10};
  std::chrono::nanoseconds heartbeat_interval = std::chrono::seconds{3};
  std::chrono::nanoseconds sequence_number_commit_interval = std::chrono::seconds{1};
  std::chrono::nanoseconds sequence_number_shard_wait_interval = std::chrono::seconds{1};
  int record_batch_size_chan = 0;
  int ack_window_size = 0;
  std::string log_level;
  int polling_interval_ms = 0;

  template <class T = V3ioStreamTrigger>
  static constexpr auto fields() {
    return std::tuple{
        field("containerName", &T::container_name, {.doc = "Data container."}),
        field("streamPath", &T::stream_path, {.doc = "Path of the stream within the container."}),
        field("consumerGroup", &T::consumer_group, {.doc = "Consumer group."}),
        field("numTransportWorkers", &T::num_transport_workers, {.doc = "Connections to the stream.", .min = 1}),
        field("workerAllocationMode", &T::worker_allocation_mode, {.doc = "How shards share workers."}),
        field("seekTo", &T::seek_to, {.doc = "Where a group without a position begins."}),
        field("readBatchSize", &T::read_batch_size, {.doc = "Records to ask for at once.", .min = 1}),
        field("sessionTimeout", &T::session_timeout, {.doc = "Silence after which the group gives up a member."}),
        field("heartbeatInterval", &T::heartbeat_interval, {.doc = "Time between two signs of life."}),
        field("sequenceNumberCommitInterval", &T::sequence_number_commit_interval,
              {.doc = "Time between two commits of the position."}),
        field("sequenceNumberShardWaitInterval", &T::sequence_number_shard_wait_interval,
              {.doc = "Wait for a shard that is not there yet."}),
        field("recordBatchSizeChan", &T::record_batch_size_chan, {.doc = "Batches read ahead.", .min = 0}),
        field("ackWindowSize", &T::ack_window_size,
              {.doc = "Records by which the stored position stays behind.", .min = 0}),
        field("logLevel", &T::log_level, {.doc = "How much the client logs."}),
        field("pollingIntervalMs", &T::polling_interval_ms,
              {.doc = "Milliseconds between two reads; legacy.", .min = 0}),
    };
  }
};

}  // namespace nuclio::spec
