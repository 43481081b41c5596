// SPDX-License-Identifier: Apache-2.0
#include "call.h"

#include <time.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace nuclio::runner {
namespace {

// A reader hands a frame on as a whole, so a large piece goes out in parts.
constexpr std::size_t kPiece = 1 << 20;

std::int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

std::string_view view(nuclio_text text) { return {text.data, text.size}; }
nuclio_text abi_text(std::string_view text) { return {text.data(), text.size()}; }
nuclio_wire_text wire(std::string_view text) { return {text.data() == nullptr ? "" : text.data(), text.size()}; }

}  // namespace

Call::Call(Connection& connection, const nuclio_wire_frame& event, std::uint64_t id, std::string* batch)
    : connection_(connection),
      id_(id),
      event_id_(nuclio_wire_string(&event, NUCLIO_WIRE_EVENT_ID).data,
                nuclio_wire_string(&event, NUCLIO_WIRE_EVENT_ID).length),
      batch_(batch),
      begun_ns_(monotonic_ns()),
      deadline_ns_(event.deadline_ns == 0 ? 0 : begun_ns_ + static_cast<std::int64_t>(event.deadline_ns)) {}

void Call::reply(const nuclio_reply& reply) {
  state_ = reply.more != 0 ? State::streaming : State::done;
  if (streams() && batch_ != nullptr) {
    head_ = {reply.status, std::string(view(reply.content_type)), {}, std::string(view(reply.body))};
    for (std::size_t i = 0; i < reply.headers.size; ++i)
      head_.headers.emplace_back(view(reply.headers.data[i].name), view(reply.headers.data[i].value));
    return;
  }
  send({.status = reply.status,
        .content_type = view(reply.content_type),
        .headers = reply.headers,
        .body = view(reply.body),
        .flags = static_cast<std::uint16_t>(streams() ? NUCLIO_WIRE_MORE : 0)});
}

void Call::fail(const nuclio_failure& failure) {
  const bool begun = streams() && batch_ == nullptr;
  state_ = State::done;
  if (begun) return send_chunk("", NUCLIO_WIRE_FAILED, &failure);
  send({.status = failure.status,
        .content_type = view(failure.content_type),
        .message = view(failure.message),
        .traceback = view(failure.traceback),
        .body = view(failure.body),
        .flags = NUCLIO_WIRE_FAILED});
}

bool Call::write(std::string_view piece) {
  if (gone()) return false;
  if (batch_ != nullptr) {
    // Beyond the limit the reply could not be sent, so there is no use in collecting it.
    if (head_.body.size() + piece.size() > connection_.limit()) return false;
    head_.body += piece;
    return true;
  }
  for (; !piece.empty(); piece.remove_prefix(std::min(piece.size(), kPiece)))
    send_chunk(piece.substr(0, kPiece), NUCLIO_WIRE_MORE, nullptr);
  return true;
}

bool Call::gone() { return (deadline_ns_ != 0 && monotonic_ns() >= deadline_ns_) || connection_.cancelled(id_); }

void Call::finish() {
  const State state = std::exchange(state_, State::done);
  if (state == State::done) return;
  if (state == State::waiting)
    return send({.status = 500, .message = "the handler's object did not answer", .flags = NUCLIO_WIRE_FAILED});
  if (batch_ == nullptr) return send_chunk("", 0, nullptr);
  std::vector<nuclio_pair> headers;
  for (const auto& [name, value] : head_.headers) headers.push_back({abi_text(name), abi_text(value)});
  send({.status = head_.status,
        .content_type = head_.content_type,
        .headers = {headers.data(), headers.size()},
        .body = head_.body});
}

void Call::send(const Answer& answer) {
  const std::int64_t numbers[] = {answer.status, duration_ns()};
  const nuclio_wire_text strings[] = {wire(answer.content_type), wire(event_id_), wire(answer.message),
                                      wire(answer.traceback)};
  std::vector<nuclio_wire_pair> headers;
  headers.reserve(answer.headers.size);
  for (std::size_t i = 0; i < answer.headers.size; ++i)
    headers.push_back({wire(view(answer.headers.data[i].name)), wire(view(answer.headers.data[i].value))});
  const nuclio_wire_head head{.type = NUCLIO_WIRE_REPLY,
                              .flags = answer.flags,
                              .call = batch_ == nullptr ? id_ : 0,
                              .number = numbers,
                              .string = strings,
                              .header = headers.data(),
                              .numbers = std::size(numbers),
                              .strings = std::size(strings),
                              .headers = static_cast<std::uint16_t>(headers.size()),
                              .body_length = answer.body.size()};
  if (headers.size() <= UINT16_MAX) {
    if (batch_ == nullptr) {
      if (connection_.send(head, answer.body)) return;
    } else if (const std::string frame = encode(head, answer.body, connection_.limit()); !frame.empty()) {
      *batch_ += frame;
      return;
    }
  }
  // The replacement is short, so this ends here.
  state_ = State::done;
  const std::string message = "the response is too large: its body has " + std::to_string(answer.body.size()) +
                              " bytes and it has " + std::to_string(headers.size()) +
                              " headers, and altogether it may have " + std::to_string(connection_.limit()) +
                              " bytes; send less, or a stream";
  send({.status = 500, .message = message, .flags = NUCLIO_WIRE_FAILED});
}

void Call::send_chunk(std::string_view piece, std::uint16_t flags, const nuclio_failure* failure) {
  const std::int64_t numbers[] = {duration_ns()};
  const nuclio_wire_text strings[] = {wire(failure == nullptr ? "" : view(failure->message)),
                                      wire(failure == nullptr ? "" : view(failure->traceback))};
  connection_.send({.type = NUCLIO_WIRE_CHUNK,
                    .flags = flags,
                    .call = id_,
                    .number = numbers,
                    .string = strings,
                    .numbers = std::size(numbers),
                    .strings = std::size(strings),
                    .body_length = piece.size()},
                   piece);
}

std::int64_t Call::duration_ns() const { return monotonic_ns() - begun_ns_; }

}  // namespace nuclio::runner
