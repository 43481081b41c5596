// SPDX-License-Identifier: Apache-2.0
// A connection's bytes, read by our parser and by llhttp, Node's, in its strict mode: where both take requests for
// complete they see the same ones, with the same methods, targets and bodies, ending at the same bytes. What llhttp
// refuses because of its framing we refuse, or have not seen the end of. We may refuse more; README.md says what.
#include <llhttp.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "base/check.h"
#include "http/parser.h"

namespace nuclio::http {
namespace {

struct Message {
  std::string method;
  std::string target;
  std::string body;
  std::size_t end = 0;  // of it, in the connection's bytes
  bool operator==(const Message&) const = default;
};

struct Reading {
  std::vector<Message> messages;
  bool refused = false;
  bool closed = false;         // as the last message asked for: what follows is never looked at
  bool about_framing = false;  // llhttp's refusal
  std::string reason;
};

Reading ours(std::string_view whole) {
  Limits limits;
  Reading reading;
  std::size_t at = 0;
  while (at < whole.size()) {
    std::string_view rest = whole.substr(at);
    HeadParser parser{limits};
    auto progress = parser.parse(rest);
    if (!progress) {
      reading.refused = true;
      reading.reason = progress.error().reason;
      break;
    }
    if (*progress == Progress::more) break;
    Request request;
    parser.fill(rest, request);
    Message message{.method = std::string(request.method), .target = std::string(request.target)};
    at += parser.size();
    if (parser.framing() == Framing::chunked) {
      ChunkedDecoder decoder{limits};
      auto taken = decoder.decode(whole.substr(at), message.body);
      if (!taken) {
        reading.refused = true;
        reading.reason = taken.error().reason;
        break;
      }
      if (!decoder.done()) break;
      at += *taken;
    } else {
      if (whole.size() - at < parser.content_length()) break;
      message.body = whole.substr(at, parser.content_length());
      at += parser.content_length();
    }
    message.end = at;
    reading.messages.push_back(std::move(message));
    if (!parser.keep_alive()) {
      reading.closed = true;
      break;
    }
  }
  return reading;
}

// Else it is about characters and words that llhttp refuses on its own account, without doubt about where the request
// ends: we leave methods to the function, speak all of HTTP/1.x, and keep what is not ASCII in a target.
bool is_about_framing(llhttp_errno_t error) {
  return error != HPE_INVALID_METHOD && error != HPE_INVALID_URL && error != HPE_INVALID_VERSION;
}

Reading theirs(std::string_view whole) {
  struct State {
    Message message;
    Reading reading;
  } state;
  static constexpr auto state_of = [](llhttp_t* parser) -> State& { return *static_cast<State*>(parser->data); };
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_message_begin = [](llhttp_t* parser) {
    state_of(parser).message = {};
    return 0;
  };
  settings.on_method = [](llhttp_t* parser, const char* at, std::size_t size) {
    state_of(parser).message.method.append(at, size);
    return 0;
  };
  settings.on_url = [](llhttp_t* parser, const char* at, std::size_t size) {
    state_of(parser).message.target.append(at, size);
    return 0;
  };
  settings.on_body = [](llhttp_t* parser, const char* at, std::size_t size) {
    state_of(parser).message.body.append(at, size);
    return 0;
  };
  // The pause tells where the message ended.
  settings.on_message_complete = [](llhttp_t*) -> int { return HPE_PAUSED; };

  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  llhttp_set_lenient_keep_alive(&parser, 1);  // we know ourselves when a connection is over
  parser.data = &state;
  const char* at = whole.data();
  const char* end = at + whole.size();
  for (;;) {
    llhttp_errno_t error = llhttp_execute(&parser, at, static_cast<std::size_t>(end - at));
    if (error == HPE_OK) break;
    if (error == HPE_PAUSED) {
      at = llhttp_get_error_pos(&parser);
      state.message.end = static_cast<std::size_t>(at - whole.data());
      state.reading.messages.push_back(std::move(state.message));
      state.message = {};
      llhttp_resume(&parser);
    } else if (error == HPE_PAUSED_UPGRADE) {
      // Nobody upgrades here: the connection goes on as it was.
      at = llhttp_get_error_pos(&parser);
      llhttp_resume_after_upgrade(&parser);
    } else {
      state.reading.refused = true;
      state.reading.about_framing = is_about_framing(error);
      state.reading.reason = llhttp_errno_name(error) + std::string(": ") + llhttp_get_error_reason(&parser);
      break;
    }
  }
  return std::move(state.reading);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::vector<char> memory(data, data + size);
  std::string_view whole{memory.data(), memory.size()};
  Reading we = ours(whole);
  Reading they = theirs(whole);
  std::size_t both = std::min(we.messages.size(), they.messages.size());
  bool same =
      std::equal(we.messages.begin(), we.messages.begin() + static_cast<std::ptrdiff_t>(both), they.messages.begin());
  bool explained = true;
  if (we.messages.size() > both) explained = they.refused && !they.about_framing;
  if (they.messages.size() > both) explained = we.refused || we.closed;
  if (same && explained) return 0;
  std::fprintf(stderr, "we take %zu requests (%s), llhttp %zu (%s)\n", we.messages.size(), we.reason.c_str(),
               they.messages.size(), they.reason.c_str());
  CHECK(same && explained);
  return 0;
}

}  // namespace nuclio::http
