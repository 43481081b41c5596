// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "schema/schema.h"

namespace nuclio::spec {

using schema::field;

enum class IteratorType { latest, trim_horizon };
constexpr auto choices(IteratorType) {
  using C = schema::Choice<IteratorType>;
  return std::array{C{IteratorType::latest, "LATEST"}, C{IteratorType::trim_horizon, "TRIM_HORIZON"}};
}

struct KinesisTrigger {
  static constexpr std::string_view kKind = "kinesis";
  static constexpr bool kInert = true;
  std::string access_key_id;
  std::string secret_access_key;
  std::string region_name;
  std::string stream_name;
  std::vector<std::string> shards;
  IteratorType iterator_type = IteratorType::latest;
  std::chrono::nanoseconds polling_period = std::chrono::milliseconds{500};

  template <class T = KinesisTrigger>
  static constexpr auto fields() {
    return std::tuple{
        field("accessKeyID", &T::access_key_id, {.doc = "Access key.", .secret = true}),
        field("secretAccessKey", &T::secret_access_key, {.doc = "Secret of the access key.", .secret = true}),
        field("regionName", &T::region_name, {.doc = "Region."}),
        field("streamName", &T::stream_name, {.doc = "Stream to read."}),
        field("shards", &T::shards, {.doc = "Shards to read; each has its own worker."}),
        field("iteratorType", &T::iterator_type, {.doc = "Where to begin."}),
        field("pollingPeriod", &T::polling_period, {.doc = "Time between two reads."}),
    };
  }
};

}  // namespace nuclio::spec
