// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "schema/schema.h"
#include "spec/triggers/stream.h"

namespace nuclio::spec {

enum class BalanceStrategy { range, round_robin, sticky };
constexpr auto choices(BalanceStrategy) {
  using C = schema::Choice<BalanceStrategy>;
  return std::array{C{BalanceStrategy::range, "range"}, C{BalanceStrategy::round_robin, "roundrobin"},
                    C{BalanceStrategy::sticky, "sticky"}};
}

enum class SaslMechanism { plain, scram_sha_256, scram_sha_512, oauth_bearer };
constexpr auto choices(SaslMechanism) {
  using C = schema::Choice<SaslMechanism>;
  return std::array{C{SaslMechanism::plain, "plain"}, C{SaslMechanism::scram_sha_256, "SCRAM-SHA-256"},
                    C{SaslMechanism::scram_sha_512, "SCRAM-SHA-512"}, C{SaslMechanism::oauth_bearer, "OAUTHBEARER"},
                    C{SaslMechanism::plain, "PLAIN"}};
}

struct KafkaOauth {
  static constexpr bool kIgnoreCase = true;
  std::string client_id;
  std::string client_secret;
  std::string token_url;
  std::vector<std::string> scopes;

  template <class K = KafkaOauth>
  static constexpr auto fields() {
    return std::tuple{
        field("clientID", &K::client_id, {.doc = "Client at the token server."}),
        field("clientSecret", &K::client_secret, {.doc = "Secret of the client.", .secret = true}),
        field("tokenURL", &K::token_url, {.doc = "URL of the token server."}),
        field("scopes", &K::scopes, {.doc = "Scopes to ask for."}),
    };
  }
};

struct KafkaSasl {
  static constexpr bool kIgnoreCase = true;
  bool enable = false;
  bool handshake = true;
  std::string user;
  std::string password;
  SaslMechanism mechanism = SaslMechanism::plain;
  KafkaOauth oauth;

  template <class K = KafkaSasl>
  static constexpr auto fields() {
    return std::tuple{
        field("enable", &K::enable, {.doc = "Log in with SASL."}),
        field("handshake", &K::handshake, {.doc = "Send the SASL handshake first."}),
        field("user", &K::user, {.doc = "User name."}),
        field("password", &K::password, {.doc = "Password.", .secret = true}),
        field("mechanism", &K::mechanism, {.doc = "How to log in."}),
        field("oauth", &K::oauth, {.doc = "Token server of OAUTHBEARER."}),
    };
  }
};

struct KafkaTls {
  static constexpr bool kIgnoreCase = true;
  bool enable = false;
  bool insecure_skip_verify = false;
  std::string minimum_version;

  template <class K = KafkaTls>
  static constexpr auto fields() {
    return std::tuple{
        field("enable", &K::enable, {.doc = "Connect with TLS."}),
        field("insecureSkipVerify", &K::insecure_skip_verify, {.doc = "Do not check the broker's certificate."}),
        field("minimumVersion", &K::minimum_version, {.doc = "Lowest TLS version, 1.2 or 1.3.", .also = "minVersion"}),
    };
  }
};

struct KafkaClusterTrigger {
  static constexpr std::string_view kKind = "kafka-cluster";
  static constexpr std::array<std::string_view, 1> kAliases = {"kafka"};
  static constexpr bool kInert = true;
  static constexpr bool kIgnoreCase = true;
  std::vector<std::string> brokers;
  std::vector<std::string> topics;
  std::string consumer_group;
  StartAt initial_offset = StartAt::latest;
  BalanceStrategy balance_strategy = BalanceStrategy::range;
  KafkaSasl sasl;
  KafkaTls tls;
  std::string ca_cert;
  std::string access_key;
  std::string access_certificate;
  std::string secret_path;
  std::chrono::nanoseconds session_timeout = std::chrono::seconds{10};
  std::chrono::nanoseconds heartbeat_interval = std::chrono::seconds{3};
  std::chrono::nanoseconds max_processing_time = std::chrono::hours{24};
  std::chrono::nanoseconds rebalance_timeout = std::chrono::seconds{60};
  int rebalance_retry_max = 4;
  std::chrono::nanoseconds rebalance_retry_backoff = std::chrono::seconds{2};
  std::chrono::nanoseconds retry_backoff = std::chrono::seconds{2};
  std::chrono::nanoseconds max_wait_time = std::chrono::milliseconds{250};
  std::chrono::nanoseconds max_wait_handler_during_rebalance = std::chrono::seconds{5};
  std::chrono::nanoseconds wait_explicit_ack_during_rebalance_timeout = std::chrono::milliseconds{100};
  WorkerAllocationMode worker_allocation_mode = WorkerAllocationMode::pool;
  Bytes fetch_min{1};
  Bytes fetch_default{1048576};
  Bytes fetch_max{0};
  int channel_buffer_size = 256;
  int ack_window_size = 0;
  int log_level = 0;
  std::string version = "0.11.0.0";

  template <class T = KafkaClusterTrigger>
  static constexpr auto fields() {
    return std::tuple{
        field("brokers", &T::brokers, {.doc = "Brokers to begin with, host:port; the trigger's url when empty."}),
        field("topics", &T::topics, {.doc = "Topics to read."}),
        field("consumerGroup", &T::consumer_group,
              {.doc = "Consumer group whose positions are used.", .required = true}),
        field("initialOffset", &T::initial_offset, {.doc = "Where a group without a position begins."}),
        field("balanceStrategy", &T::balance_strategy, {.doc = "How the group shares the partitions."}),
        field("sasl", &T::sasl, {.doc = "How to log in."}),
        field("tls", &T::tls, {.doc = "Encryption."}),
        field("caCert", &T::ca_cert, {.doc = "Certificate authority, PEM.", .secret = true}),
        field("accessKey", &T::access_key, {.doc = "Client's key, PEM.", .secret = true}),
        field("accessCertificate", &T::access_certificate, {.doc = "Client's certificate, PEM.", .secret = true}),
        field("secretPath", &T::secret_path, {.doc = "Directory of the files that other values may name."}),
        field("sessionTimeout", &T::session_timeout, {.doc = "Silence after which the group gives up a member."}),
        field("heartbeatInterval", &T::heartbeat_interval, {.doc = "Time between two signs of life."}),
        field("maxProcessingTime", &T::max_processing_time, {.doc = "Longest time that one record may take."}),
        field("rebalanceTimeout", &T::rebalance_timeout, {.doc = "Longest time that a rebalance may take."}),
        field("rebalanceRetryMax", &T::rebalance_retry_max, {.doc = "Attempts to join a rebalance.", .min = 0}),
        field("rebalanceRetryBackoff", &T::rebalance_retry_backoff, {.doc = "Wait between two of them."}),
        field("retryBackoff", &T::retry_backoff, {.doc = "Wait before a failed read is tried again."}),
        field("maxWaitTime", &T::max_wait_time, {.doc = "Longest time for which the broker holds a read back."}),
        field("maxWaitHandlerDuringRebalance", &T::max_wait_handler_during_rebalance,
              {.doc = "Longest wait for handlers when partitions move."}),
        field("waitExplicitAckDuringRebalanceTimeout", &T::wait_explicit_ack_during_rebalance_timeout,
              {.doc = "Longest wait for explicit acks when partitions move."}),
        field("workerAllocationMode", &T::worker_allocation_mode, {.doc = "How partitions share workers."}),
        field("fetchMin", &T::fetch_min, {.doc = "Bytes for which the broker waits.", .min = 0}),
        field("fetchDefault", &T::fetch_default, {.doc = "Bytes to ask for at once.", .min = 0}),
        field("fetchMax", &T::fetch_max, {.doc = "Most bytes to ask for at once; 0 is unlimited.", .min = 0}),
        field("channelBufferSize", &T::channel_buffer_size, {.doc = "Records read ahead.", .min = 0}),
        field("ackWindowSize", &T::ack_window_size,
              {.doc = "Records by which the stored position stays behind.", .min = 0}),
        field("logLevel", &T::log_level, {.doc = "How much the client logs.", .min = 0}),
        field("version", &T::version, {.doc = "Version of the broker's protocol."}),
    };
  }
};

}  // namespace nuclio::spec
