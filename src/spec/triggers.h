// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <variant>

#include "spec/triggers/cron.h"
#include "spec/triggers/eventhub.h"
#include "spec/triggers/http.h"
#include "spec/triggers/iot_core_mqtt.h"
#include "spec/triggers/kafka_cluster.h"
#include "spec/triggers/kickstart.h"
#include "spec/triggers/kinesis.h"
#include "spec/triggers/mqtt.h"
#include "spec/triggers/nats.h"
#include "spec/triggers/pubsub.h"
#include "spec/triggers/rabbit_mq.h"
#include "spec/triggers/v3io_item_poller.h"
#include "spec/triggers/v3io_stream.h"

namespace nuclio::spec {

// The list of trigger kinds, with what stands under `attributes` of each. A kind that is not here does not exist
// anywhere; one with kInert is read and kept, and no events come from it yet.
using AnyTrigger = std::variant<HttpTrigger, CronTrigger, KickstartTrigger, KafkaClusterTrigger, KinesisTrigger,
                                NatsTrigger, RabbitMqTrigger, MqttTrigger, IotCoreMqttTrigger, PubsubTrigger,
                                EventhubTrigger, V3ioStreamTrigger, V3ioItemPollerTrigger>;

}  // namespace nuclio::spec
