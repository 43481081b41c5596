// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "schema/schema.h"

namespace nuclio::spec {

using schema::field;

struct RabbitMqTrigger {
  static constexpr std::string_view kKind = "rabbit-mq";
  static constexpr std::array<std::string_view, 1> kAliases = {"rabbitMq"};
  static constexpr bool kInert = true;
  std::string exchange_name;
  std::string queue_name;
  std::vector<std::string> topics;
  std::chrono::nanoseconds reconnect_duration = std::chrono::minutes{5};
  std::chrono::nanoseconds reconnect_interval = std::chrono::seconds{15};
  int prefetch_count = 0;
  bool durable_exchange = false;
  bool durable_queue = false;

  template <class T = RabbitMqTrigger>
  static constexpr auto fields() {
    return std::tuple{
        field("exchangeName", &T::exchange_name, {.doc = "Exchange to bind to."}),
        field("queueName", &T::queue_name, {.doc = "Queue to read; nuclio-<namespace>-<function> when empty."}),
        field("topics", &T::topics, {.doc = "Routing keys to bind; without any the queue is read as it is."}),
        field("reconnectDuration", &T::reconnect_duration, {.doc = "How long to try to connect again."}),
        field("reconnectInterval", &T::reconnect_interval, {.doc = "Wait between two attempts."}),
        field("prefetchCount", &T::prefetch_count,
              {.doc = "Messages that the broker sends ahead.", .min = 0, .max = 65535}),
        field("durableExchange", &T::durable_exchange, {.doc = "The exchange outlives the broker."}),
        field("durableQueue", &T::durable_queue, {.doc = "The queue outlives the broker."}),
    };
  }
};

}  // namespace nuclio::spec
