// SPDX-License-Identifier: Apache-2.0
#include "http/tls.h"

#include <fstream>

#include "http/test_tls.h"

namespace nuclio::http {
namespace {

using namespace std::chrono_literals;

// play() keeps the lambda until its task is done.
// NOLINTBEGIN(cppcoreguidelines-avoid-capturing-lambda-coroutines)

constexpr const char* kGet = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr const char* kLastGet = "GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

struct TlsServer : TestServer {
  explicit TlsServer(Answers::Function function = echo, Limits limits = {}, TlsOptions options = {})
      : TestServer(std::move(function), limits) {
    write_certificate(folder / "tls.crt", folder / "tls.key");
    options.certificate = folder / "tls.crt";
    options.key = folder / "tls.key";
    auto loaded = Tls::load(options);
    EXPECT_TRUE(loaded) << loaded.error().what;
    tls = std::move(*loaded);
    auto listener = Listener::listen(loop, Address{"127.0.0.1", 0, ""});
    EXPECT_TRUE(listener) << listener.error().what;
    server.serve(std::move(*listener), tls.get());
  }
  template <class Script>
  void play(Script script) {
    EXPECT_TRUE(run_until_done(loop, script(*this)));
  }
  int tls_port() const { return server.addresses().back().port; }

  Folder folder;
  std::unique_ptr<Tls> tls;
};

TEST(Tls, CarriesRequestsAndAnswersOfOneConnection) {
  TlsServer server;
  server.play([](TlsServer& test) -> Task<bool> {
    TlsPeer peer{test.loop, test.tls_port()};
    bool shaken = co_await peer.handshake();
    EXPECT_TRUE(shaken);
    for (int i = 0; i < 3; ++i) {
      co_await peer.send(kGet);
      std::string answer = co_await peer.read_until("GET /a|");
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    }
    co_await peer.send(std::string(kGet) + kLastGet);
    std::string answers = co_await peer.read_until("");
    EXPECT_NE(answers.find("GET /a|HTTP/1.1 200 OK"), std::string::npos) << answers;
    EXPECT_TRUE(peer.ended_well());
    co_return true;
  });
}

TEST(Tls, CarriesLargeBodiesBothWays) {
  TlsServer server{[](Request& request) -> Task<Response> {
    co_return Response::text(200, std::string(request.body), "text/plain");
  }};
  server.play([](TlsServer& test) -> Task<bool> {
    TlsPeer peer{test.loop, test.tls_port()};
    bool shaken = co_await peer.handshake();
    EXPECT_TRUE(shaken);
    std::string body(3 << 20, 'x');
    for (std::size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('a' + i % 26);
    std::string head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ";
    co_await peer.send(head + std::to_string(body.size()) + "\r\n\r\n" + body);
    std::string answer = co_await peer.read_until("");
    EXPECT_TRUE(body_of(answer) == body) << body_of(answer).size();
    co_return true;
  });
}

TEST(Tls, SendsAFile) {
  Folder folder;
  std::string path = folder / "file";
  std::string content(1'000'003, 'f');
  std::ofstream(path) << content << std::flush;
  TlsServer server{[path](Request&) -> Task<Response> {
    Response response = Response::empty(200);
    response.body = std::move(*FileBody::open(path));
    co_return response;
  }};
  server.play([&](TlsServer& test) -> Task<bool> {
    TlsPeer peer{test.loop, test.tls_port()};
    bool shaken = co_await peer.handshake();
    EXPECT_TRUE(shaken);
    co_await peer.send(kLastGet);
    std::string answer = co_await peer.read_until("");
    EXPECT_TRUE(body_of(answer) == content) << body_of(answer).size();
    co_return true;
  });
}

TEST(Tls, TellsAPlainHttpClientWhatThePortSpeaks) {
  TlsServer server;
  server.play([](TlsServer& test) -> Task<bool> {
    Peer peer{test.loop, test.tls_port()};
    co_await peer.send(kGet);
    std::string answer = co_await peer.read_to_end();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 Bad Request\r\n")) << answer;
    EXPECT_EQ(body_of(answer), "This port speaks HTTPS, and the request was plain HTTP.\n");
    co_return true;
  });
}

TEST(Tls, ClosesWhatIsNeitherTlsNorHttp) {
  TlsServer server;
  server.play([](TlsServer& test) -> Task<bool> {
    Peer peer{test.loop, test.tls_port()};
    co_await peer.send(std::string("\x16\x03\x01garbage that is no handshake"));
    (void)co_await peer.read_to_end();  // an alert, perhaps
    co_await until(test.loop, [&] { return test.nobody_connected(); });
    co_return true;
  });
}

TEST(Tls, GivesUpAHandshakeThatTakesTooLong) {
  Limits limits;
  limits.handshake_timeout = 50ms;
  TlsServer server{echo, limits};
  server.play([](TlsServer& test) -> Task<bool> {
    Peer silent{test.loop, test.tls_port()};
    Peer slow{test.loop, test.tls_port()};
    co_await slow.send("\x16\x03");
    std::string to_silent = co_await silent.read_to_end();
    std::string to_slow = co_await slow.read_to_end();
    EXPECT_EQ(to_silent + to_slow, "");
    co_return true;
  });
}

TEST(Tls, AgreesOnAProtocolByAlpn) {
  struct Case {
    std::string offered;
    bool http2;
    bool shaken;
    std::string chosen;
  };
  for (const Case& one : {Case{"h2", true, true, "h2"}, Case{"http/1.1", true, true, "http/1.1"},
                          Case{"http/1.1", false, true, "http/1.1"}, Case{"", true, true, ""},
                          Case{"h2", false, false, ""}, Case{"smtp", true, false, ""}}) {
    TlsServer server{echo, {}, {.http2 = one.http2}};
    server.play([&one](TlsServer& test) -> Task<bool> {
      TlsPeer peer{test.loop, test.tls_port(), {.alpn = one.offered}};
      bool shaken = co_await peer.handshake();
      EXPECT_EQ(shaken, one.shaken) << one.offered;
      if (shaken) EXPECT_EQ(peer.protocol(), one.chosen);
      co_return true;
    });
  }
}

TEST(Tls, RefusesVersionsThatAreTooOld) {
  struct Case {
    TlsVersion minimum;
    int newest;
    bool shaken;
  };
  for (const Case& one :
       {Case{TlsVersion::v1_2, TLS1_1_VERSION, false}, Case{TlsVersion::v1_2, TLS1_2_VERSION, true},
        Case{TlsVersion::v1_3, TLS1_2_VERSION, false}, Case{TlsVersion::v1_3, TLS1_3_VERSION, true}}) {
    TlsServer server{echo, {}, {.minimum_version = one.minimum}};
    server.play([&one](TlsServer& test) -> Task<bool> {
      TlsPeer peer{test.loop, test.tls_port(), {.newest = one.newest}};
      bool shaken = co_await peer.handshake();
      EXPECT_EQ(shaken, one.shaken);
      co_return true;
    });
  }
}

TEST(Tls, LetsAClientDoNoRenegotiation) {
  TlsServer server;
  server.play([](TlsServer& test) -> Task<bool> {
    TlsPeer peer{test.loop, test.tls_port(), {.newest = TLS1_2_VERSION}};
    bool shaken = co_await peer.handshake();
    EXPECT_TRUE(shaken);
    SSL_renegotiate(peer.ssl());
    bool again = co_await peer.handshake();
    EXPECT_FALSE(again);
    co_return true;
  });
}

TEST(Tls, AsksForAClientCertificateWhenThereAreAuthorities) {
  Folder clients;
  write_certificate(clients / "known.crt", clients / "known.key");
  write_certificate(clients / "other.crt", clients / "other.key");
  TlsServer server{echo, {}, {.client_ca = clients / "known.crt"}};
  server.play([&](TlsServer& test) -> Task<bool> {
    for (std::string name : {"known", "other", ""}) {
      TlsClientOptions options;
      if (!name.empty()) {
        options.certificate = clients / (name + ".crt");
        options.key = clients / (name + ".key");
      }
      TlsPeer peer{test.loop, test.tls_port(), options};
      (void)co_await peer.handshake();  // TLS 1.3 tells a client of its refusal when it reads
      std::string answer;
      if (SSL_is_init_finished(peer.ssl())) {
        co_await peer.send(kLastGet);
        answer = co_await peer.read_until("");
      }
      EXPECT_EQ(answer.starts_with("HTTP/1.1 200"), name == "known") << name << ": " << answer;
    }
    co_return true;
  });
}

Task<long> serial_shown_by(TlsServer& test) {
  TlsPeer peer{test.loop, test.tls_port()};
  bool shaken = co_await peer.handshake();
  EXPECT_TRUE(shaken);
  co_return peer.serial();
}

TEST(Tls, ShowsARenewedCertificateToNewConnectionsAndKeepsTheOthers) {
  TlsServer server;
  server.play([](TlsServer& test) -> Task<bool> {
    Group background{test.loop};
    background.spawn(test.tls->follow_files(test.loop));
    TlsPeer before{test.loop, test.tls_port()};
    bool shaken = co_await before.handshake();
    EXPECT_TRUE(shaken);

    write_certificate(test.folder / "tls.crt", test.folder / "tls.key");
    Deadline end = Deadline::in(5s);
    long shown = before.serial();
    while (shown == before.serial() && !end.passed()) shown = co_await serial_shown_by(test);
    EXPECT_NE(shown, before.serial());
    co_await before.send(kLastGet);
    std::string answer = co_await before.read_until("");
    EXPECT_EQ(body_of(answer), "GET /a|");
    co_return true;
  });
}

TEST(Tls, KeepsTheCertificateWhenItsFilesHaveBecomeUseless) {
  TlsServer server;
  server.play([](TlsServer& test) -> Task<bool> {
    long before = co_await serial_shown_by(test);
    std::ofstream(test.folder / "tls.key") << "half a renewal" << std::flush;
    EXPECT_FALSE(test.tls->reload());
    long after = co_await serial_shown_by(test);
    EXPECT_EQ(after, before);
    co_return true;
  });
}

TEST(Tls, SaysWhatIsWrongWithItsFiles) {
  Folder folder;
  write_certificate(folder / "a.crt", folder / "a.key");
  write_certificate(folder / "b.crt", folder / "b.key");
  std::ofstream(folder / "text") << "this is no PEM" << std::flush;
  struct Case {
    std::string certificate, key, client_ca;
    Why why;
    std::string what;
  };
  auto in = [&](const std::string& name) { return folder / name; };
  for (const Case& one : {
           Case{"none.crt", "a.key", "", Why::not_found, "reading the certificate " + in("none.crt")},
           Case{"a.crt", "none.key", "", Why::not_found, "reading the key " + in("none.key")},
           Case{"a.crt", "b.key", "", Why::invalid,
                "the key " + in("b.key") + " does not belong to the certificate " + in("a.crt")},
           Case{"text", "a.key", "", Why::invalid, "the certificate " + in("text") + " cannot be used"},
           Case{"a.crt", "text", "", Why::invalid, "the key " + in("text") + " cannot be used"},
           Case{"a.crt", "a.key", "text", Why::invalid, "the client authorities " + in("text") + " cannot be used"},
           Case{"a.crt", "a.key", "none", Why::not_found, "reading the file of client authorities " + in("none")},
       }) {
    TlsOptions options{in(one.certificate), in(one.key), one.client_ca.empty() ? "" : in(one.client_ca)};
    auto loaded = Tls::load(options);
    ASSERT_FALSE(loaded) << one.what;
    EXPECT_EQ(loaded.error().why, one.why) << loaded.error().what;
    EXPECT_TRUE(loaded.error().what.starts_with(one.what)) << loaded.error().what;
  }
}

TEST(Tls, ServesWithAnExpiredCertificate) {
  Folder folder;
  write_certificate(folder / "old.crt", folder / "old.key", -1);
  auto loaded = Tls::load({folder / "old.crt", folder / "old.key"});
  EXPECT_TRUE(loaded);
}

// NOLINTEND(cppcoreguidelines-avoid-capturing-lambda-coroutines)

}  // namespace
}  // namespace nuclio::http
