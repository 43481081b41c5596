// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <boost/json/value.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "schema/schema.h"
#include "spec/triggers.h"

namespace nuclio::spec {

using schema::field;
using schema::tagged;

enum class ExplicitAckMode { unset, enable, disable, explicit_only };
constexpr auto choices(ExplicitAckMode) {
  using C = schema::Choice<ExplicitAckMode>;
  return std::array{C{ExplicitAckMode::unset, ""}, C{ExplicitAckMode::enable, "enable"},
                    C{ExplicitAckMode::disable, "disable"}, C{ExplicitAckMode::explicit_only, "explicitOnly"}};
}

enum class BatchMode { disable, enable };
constexpr auto choices(BatchMode) {
  using C = schema::Choice<BatchMode>;
  return std::array{C{BatchMode::disable, "disable"}, C{BatchMode::enable, "enable"}};
}

struct Batch {
  BatchMode mode = BatchMode::disable;
  int batch_size = 10;
  std::chrono::nanoseconds timeout = std::chrono::seconds{1};

  template <class B = Batch>
  static constexpr auto fields() {
    return std::tuple{
        field("mode", &B::mode, {.doc = "Whether events are handed to the handler in batches."}),
        field("batchSize", &B::batch_size, {.doc = "Events in a full batch.", .min = 1, .max = 100000}),
        field("timeout", &B::timeout, {.doc = "How long the first event waits for a full batch."}),
    };
  }
};

struct Partition {
  int id = 0;
  std::optional<std::string> checkpoint;

  template <class P = Partition>
  static constexpr auto fields() {
    return std::tuple{
        field("id", &P::id, {.doc = "Number of the partition.", .min = 0}),
        field("checkpoint", &P::checkpoint, {.doc = "Position to begin at."}),
    };
  }
};

// Where events come from: what all kinds have in common, and `kind` with what is the kind's own.
struct Trigger {
  std::string trigger_class;
  AnyTrigger kind;
  std::string name;
  bool disabled = false;
  int num_workers = 1;
  std::string url;
  std::vector<std::string> paths;
  std::string username;
  std::string password;
  std::string secret;
  std::vector<Partition> partitions;
  std::map<std::string, std::string> annotations;
  std::chrono::nanoseconds worker_termination_timeout = std::chrono::seconds{10};
  std::optional<int> worker_availability_timeout_milliseconds;
  std::string worker_allocator_name;
  ExplicitAckMode explicit_ack_mode = ExplicitAckMode::unset;
  std::chrono::nanoseconds wait_explicit_ack_during_rebalance_timeout{0};
  Batch batch;
  int total_tasks = 0;
  int max_task_allocation = 0;

  template <class T = Trigger>
  static constexpr auto fields() {
    return std::tuple{
        field("class", &T::trigger_class, {.doc = "Legacy; sync or async."}),
        tagged("kind", "attributes", &T::kind, {.doc = "Kind of the trigger; its own settings are attributes."}),
        field("name", &T::name, {.doc = "The key under which the trigger stands; filled in when empty."}),
        field("disabled", &T::disabled, {.doc = "Keep the trigger, but take no events from it."}),
        field("numWorkers", &T::num_workers,
              {.doc = "Events handled at the same time.", .min = 1, .max = 100000, .deprecated = "maxWorkers"}),
        field("url", &T::url, {.doc = "Address of the source; for http the address to listen on, :8080 when empty."}),
        field("paths", &T::paths, {.doc = "Paths within the source.", .inert = true}),
        field("username", &T::username, {.doc = "User name at the source.", .inert = true}),
        field("password", &T::password, {.doc = "Password at the source.", .secret = true, .inert = true}),
        field("secret", &T::secret, {.doc = "Secret for the source.", .secret = true, .inert = true}),
        field("partitions", &T::partitions, {.doc = "Partitions to begin with.", .inert = true}),
        field("annotations", &T::annotations, {.doc = "Annotations for the trigger's ingresses.", .only = kKubernetes}),
        field("workerTerminationTimeout", &T::worker_termination_timeout,
              {.doc = "How long a worker may take to terminate."}),
        field("workerAvailabilityTimeoutMilliseconds", &T::worker_availability_timeout_milliseconds,
              {.doc = "How long an event waits for an idle worker; 10000 when absent or negative, 0 does not wait."}),
        field("workerAllocatorName", &T::worker_allocator_name,
              {.doc = "Triggers with the same name share one pool of workers."}),
        field("explicitAckMode", &T::explicit_ack_mode,
              {.doc = "Whether the handler acknowledges stream records itself.", .inert = true}),
        field("waitExplicitAckDuringRebalanceTimeout", &T::wait_explicit_ack_during_rebalance_timeout,
              {.doc = "How long a rebalance waits for explicit acks.", .inert = true}),
        field("batch", &T::batch, {.doc = "Batching of events (http trigger, python runtime)."}),
        field("total_tasks", &T::total_tasks, {.doc = "Legacy; number of tasks to share.", .min = 0, .inert = true}),
        field("max_task_allocation", &T::max_task_allocation,
              {.doc = "Legacy; most tasks of one replica.", .min = 0, .inert = true}),
    };
  }
};

// The kind's name in the spec: "http", "kafka-cluster".
std::string_view kind_name(const Trigger& trigger);

// How long an event may wait for a worker; zero means not at all.
std::chrono::milliseconds worker_availability_timeout(const Trigger& trigger);

inline bool is_http(const Trigger& trigger) { return std::holds_alternative<HttpTrigger>(trigger.kind); }

}  // namespace nuclio::spec
