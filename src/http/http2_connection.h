// SPDX-License-Identifier: Apache-2.0
// One connection of a Server that speaks HTTP/2. Nobody else includes this.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/allowance.h"
#include "http/connection.h"
#include "http/http2_frames.h"
#include "http/http2_stream.h"
#include "http/transport.h"
#include "loop/group.h"
#include "loop/list.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "loop/wait_list.h"

struct nghttp2_session;

namespace nuclio::http {

// nghttp2 knows the protocol, and this what becomes of it: each stream is a request to the handler, within the same
// limits as HTTP/1.1. A peer that makes work without end is told so (GOAWAY, ENHANCE_YOUR_CALM) and cut off.
class Http2Connection final : public ListLink {
 public:
  Http2Connection(Shared& shared, Transport& transport, std::string_view remote_address);
  ~Http2Connection();

  // Answers requests until either side has had enough. `received` was read from the transport already.
  Task<void> run(std::string received);
  // Asks the peer to send no further requests here.
  void drain();
  // Takes no further requests and ends once those that have begun are answered.
  void finish();
  void finish_when_idle_since(SteadyTime when);

 private:
  friend struct Http2Callbacks;
  enum class End { orderly, gone };
  enum class Flushed { all, more, blocked, gone };
  // A part of an answer's body.
  struct Given {
    enum class Kind { some, last, later, failed } kind;
    std::size_t bytes;
  };
  class Check final : public Timer {
   public:
    explicit Check(Http2Connection& owner);

   private:
    void fire() override { owner_.check(); }
    Http2Connection& owner_;
  };

  Task<void> read();
  Task<void> write();
  Task<void> serve(Http2Stream& stream);
  Task<void> pump(Http2Stream& stream, BodySource& source);
  Task<void> linger();

  void feed(std::string_view bytes);
  Moved receive();
  Flushed flush();
  void flush_soon();
  bool is_over() const;
  void end(End how);
  // GOAWAY with this error, and no more.
  void terminate(std::uint32_t error, std::string_view reason);
  void reset(Http2Stream& stream, std::uint32_t error);

  void saw_frame(const Http2FrameHead& frame);
  void begin_request(std::int32_t id);
  void head_is_complete(Http2Stream& stream, bool ends);
  void request_is_complete(Http2Stream& stream);
  void take_body(Http2Stream& stream, std::string_view bytes);
  void admit(Http2Stream& stream);
  void drop_body(Http2Stream& stream);
  void refuse(Http2Stream& stream, Refusal refusal);
  void answer(Http2Stream& stream, Response response);
  Given give_body(Http2Stream& stream, std::span<char> into);
  Given give_part(Http2Stream& stream, std::span<char> into);
  void was_answered(Http2Stream& stream);
  void was_closed(Http2Stream& stream, std::uint32_t error);
  void forget(Http2Stream& stream);
  void spend(Allowance& allowance, std::string_view on);
  // Whatever is late is ended; then the timer is set for what comes next.
  void check();
  void check_by(SteadyTime when);

  struct FreeSession {
    void operator()(nghttp2_session* session) const;
  };

  Shared& shared_;
  Transport& transport_;
  std::string_view remote_address_;
  std::unique_ptr<nghttp2_session, FreeSession> session_;
  std::map<std::int32_t, std::unique_ptr<Http2Stream>> streams_;
  List<Http2Stream> complete_;          // requests to be handed to the handler
  List<Http2Stream> waiting_for_room_;  // bodies that are held back
  std::uint64_t reserved_ = 0;
  Http2Frames frames_;
  Allowance idle_frames_;  // those that carry nothing
  Allowance resets_;

  SteadyTime idle_since_;
  std::optional<SteadyTime> head_began_;  // one that is incomplete
  bool greeted_ = false;                  // the peer's settings have come
  bool finishing_ = false;
  bool terminated_ = false;
  bool feeding_ = false;  // and all that comes of it is flushed behind it
  Check timer_;
  SteadyTime timer_at_{};

  std::string out_;  // made by the session and not sent yet
  std::size_t sent_ = 0;
  bool blocked_ = false;  // the socket takes no more; the writer waits for it
  WaitList something_to_send_;
  std::optional<End> ended_;
  WaitList end_;
  Group work_;  // last: handlers use all of the above
};

}  // namespace nuclio::http
