// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "http/router.h"
#include "http/test_server.h"
#include "loop/wait_list.h"

namespace nuclio::http {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

struct TestClient {
  explicit TestClient(Answers::Function function = echo) : test(std::move(function)) {}
  Result<ClientResponse> fetch(ClientRequest request, std::chrono::milliseconds time = 5s) {
    return run_until_done(test.loop, client.fetch(std::move(request), Deadline::in(time)));
  }
  TestServer test;
  Client client{test.loop};
};

Task<Response> everything(Request& request) {
  std::string text = std::string(request.method) + " " + std::string(request.target) + "\n";
  for (Header field : request.headers)
    if (field.name != "Host") text += std::string(field.name) + ": " + std::string(field.value) + "\n";
  Response response = Response::text(201, text + "\n" + std::string(request.body), "text/x");
  response.headers.add("X-Two", "1");
  response.headers.add("X-Two", "2");
  co_return response;
}

TEST(Client, SendsWhatItWasGivenAndNothingElse) {
  TestClient client{everything};
  struct {
    ClientRequest request;
    std::string seen;
  } table[] = {
      {{}, "GET /a%20b/../c?d=%26\nUser-Agent: nuclio\n\n"},
      {{.headers = {{"X-A", "1"}, {"X-A", "2"}, {"Empty", ""}, {"Accept", "x/y"}, {"User-Agent", "me"}}},
       "GET /a%20b/../c?d=%26\nX-A: 1\nX-A: 2\nEmpty: \nAccept: x/y\nUser-Agent: me\n\n"},
      {{.method = "POST", .body = "hello"}, "POST /a%20b/../c?d=%26\nUser-Agent: nuclio\nContent-Length: 5\n\nhello"},
      {{.method = "POST"}, "POST /a%20b/../c?d=%26\nUser-Agent: nuclio\nContent-Length: 0\n\n"},
      {{.method = "GET", .headers = {{"Content-Length", "77"}, {"Connection", "close"}}, .body = "x"},
       "GET /a%20b/../c?d=%26\nUser-Agent: nuclio\nContent-Length: 1\n\nx"},
      {{.method = "BREW", .headers = {{"Content-Type", "application/json"}}, .body = "{}"},
       "BREW /a%20b/../c?d=%26\nContent-Type: application/json\nUser-Agent: nuclio\nContent-Length: 2\n\n{}"},
  };
  for (auto& item : table) {
    item.request.url = client.test.url("/a%20b/../c?d=%26");
    auto response = client.fetch(item.request);
    ASSERT_TRUE(response) << response.error().what;
    EXPECT_EQ(response->status, 201);
    EXPECT_EQ(response->body, item.seen);
    EXPECT_EQ(response->headers.get("content-type"), "text/x");
    EXPECT_THAT(response->headers.text(), HasSubstr("X-Two: 1\r\nX-Two: 2\r\n"));
  }
  EXPECT_EQ(client.test.server.connections(), 1u);  // used again each time
}

TEST(Client, TakesAConnectionOfItsOwnWhereOneIsWanted) {
  TestClient client;
  ASSERT_TRUE(client.fetch({.url = client.test.url("/")}));
  for (int i = 0; i < 2; ++i) {
    auto response = client.fetch({.url = client.test.url("/"), .connections = Connections::of_its_own});
    ASSERT_TRUE(response) << response.error().what;
  }
  // Those two are closed; the first was kept.
  ASSERT_TRUE(client.fetch({.url = client.test.url("/")}));
  EXPECT_EQ(client.test.server.connections(), 1u);
}

TEST(Client, CarriesLargeBodiesBothWays) {
  TestClient client;
  std::string body(3 << 20, 'b');
  auto response = client.fetch({.method = "PUT", .url = client.test.url("/"), .body = body});
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_TRUE(response->body == "PUT /|" + body);
}

TEST(Client, TakesAnyStatusForAnAnswerAndFollowsNothing) {
  TestClient client{[](Request&) -> Task<Response> {
    Response response = Response::empty(302);
    response.headers.add("Location", "/elsewhere");
    co_return response;
  }};
  auto response = client.fetch({.url = client.test.url("/")});
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(response->headers.get("Location"), "/elsewhere");
  auto head = client.fetch({.method = "HEAD", .url = client.test.url("/")});
  ASSERT_TRUE(head) << head.error().what;
  EXPECT_EQ(head->body, "");
}

TEST(Client, SaysWhatWentWrong) {
  TestClient client;
  int free_port = 0;
  {
    Loop loop;
    auto listener = Listener::listen(loop, Address{"127.0.0.1", 0, ""});
    free_port = listener->address().port;
  }
  std::string nobody = "http://127.0.0.1:" + std::to_string(free_port);
  struct {
    ClientRequest request;
    Why why;
    std::string what;
  } table[] = {
      {{.url = nobody + "/x?token=s"}, Why::unavailable, "GET " + nobody + "/x: connection refused"},
      {{.url = "http://me:secret@127.0.0.1:" + std::to_string(free_port) + "/x"},
       Why::unavailable,
       "GET " + nobody + "/x: connection refused"},
      {{.url = "file:///etc/passwd"}, Why::invalid, "GET file:///etc/passwd: Protocol \"file\" not supported"},
      {{.url = "http://a b/"}, Why::invalid, "GET http://a b/: the URL contains a blank or a control character"},
      {{.method = "GET / HTTP/1.1\r\nX:", .url = nobody}, Why::invalid, "the method must be a token such as GET"},
      {{.url = ""}, Why::invalid, "GET : "},
      {{.url = nobody, .unix_socket = "/nonexistent/socket"}, Why::unavailable, "GET " + nobody + ": "},
  };
  for (auto& item : table) {
    auto response = client.fetch(item.request);
    ASSERT_FALSE(response) << item.what;
    EXPECT_EQ(response.error().why, item.why) << response.error().what;
    EXPECT_THAT(response.error().what, HasSubstr(item.what));
  }
}

TEST(Client, WaitsForOneWhoIsAboutToListen) {
  Loop loop;
  Client client{loop};
  Address address{"127.0.0.1", 0, ""};
  address.port = Listener::listen(loop, address)->address().port;
  ClientRequest request{.url = "http://127.0.0.1:" + std::to_string(address.port) + "/"};
  request.refused_patience = std::chrono::milliseconds{300};
  const auto begin = std::chrono::steady_clock::now();
  auto response = run_until_done(loop, client.fetch(request, Deadline::in(std::chrono::seconds{10})));
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().what, HasSubstr("connection refused"));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds{300});

  request.refused_patience = std::chrono::seconds{10};
  std::optional<Listener> listener;
  Group group{loop};
  group.spawn([](Loop& loop, const Address& address, std::optional<Listener>& listener) -> Task<void> {
    co_await loop.sleep(std::chrono::milliseconds{150});
    listener.emplace(*Listener::listen(loop, address));
  }(loop, address, listener));
  // It listens, and never answers: that is another matter.
  response = run_until_done(loop, client.fetch(request, Deadline::in(std::chrono::milliseconds{900})));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().why, Why::timeout) << response.error().what;
  EXPECT_TRUE(listener);
}

TEST(Client, BoundsTheAnswer) {
  TestClient client;
  ClientRequest request{.method = "POST", .url = client.test.url("/"), .body = std::string(1000, 'x')};
  request.max_body = Bytes{1007};
  EXPECT_TRUE(client.fetch(request));
  request.max_body = Bytes{1006};
  auto response = client.fetch(request);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().why, Why::too_large);
}

struct GatedClient {
  TestClient client{[this](Request&) { return answer_late(gate); }};
  WaitList gate{client.test.loop};

  static Task<Response> answer_late(WaitList& gate) {
    (void)co_await gate.wait();
    co_return Response::text(200, "late");
  }
};

TEST(Client, DoesNotWaitLongerThanItsDeadline) {
  GatedClient gated;
  auto response = gated.client.fetch({.url = gated.client.test.url("/")}, 30ms);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().why, Why::timeout);
  EXPECT_THAT(response.error().what, HasSubstr("/: no answer came in time"));
}

Task<bool> cancel_one_of_two(GatedClient& gated) {
  Loop& loop = gated.client.test.loop;
  ClientRequest request{.url = gated.client.test.url("/")};
  std::optional<Result<ClientResponse>> kept;
  Group group{loop};
  group.spawn(detail::keep(gated.client.client.fetch(request, Deadline::in(5s)), kept));
  auto cancelled = co_await within(loop, Deadline::in(10ms), gated.client.client.fetch(request, Deadline::never()));
  EXPECT_FALSE(cancelled);
  gated.gate.notify_all();
  bool over = co_await group.empty(Deadline::in(5s));
  EXPECT_TRUE(over);
  co_return kept && *kept && (*kept)->body == "late";
}

TEST(Client, CanBeCancelled) {
  GatedClient gated;
  EXPECT_TRUE(run_until_done(gated.client.test.loop, cancel_one_of_two(gated)));
}

// Counts up in pieces of 64 KiB.
struct Flow {
  int given = 0;
  int end = 0;
  WaitList* gate = nullptr;  // before the second piece
};
class Numbers final : public BodySource {
 public:
  explicit Numbers(Flow& flow) : flow_(flow) {}
  Task<Result<std::optional<std::string>>> next() override {
    if (flow_.given == 1 && flow_.gate) (void)co_await flow_.gate->wait();
    if (flow_.given == flow_.end) co_return std::optional<std::string>{};
    co_return std::string(64 << 10, static_cast<char>('a' + flow_.given++ % 26));
  }

 private:
  Flow& flow_;
};
Task<Response> numbers(Flow& flow) {
  Response response;
  response.body = std::make_unique<Numbers>(flow);
  co_return response;
}

Task<bool> read_slowly(TestClient& client, Flow& flow) {
  ClientRequest request{.url = client.test.url("/")};
  auto stream = co_await client.client.open(request, Deadline::in(5s));
  if (!stream) co_return false;
  EXPECT_EQ(stream->status, 200);
  co_await settle(client.test.loop);
  EXPECT_LT(flow.given, flow.end);  // it waits for us
  std::size_t size = 0;
  for (;;) {
    auto piece = co_await stream->body->next();
    if (!piece) co_return false;
    if (!*piece) break;
    size += (*piece)->size();
  }
  co_return size == static_cast<std::size_t>(flow.end) * (64 << 10);
}

TEST(Client, StreamsWithBackPressure) {
  Flow flow{.end = 1000};
  TestClient client{[&flow](Request&) { return numbers(flow); }};
  EXPECT_TRUE(run_until_done(client.test.loop, read_slowly(client, flow)));
}

Task<bool> first_piece_then_leave(TestClient& client, Flow& flow) {
  {
    ClientRequest request{.url = client.test.url("/")};
    auto stream = co_await client.client.open(request, Deadline::in(5s));
    if (!stream) co_return false;
    auto piece = co_await stream->body->next();
    EXPECT_TRUE(piece && *piece);
    EXPECT_EQ(flow.given, 1);
  }
  co_await until(client.test.loop, [&] { return client.test.nobody_connected(); });
  co_return true;
}

TEST(Client, GivesPiecesAsTheyComeAndEndsATransferThatNobodyWants) {
  Flow flow{.end = 10};
  TestClient client{[&flow](Request&) { return numbers(flow); }};
  WaitList gate{client.test.loop};
  flow.gate = &gate;
  EXPECT_TRUE(run_until_done(client.test.loop, first_piece_then_leave(client, flow)));
}

Task<Response> pass_on(Client& client, std::string url) {
  ClientRequest request{.url = std::move(url)};
  auto upstream = co_await client.open(request, Deadline::in(5s));
  if (!upstream) co_return Response::error(upstream.error());
  Response response{upstream->status, std::move(upstream->headers), {}};
  response.body = std::move(upstream->body);
  co_return response;
}

TEST(Client, PassesAnAnswerOn) {
  TestClient client;
  Answers proxy{
      [&client](Request& request) { return pass_on(client.client, client.test.url(std::string(request.target))); }};
  Server front{client.test.loop, Limits{}, proxy};
  front.serve(std::move(*Listener::listen(client.test.loop, Address{"127.0.0.1", 0, ""})));
  std::string url = "http://127.0.0.1:" + std::to_string(front.addresses().front().port) + "/through?x";
  auto response = client.fetch({.url = url});
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->body, "GET /through?x|");
  EXPECT_EQ(response->headers.get("Content-Type"), "text/plain");
}

TEST(Client, SpeaksOverUnixSockets) {
  TestClient client;
  std::string path = testing::TempDir() + "nuclio-client-" + std::to_string(getpid()) + ".sock";
  auto listener = Listener::listen(client.test.loop, Address{"", 0, path});
  ASSERT_TRUE(listener) << listener.error().what;
  client.test.server.serve(std::move(*listener));
  auto response = client.fetch({.url = "http://localhost/over", .unix_socket = path});
  std::filesystem::remove(path);
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->body, "GET /over|");
}

TEST(Client, SendsAPartOfAFile) {
  TestClient client;
  std::string path = (std::filesystem::temp_directory_path() / "nuclio-part-XXXXXX").string();
  Descriptor file{::mkstemp(path.data())};
  std::filesystem::remove(path);
  const std::string text = std::string(100'000, 'a') + std::string(200'000, 'b') + "tail";
  ASSERT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  auto request = [&](std::uint64_t offset, std::uint64_t size) {
    ClientRequest made{.method = "PATCH", .url = client.test.url("/")};
    made.file = FilePart{file.get(), offset, Bytes{size}};
    return made;
  };
  auto part = client.fetch(request(99'999, 200'002));
  ASSERT_TRUE(part) << part.error().what;
  EXPECT_EQ(part->body, "PATCH /|" + text.substr(99'999, 200'002));
  auto nothing = client.fetch(request(5, 0));
  ASSERT_TRUE(nothing) << nothing.error().what;
  EXPECT_EQ(nothing->body, "PATCH /|");
  auto too_much = client.fetch(request(300'000, 50));
  ASSERT_FALSE(too_much);
  EXPECT_THAT(too_much.error().what, HasSubstr("the file that is sent could not be read"));
}

TEST(Client, IsNotLedToWhatOnlyThisMachineReaches) {
  TestClient client;
  const std::string port = std::to_string(client.test.port());
  ASSERT_TRUE(client.fetch({.url = client.test.url("/")}));  // a connection that could be used again
  for (const std::string& host :
       {std::string("127.0.0.1"), std::string("localhost"), std::string("[::1]"), std::string("[::ffff:127.0.0.1]"),
        std::string("0.0.0.0"), std::string("127.9.9.9"), std::string("169.254.169.254"), std::string("[fe80::1]"),
        std::string("2130706433"), std::string("100.100.100.200"), std::string("168.63.129.16"),
        std::string("[fd00:ec2::254]"), std::string("[64:ff9b::7f00:1]"), std::string("[2002:7f00:1::]"),
        std::string("[::127.0.0.1]")}) {
    ClientRequest request{.url = "http://" + host + ":" + port + "/"};
    request.reach = Reach::beyond_this_machine;
    auto response = client.fetch(std::move(request));
    ASSERT_FALSE(response) << host;
    EXPECT_EQ(response.error().why, Why::forbidden) << response.error().what;
  }
  ClientRequest request{.url = client.test.url("/")};
  request.reach = Reach::not_link_local;
  EXPECT_TRUE(client.fetch(request));
  request.url = "http://169.254.169.254:" + port + "/";
  auto response = client.fetch(request);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().why, Why::forbidden) << response.error().what;
}

}  // namespace
}  // namespace nuclio::http
