// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nuclio_wire.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/named.h"
#include "base/result.h"

namespace nuclio::wire {

using CallId = Named<struct CallIdTag, std::uint64_t>;

inline constexpr Bytes kFrameLimit{NUCLIO_WIRE_DEFAULT_LIMIT};

enum class Type : std::uint8_t {
  start = NUCLIO_WIRE_START,
  event = NUCLIO_WIRE_EVENT,
  batch = NUCLIO_WIRE_BATCH,
  reply = NUCLIO_WIRE_REPLY,
  chunk = NUCLIO_WIRE_CHUNK,
  log = NUCLIO_WIRE_LOG,
  metric = NUCLIO_WIRE_METRIC,
  ack = NUCLIO_WIRE_ACK,
  control = NUCLIO_WIRE_CONTROL,
  cancel = NUCLIO_WIRE_CANCEL,
};
std::string_view name(Type type);

// A header or a query field. Borrows its text.
struct Pair {
  std::string_view name;
  std::string_view value;
  friend bool operator==(const Pair&, const Pair&) = default;
};

// A frame whose every bound has been checked. Borrows the bytes; cheap to copy; any thread.
class FrameView {
 public:
  // The frame at the beginning of `bytes`; more may follow it. Why::too_large above the limit, else Why::invalid with
  // what is wrong with it.
  static Result<FrameView> decode(std::string_view bytes, Bytes limit = kFrameLimit);
  // The same for a frame whose body, or whose nested frames' bodies, may be in `arena`. Borrows that as well; `bytes`
  // must be memory that nobody else changes.
  static Result<FrameView> decode_shared(std::string_view bytes, std::string_view arena, Bytes limit = kFrameLimit);

  Type type() const { return static_cast<Type>(frame_.type); }
  bool failed() const { return frame_.flags & NUCLIO_WIRE_FAILED; }
  bool more() const { return frame_.flags & NUCLIO_WIRE_MORE; }
  bool nested() const { return frame_.flags & NUCLIO_WIRE_NESTED; }
  bool shared() const { return frame_.flags & NUCLIO_WIRE_SHARED; }
  CallId call() const { return CallId{frame_.call}; }
  // Until the deadline, as of when it was written; 0 is none.
  std::chrono::nanoseconds time_left() const;
  std::chrono::system_clock::time_point timestamp() const;
  // Of the whole frame, a body in an arena included.
  Bytes size() const { return {frame_.length + (shared() ? frame_.body_length : 0)}; }

  std::int64_t number(std::size_t index, std::int64_t absent = 0) const {
    return nuclio_wire_number(&frame_, index, absent);
  }
  std::string_view string(std::size_t index) const { return view(nuclio_wire_string(&frame_, index)); }
  std::size_t number_count() const { return frame_.numbers; }
  std::size_t string_count() const { return frame_.strings; }
  std::size_t header_count() const { return frame_.headers; }
  std::size_t field_count() const { return frame_.fields; }
  Pair header(std::size_t index) const { return pair(nuclio_wire_header(&frame_, index)); }
  Pair field(std::size_t index) const { return pair(nuclio_wire_field(&frame_, index)); }
  std::string_view body() const { return {reinterpret_cast<const char*>(frame_.body), frame_.body_length}; }
  // The frames in the body of a nested one; they borrow from the same bytes.
  std::vector<FrameView> inner() const;

 private:
  friend class Frame;
  explicit FrameView(const nuclio_wire_frame& frame) : frame_(frame) {}
  static std::string_view view(nuclio_wire_text text) { return {text.data, text.length}; }
  static Pair pair(nuclio_wire_pair pair) { return {view(pair.name), view(pair.value)}; }
  nuclio_wire_frame frame_;
};

// A frame together with its bytes, so that a reply's body lives until a client has it. A large body may be memory that
// a worker lends: it comes back when the frame is destroyed or detached, and in order, so that a frame that is kept
// holds up those that came after it. Moving a frame keeps views valid.
class Frame {
 public:
  // Destroying it gives back what a worker lent.
  class Loan {
   public:
    virtual ~Loan() = default;
  };

  // `bytes` holds exactly what `view` was decoded from, except a shared body, which `loan` keeps.
  Frame(std::unique_ptr<char[]> bytes, FrameView view, std::unique_ptr<Loan> loan = nullptr)
      : bytes_(std::move(bytes)), view_(view), loan_(std::move(loan)) {}
  const FrameView& view() const { return view_; }
  const FrameView* operator->() const { return &view_; }

  // The body is a worker's memory. A worker that breaks the rules can change it at any time: it is to be passed on, not
  // to be believed.
  bool lent() const { return loan_ != nullptr; }
  // Copies what is lent; views of the body are invalid afterwards, others stay.
  void detach();

 private:
  std::unique_ptr<char[]> bytes_;
  std::unique_ptr<char[]> body_;  // once detached
  FrameView view_;
  std::unique_ptr<Loan> loan_;
};

}  // namespace nuclio::wire
