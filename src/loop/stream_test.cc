// SPDX-License-Identifier: Apache-2.0
#include "loop/stream.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "loop/listener.h"
#include "loop/run.h"

namespace nuclio {
namespace {

using namespace std::chrono_literals;

struct Ends {
  Stream left;
  Stream right;
};

Ends stream_pair(Loop& loop) {
  auto ends = socket_pair();
  return {Stream{loop, std::move(ends->first)}, Stream{loop, std::move(ends->second)}};
}

Task<void> send(Stream& stream, std::string text, bool& sent) {
  auto result = co_await stream.write_all(text, Deadline::in(5s));
  sent = result.has_value();
  stream.shut_down_writing();
}

Task<std::string> read_to_end(Stream& stream) {
  std::string out;
  char buffer[1000];
  for (;;) {
    auto count = co_await stream.read_some(buffer, Deadline::in(5s));
    if (!count || *count == 0) co_return out;
    out.append(buffer, *count);
  }
}

Task<std::string> send_across(Loop& loop, Stream& from, Stream& to, std::string text) {
  Group group{loop};
  bool sent = false;
  group.spawn(send(from, std::move(text), sent));
  std::string got = co_await read_to_end(to);
  EXPECT_TRUE(sent);
  co_return got;
}

TEST(Stream, CarriesMoreThanTheSocketHolds) {
  Loop loop;
  std::string text(3 << 20, 'x');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
  Ends ends = stream_pair(loop);
  EXPECT_TRUE(run_until_done(loop, send_across(loop, ends.left, ends.right, text)) == text);
}

Task<Result<std::size_t>> read_by(Stream& stream, Deadline deadline) {
  char buffer[10];
  co_return co_await stream.read_some(buffer, deadline);
}

TEST(Stream, SaysTimeoutWhenNothingArrives) {
  Loop loop;
  Ends ends = stream_pair(loop);
  auto result = run_until_done(loop, read_by(ends.left, Deadline::in(2ms)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().why, Why::timeout);
}

Task<Result<void>> write_text(Stream& stream, std::string_view text) {
  co_return co_await stream.write_all(text, Deadline::in(5s));
}

TEST(Stream, SaysUnavailableWhenThePeerIsGone) {
  ::signal(SIGPIPE, SIG_IGN);
  Loop loop;
  auto ends = socket_pair();
  Stream left{loop, std::move(ends->first)};
  ends->second.reset();
  auto result = run_until_done(loop, write_text(left, "hello"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().why, Why::unavailable);
  EXPECT_EQ(result.error().what, "writing: Broken pipe");
}

Task<std::string> talk(Loop& loop, Listener& listener) {
  int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<std::uint16_t>(listener.address().port));
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(client, reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
  Stream theirs{loop, Descriptor{client}};
  Descriptor accepted = co_await listener.accept();
  Stream ours{loop, std::move(accepted)};
  co_return co_await send_across(loop, theirs, ours, "over tcp");
}

TEST(Listener, AcceptsOnAPortThatTheKernelChose) {
  Loop loop;
  auto listener = Listener::listen(loop, *parse_address("127.0.0.1:0"));
  ASSERT_TRUE(listener) << listener.error().what;
  EXPECT_GT(listener->address().port, 0);
  EXPECT_EQ(run_until_done(loop, talk(loop, *listener)), "over tcp");
}

TEST(Listener, ListensOnAllAddressesWithoutAHost) {
  Loop loop;
  auto listener = Listener::listen(loop, *parse_address(":0"));
  ASSERT_TRUE(listener) << listener.error().what;
  EXPECT_EQ(run_until_done(loop, talk(loop, *listener)), "over tcp");
}

TEST(Listener, NamesTheAddressThatIsTaken) {
  Loop loop;
  auto first = Listener::listen(loop, *parse_address("127.0.0.1:0"));
  auto second = Listener::listen(loop, first->address());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().why, Why::conflict);
  EXPECT_EQ(second.error().what,
            "cannot listen on " + first->address().text() + ": the port is in use by another process");
}

struct AddressCase {
  const char* text;
  const char* shown;  // or the complaint
};

class ParseAddress : public testing::TestWithParam<AddressCase> {};

TEST_P(ParseAddress, ReadsHostAndPortOrSaysWhatIsWrong) {
  auto address = parse_address(GetParam().text);
  EXPECT_EQ(address ? address->text() : address.error().what, GetParam().shown);
}

INSTANTIATE_TEST_SUITE_P(Table, ParseAddress,
                         testing::Values(AddressCase{":8080", ":8080"}, AddressCase{"127.0.0.1:0", "127.0.0.1:0"},
                                         AddressCase{"[::1]:80", "[::1]:80"},
                                         AddressCase{"unix:/run/x.sock", "unix:/run/x.sock"},
                                         AddressCase{"8080", "address must be host:port or :port, is \"8080\""},
                                         AddressCase{":http", "port must be a number from 0 to 65535, is \"http\""},
                                         AddressCase{":65536", "port must be a number from 0 to 65535, is \"65536\""},
                                         AddressCase{"unix:", "address \"unix:\" lacks the path of the socket"}));

}  // namespace
}  // namespace nuclio
