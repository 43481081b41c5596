// SPDX-License-Identifier: Apache-2.0
// What a client of HTTP/2 may do, and what comes of it when it does more.
#include <nghttp2/nghttp2.h>

#include <fstream>
#include <map>
#include <vector>

#include "http/connection.h"
#include "http/test_http2.h"
#include "loop/wait_list.h"

namespace nuclio::http::frames {
namespace {

using namespace std::chrono_literals;

TEST(Http2, AnswersRequestsOfAClientThatBeginsWithIt) {
  TestServer test;
  test.play([](TestServer& test) -> Task<bool> {
    Client client{test.loop, test.port()};
    co_await client.send(kHello + head(1, "GET", "/a%20b?x=1") + head(3, "POST", "/", {}, kEndHeaders) +
                         data(3, "one ") + data(3, "two", kEndStream));
    Answer first = co_await client.answer(1);
    EXPECT_EQ(first.status(), "200");
    EXPECT_EQ(first.body, "GET /a%20b?x=1|");
    EXPECT_EQ(first.fields["content-type"], "text/plain");
    EXPECT_EQ(first.fields["content-length"], "15");
    EXPECT_EQ(first.fields["server"], "nuclio");
    EXPECT_TRUE(first.fields.contains("date"));
    EXPECT_FALSE(first.fields.contains("connection"));
    Answer second = co_await client.answer(3);
    EXPECT_EQ(second.body, "POST /|one two");
    EXPECT_TRUE(client.acked);
    co_return true;
  });
}

TEST(Http2, TakesThePrefaceByteByByte) {
  TestServer test;
  test.play([](TestServer& test) -> Task<bool> {
    Client client{test.loop, test.port()};
    for (char c : kHello + head(1, "GET", "/a")) {
      co_await client.send(std::string(1, c));
      co_await test.loop.yield();
    }
    Answer answer = co_await client.answer(1);
    EXPECT_EQ(answer.body, "GET /a|");
    co_return true;
  });
}

TEST(Http2, IsChosenByTls) {
  TestServer test;
  Folder folder;
  write_certificate(folder / "tls.crt", folder / "tls.key");
  auto tls = Tls::load({.certificate = folder / "tls.crt", .key = folder / "tls.key"});
  auto listener = Listener::listen(test.loop, Address{"127.0.0.1", 0, ""});
  test.server.serve(std::move(*listener), tls->get());
  test.play([](TestServer& test) -> Task<bool> {
    Client client{test.loop, test.server.addresses().back().port, TlsClientOptions{.alpn = "h2"}};
    bool shaken = co_await client.handshake();
    EXPECT_TRUE(shaken);
    co_await client.send(kHello + head(1, "GET", "/a"));
    Answer answer = co_await client.answer(1);
    EXPECT_EQ(answer.body, "GET /a|");
    co_return true;
  });
}

TEST(Http2, IsLeftOutWhenNoStreamsAreAllowed) {
  Limits limits;
  limits.http2_streams = 0;
  TestServer test{echo, limits};
  EXPECT_TRUE(test.exchange(kHello).starts_with("HTTP/1.1 505 "));
}

TEST(Http2, MakesARequestOfItsFields) {
  TestServer test{[](Request& request) -> Task<Response> {
    std::string text;
    for (const Header& field : request.headers) text += std::string(field.name) + "=" + std::string(field.value) + "\n";
    co_return Response::text(200, std::move(text));
  }};
  test.play([](TestServer& test) -> Task<bool> {
    Client client{test.loop, test.port()};
    co_await client.send(kHello +
                         head(1, "GET", "/", {{"x-a", "1"}, {"cookie", "a=b"}, {"x-b", ""}, {"cookie", "c=d"}}));
    Answer answer = co_await client.answer(1);
    EXPECT_EQ(answer.body, "host=localhost\nx-a=1\nx-b=\ncookie=a=b; c=d\n");
    co_return true;
  });
}

TEST(Http2, RefusesARequestThatIsBeyondALimitAndServesTheNext) {
  Limits limits;
  limits.header_bytes = Bytes{1000};
  limits.target_bytes = Bytes{500};
  limits.header_count = 5;
  limits.body_bytes = Bytes{1000};
  TestServer test{echo, limits};
  Fields many;
  for (int i = 0; i < 6; ++i) many.push_back({"x", "y"});
  const std::pair<std::string, std::string> cases[] = {
      {head(1, "GET", "/", {{"x", std::string(1000, 'x')}}), "431"},
      {head(1, "GET", "/", many), "431"},
      {head(1, "GET", "/" + std::string(500, 'x')), "414"},
      {head(1, "GET", "x"), ""},  // nghttp2 resets the stream by itself
      {head(1, "POST", "/", {{"content-length", "1001"}}, kEndHeaders), "413"},
      {head(1, "POST", "/", {}, kEndHeaders) + data(1, std::string(1001, 'x')), "413"},
      {head(1, "GET", "/", {{"expect", "more"}}), "417"},
      {head(1, "GET", "/", {{"host", "other"}}), "400"},
      {frame(1, kEndHeaders, 1, encoded({{":method", "CONNECT"}, {":authority", "a:1"}})), "400"},
      {head(1, "GET", "/", {{"connection", "close"}}), ""},
      {head(1, "GET", "/", {{"x", "a\nb"}}), ""},
      {head(1, "POST", "/", {{"content-length", "2"}}, kEndHeaders) + data(1, "123", kEndStream), ""},
  };
  for (const auto& [bytes, status] : cases) {
    static std::string sent;
    static std::string expected;
    sent = bytes;
    expected = status;
    test.play([](TestServer& test) -> Task<bool> {
      Client client{test.loop, test.port()};
      co_await client.send(kHello + sent);
      Answer answer = co_await client.answer(1);
      EXPECT_EQ(answer.status(), expected) << answer.body;
      co_await client.send(head(3, "GET", "/next"));
      Answer next = co_await client.answer(3);
      EXPECT_EQ(next.body, "GET /next|");
      co_return true;
    });
  }
}

TEST(Http2, SaysContinue) {
  TestServer test;
  test.play([](TestServer& test) -> Task<bool> {
    Client client{test.loop, test.port()};
    co_await client.send(kHello + head(1, "POST", "/", {{"expect", "100-continue"}}, kEndHeaders));
    while (client.answers[1].status() != "100") {
      bool more = co_await client.receive();
      if (!more) co_return false;
    }
    co_await client.send(data(1, "body", kEndStream));
    Answer answer = co_await client.answer(1);
    EXPECT_EQ(answer.status(), "200");
    EXPECT_EQ(answer.body, "POST /|body");
    co_return true;
  });
}

TEST(Http2, AnswersHeadWithTheLengthAlone) {
  TestServer test;
  test.play([](TestServer& test) -> Task<bool> {
    Client client{test.loop, test.port()};
    co_await client.send(kHello + head(1, "HEAD", "/a"));
    Answer answer = co_await client.answer(1);
    EXPECT_EQ(answer.fields["content-length"], "8");
    EXPECT_EQ(answer.body, "");
    co_return true;
  });
}

class Pieces final : public BodySource {
 public:
  explicit Pieces(bool fails) : fails_(fails) {}
  Task<Result<std::optional<std::string>>> next() override {
    if (made_ == 20 && fails_) co_return fail(Why::unavailable, "no more");
    if (made_ == 20) co_return std::nullopt;
    co_return std::string(10'000, static_cast<char>('a' + made_++));
  }

 private:
  bool fails_;
  int made_ = 0;
};

Task<Response> stream_or_file(Request& request) {
  Response response = Response::empty(200);
  if (request.path == "/file") {
    response.body = std::move(*FileBody::open(std::string(request.headers.get("x-file"))));
  } else {
    response.body = std::make_unique<Pieces>(request.path == "/fails");
  }
  co_return response;
}

TEST(Http2, SendsStreamsAndFilesAsFarAsTheWindowsAllow) {
  TestServer test{stream_or_file};
  static Folder folder;
  std::ofstream(folder / "file") << std::string(100'000, 'f') << std::flush;
  test.play([](TestServer& test) -> Task<bool> {
    Client client{test.loop, test.port()};
    co_await client.send(kHello + head(1, "GET", "/stream") + head(3, "GET", "/file", {{"x-file", folder / "file"}}) +
                         head(5, "GET", "/fails"));
    while (client.answers[1].body.size() + client.answers[3].body.size() + client.answers[5].body.size() < 65535) {
      bool more = co_await client.receive();
      if (!more) co_return false;
    }
    co_await client.send(window(0, 1 << 20) + window(1, 1 << 20) + window(3, 1 << 20) + window(5, 1 << 20));
    Answer stream = co_await client.answer(1);
    Answer file = co_await client.answer(3);
    Answer failed = co_await client.answer(5);
    std::string expected;
    for (char c = 'a'; c < 'a' + 20; ++c) expected.append(10'000, c);
    EXPECT_TRUE(stream.body == expected) << stream.body.size();
    EXPECT_TRUE(file.body == std::string(100'000, 'f')) << file.body.size();
    EXPECT_TRUE(failed.reset);
    EXPECT_FALSE(failed.ended);
    co_return true;
  });
}

TEST(Http2, TakesLargeBodiesOfManyRequestsAtOnceWithinItsMemory) {
  Limits limits;
  limits.http2_bodies = Bytes{300'000};
  TestServer test{
      [](Request& request) -> Task<Response> { co_return Response::text(200, std::to_string(request.body.size())); },
      limits};
  test.play([](TestServer& test) -> Task<bool> {
    // The command line tools are better at windows than this client: it sends what the first windows take, of each.
    Client client{test.loop, test.port()};
    std::string all = kHello;
    for (std::uint32_t id = 1; id < 21; id += 2) {
      all += head(id, "POST", "/", {{"content-length", "60000"}}, kEndHeaders);
      for (int i = 0; i < 6; ++i) all += data(id, std::string(10'000, 'x'), i == 5 ? kEndStream : 0);
    }
    co_await client.send(all);
    for (std::uint32_t id = 1; id < 21; id += 2) {
      Answer answer = co_await client.answer(id);
      EXPECT_EQ(answer.body, "60000");
    }
    co_return true;
  });
}

TEST(Http2, LetsAHandlerFinishWhoseClientGaveUp) {
  static int begun;
  static int finished;
  begun = finished = 0;
  static WaitList* gate;
  TestServer test{[](Request&) -> Task<Response> {
    ++begun;
    (void)co_await gate->wait();
    ++finished;
    co_return Response::empty(204);
  }};
  WaitList opened{test.loop};
  gate = &opened;
  test.play([](TestServer& test) -> Task<bool> {
    {
      Client client{test.loop, test.port()};
      co_await client.send(kHello + head(1, "GET", "/") + head(3, "GET", "/"));
      co_await until(test.loop, [&] { return begun == 2; });
      co_await client.send(reset(1));
    }
    EXPECT_EQ(test.server.connections(), 1u);
    gate->notify_all();
    co_await until(test.loop, [&] { return test.nobody_connected(); });
    EXPECT_EQ(finished, 2);
    co_return true;
  });
}

TEST(Http2, RefusesMoreRequestsAtOnceThanAllowedAlsoWhenTheClientGaveThemUp) {
  static WaitList* gate;
  static int begun;
  begun = 0;
  Limits limits;
  limits.http2_streams = 3;
  TestServer test{[](Request&) -> Task<Response> {
                    ++begun;
                    (void)co_await gate->wait();
                    co_return Response::empty(204);
                  },
                  limits};
  WaitList opened{test.loop};
  gate = &opened;
  test.play([](TestServer& test) -> Task<bool> {
    Client client{test.loop, test.port()};
    co_await client.send(kHello);
    for (int i = 0; i < 3; ++i) {
      co_await client.send(head(2 * i + 1, "GET", "/"));
      co_await until(test.loop, [&] { return begun == i + 1; });
      co_await client.send(reset(2 * i + 1));
    }
    co_await client.send(head(21, "GET", "/"));
    Answer refused = co_await client.answer(21);
    EXPECT_EQ(refused.reset, static_cast<std::uint32_t>(NGHTTP2_REFUSED_STREAM));
    EXPECT_EQ(begun, 3);
    gate->notify_all();
    co_await test.loop.sleep(1ms);
    co_await client.send(head(23, "GET", "/"));
    co_await until(test.loop, [&] { return begun == 4; });
    gate->notify_all();
    Answer served = co_await client.answer(23);
    EXPECT_EQ(served.status(), "204");
    co_return true;
  });
}

TEST(Http2, SaysGoodbyeWhenDrainedAndFinishesWhatHasBegun) {
  static WaitList* gate;
  TestServer test{[](Request&) -> Task<Response> {
    (void)co_await gate->wait();
    co_return Response::text(200, "done");
  }};
  WaitList opened{test.loop};
  gate = &opened;
  test.play([](TestServer& test) -> Task<bool> {
    Client busy{test.loop, test.port()};
    Client idle{test.loop, test.port()};
    co_await busy.send(kHello + head(1, "GET", "/"));
    co_await idle.send(kHello);
    co_await settle(test.loop);
    auto draining = within(test.loop, Deadline::in(5s), test.server.drain(Deadline::in(5s)));
    Group background{test.loop};
    static std::optional<std::optional<Server::Drained>> drained;
    drained.reset();
    background.spawn(detail::keep(std::move(draining), drained));
    co_await idle.read_to_end();
    EXPECT_EQ(idle.goaway, static_cast<std::uint32_t>(NGHTTP2_NO_ERROR));
    gate->notify_all();
    Answer answer = co_await busy.answer(1);
    EXPECT_EQ(answer.body, "done");
    co_await busy.read_to_end();
    EXPECT_EQ(busy.goaway, static_cast<std::uint32_t>(NGHTTP2_NO_ERROR));
    EXPECT_EQ(busy.goaways, 2);  // a warning, and the end
    co_await background.empty(Deadline::in(5s));
    EXPECT_EQ(drained, std::optional(Server::Drained::completely));
    co_return true;
  });
}

TEST(Http2, EndsConnectionsThatAreSilentOrHalfSaid) {
  Limits limits;
  limits.header_timeout = limits.idle_timeout = 50ms;
  TestServer test{echo, limits};
  std::string half = head(1, "GET", "/");
  const std::string cases[] = {kHello, kHello + half.substr(0, half.size() - 1),
                               kHello + head(1, "GET", "/", {}, kEndStream), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                               kHello + head(1, "GET", "/")};
  for (const std::string& one : cases) {
    static std::string sent;
    sent = one;
    test.play([](TestServer& test) -> Task<bool> {
      Client client{test.loop, test.port()};
      co_await client.send(sent);
      co_await client.read_to_end();
      EXPECT_TRUE(client.goaway);
      co_await until(test.loop, [&] { return test.nobody_connected(); });
      co_return true;
    });
  }
}

TEST(Http2, GivesUpABodyThatIsSlowAndAnAnswerThatNobodyTakes) {
  Limits limits;
  limits.transfer_grace = limits.answer_grace = 50ms;
  TestServer test{[](Request&) -> Task<Response> { co_return Response::text(200, std::string(1 << 20, 'x')); }, limits};
  test.play([](TestServer& test) -> Task<bool> {
    Client client{test.loop, test.port()};
    co_await client.send(kHello + head(1, "POST", "/", {}, kEndHeaders) + data(1, "x"));
    Answer late = co_await client.answer(1);
    EXPECT_EQ(late.status(), "408");
    co_await client.send(head(3, "GET", "/"));
    Answer stalled = co_await client.answer(3);
    EXPECT_EQ(stalled.status(), "200");
    EXPECT_EQ(stalled.reset, static_cast<std::uint32_t>(NGHTTP2_CANCEL));
    co_return true;
  });
}

// What a client might do to keep us busy, over and over.
struct Abuse {
  std::string name;
  std::function<std::string(std::uint32_t round)> bytes;
};

TEST(Http2, CutsOffWhoKeepsItBusyAndServesTheOthers) {
  const std::vector<Abuse> abuses = {
      {"rapid reset", [](std::uint32_t i) { return head(2 * i + 1, "POST", "/", {}, kEndHeaders) + reset(2 * i + 1); }},
      {"requests made to be reset",
       [](std::uint32_t i) { return head(2 * i + 1, "POST", "/", {}, kEndHeaders) + window(2 * i + 1, 0x7fffffff); }},
      {"settings", [](std::uint32_t) { return settings(number(3, 2) + number(100, 4)); }},
      {"pings", [](std::uint32_t) { return frame(6, 0, 0, "12345678"); }},
      {"answers to pings", [](std::uint32_t) { return frame(6, 1, 0, "12345678"); }},
      {"priorities", [](std::uint32_t) { return frame(2, 0, 1, number(0, 4) + "x"); }},
      {"windows", [](std::uint32_t) { return window(0, 1); }},
      {"unknown frames", [](std::uint32_t) { return frame(99, 0, 0, ""); }},
      {"empty data",
       [](std::uint32_t i) { return (i == 0 ? head(1, "POST", "/", {}, kEndHeaders) : "") + data(1, ""); }},
      {"continuations",
       [](std::uint32_t i) { return i == 0 ? head(1, "POST", "/", {}, 0) : frame(9, 0, 1, encoded({{"x", "y"}})); }},
      {"empty continuations",
       [](std::uint32_t i) { return i == 0 ? head(1, "POST", "/", {}, 0) : frame(9, 0, 1, ""); }},
  };
  TestServer test;
  for (const Abuse& one : abuses) {
    static const Abuse* abuse;
    abuse = &one;
    test.play([](TestServer& test) -> Task<bool> {
      Client healthy{test.loop, test.port()};
      co_await healthy.send(kHello);
      Client hostile{test.loop, test.port()};
      co_await hostile.send(kHello);
      for (std::uint32_t round = 0; round < 3'000; round += 50) {
        std::string bytes;
        for (std::uint32_t i = round; i < round + 50; ++i) bytes += abuse->bytes(i);
        (void)co_await hostile.try_send(std::move(bytes));
        std::uint32_t id = round / 25 + 1;
        co_await healthy.send(head(id, "GET", "/ok"));
        Answer answer = co_await healthy.answer(id);
        EXPECT_EQ(answer.body, "GET /ok|") << abuse->name;
      }
      co_await hostile.read_to_end();
      EXPECT_EQ(hostile.goaway, static_cast<std::uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM)) << abuse->name;
      co_return true;
    });
  }
}

TEST(Http2, BoundsWhatCompressedHeadersUnpackTo) {
  TestServer test;
  test.play([](TestServer& test) -> Task<bool> {
    Client client{test.loop, test.port()};
    // One large field goes into the table; then each byte stands for it.
    std::string bomb = encoded({{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}});
    bomb += std::string(1, 0x40) + length(1) + "x" + length(3000) + std::string(3000, 'y');
    bomb += std::string(10'000, static_cast<char>(0x80 | 62));
    co_await client.send(kHello + frame(1, kEndHeaders | kEndStream, 1, bomb));
    Answer answer = co_await client.answer(1);
    EXPECT_EQ(answer.status(), "431");
    co_return true;
  });
}

}  // namespace
}  // namespace nuclio::http::frames
