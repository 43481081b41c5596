// SPDX-License-Identifier: Apache-2.0
// One connection of a Server. Nobody else includes this.
#pragma once
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "http/begun.h"
#include "http/body_pool.h"
#include "http/buffer.h"
#include "http/limits.h"
#include "http/message.h"
#include "http/pace.h"
#include "http/parser.h"
#include "http/serializer.h"
#include "http/transport.h"
#include "loop/descriptor.h"
#include "loop/list.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio::http {

class Connection;
class Http2Connection;

// What the connections of a server have in common. Outlives them.
struct Shared {
  Loop& loop;
  const Limits limits;
  Handler& handler;
  HttpDate date;
  bool draining = false;      // answers say "Connection: close"
  bool closing_idle = false;  // and nobody waits for another request
  List<Connection> connections;
  List<Http2Connection> http2_connections;
  BodyPool* body_pool = nullptr;  // none: bodies are received into the connection's own memory
  Spares spares = {};

  Pace pace_of_body() const { return {limits.transfer_grace, limits.transfer_rate, loop.now()}; }
  Pace pace_of_answer() const { return {limits.answer_grace, limits.transfer_rate, loop.now()}; }
};

// The first line of what a client sends that speaks HTTP/2 without having been asked.
inline constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n";

// A text of an answer up to this size is copied behind what is to be sent before it: cheaper than a second element in
// the kernel's hands, and answers to pipelined requests go out together.
inline constexpr std::size_t kShortAnswer = 16 << 10;

// What the peer is told, and the log. Not to be called for a peer that is gone.
Response refused(const Refusal& refusal, const Limits& limits, std::string_view peer);

class Connection final : public ListLink {
 public:
  Connection(Shared& shared, Descriptor socket, std::string remote_address);

  // Answers requests until either side has had enough.
  Task<void> run();
  // Lets a connection end that has waited for its next request since then or before. One in the middle of a request is
  // left alone.
  void close_when_idle_since(SteadyTime when);

  Transport& transport() { return transport_; }
  const std::string& remote_address() const { return remote_address_; }
  // After run(): the peer wants to go on in HTTP/2. This connection is of no further use, but its transport is.
  bool wants_http2() const { return wants_http2_; }
  std::string_view received() const { return in_.unread(); }

 private:
  // A refusal with status 0: the peer is gone, there is nobody to tell.
  using Step = std::expected<void, Refusal>;

  Moved receive_more();
  void put_away();
  Deadline waiting_for_head() const;

  bool begins_http2() const;
  bool body_is_here() const;
  Task<Step> read_body();
  Task<Step> read_short_body();
  Task<Step> read_long_body();
  std::span<char> memory_for_body(std::size_t size);
  Task<Step> read_chunked_body();
  void drop_body();

  // Sends what is in out_, then `tail`; take what was sent off both. Moved::some: all is sent.
  Moved try_send(std::string_view& tail);
  Task<bool> send(std::string_view tail);  // waits; false when the peer is gone or too slow
  Task<bool> send_body(Body& body, Sending sending);
  Task<bool> send_file(const FileBody& file);
  Task<bool> send_lent(LentBody& lent);
  Task<bool> send_stream(BodySource& source, Sending sending);
  Task<bool> peer_gone();
  Task<void> refuse(Refusal refusal);
  Task<void> say_goodbye();
  Task<void> linger();

  Shared& shared_;
  Transport transport_;
  Watch& watch_;  // the transport's
  std::string remote_address_;
  Buffer in_;
  HeadParser parser_;
  Request request_;
  std::string body_;              // one that does not fit into in_,
  PooledBody pooled_;             // or that
  std::string out_;               // answers, or parts of them, that are not sent yet
  std::size_t sent_ = 0;          // of out_
  std::size_t request_size_ = 0;  // of in_: what the current request takes
  bool idle_ = true;
  bool wants_http2_ = false;
  bool receive_first_ = false;  // something may have arrived that watch_ was told to forget
  KeepAlive keep_alive_ = KeepAlive::yes;
};

}  // namespace nuclio::http
