// SPDX-License-Identifier: Apache-2.0
#include "http/proxies.h"

#include <gtest/gtest.h>

namespace nuclio::http {
namespace {

TEST(Proxies, AreReadFromTheEnvironmentAndSmallLettersWin) {
  const Proxies proxies = proxies_of({"HTTPS_PROXY=http://big:1", "https_proxy=http://small:1",
                                      "ALL_PROXY=http://all:1", "no_proxy= a , b ", "PATH=/bin"});
  EXPECT_EQ(proxies.https, "http://small:1");
  EXPECT_EQ(proxies.http, "http://all:1");
  EXPECT_EQ(proxies.except, "a , b");
  EXPECT_EQ(proxies_of({"https_proxy=http://small:1", "HTTPS_PROXY=http://big:1"}).https, "http://small:1");
  EXPECT_EQ(proxies_of({}).http, "");
}

TEST(Proxies, AreAskedForAllButThisMachineAndTheExceptions) {
  const Proxies proxies{"http://plain:1", "http://tls:1",
                        "registry.local, .corp.example,*.wild.example, 10.1.0.0/16, ported:5000, 192.0.2.7, [fd00::1]"};
  const struct {
    const char* url;
    const char* proxy;
  } cases[] = {
      {"https://docker.io/v2/", "http://tls:1"},
      {"http://docker.io:80", "http://plain:1"},
      {"https://registry.local/v2/", ""},
      {"https://REGISTRY.local./v2/", ""},
      {"https://a.registry.local/", ""},
      {"https://myregistry.local/", "http://tls:1"},
      {"https://corp.example/", ""},
      {"https://x.y.corp.example:8443/", ""},
      {"https://a.wild.example/", ""},
      {"https://10.1.200.3:5000/v2/", ""},
      {"https://10.2.0.3/", "http://tls:1"},
      {"https://ported:5000/", ""},
      {"https://ported/", "http://tls:1"},
      {"https://192.0.2.7/", ""},
      {"https://[fd00::1]:5000/", ""},
      {"https://user:secret@registry.local/", ""},
      {"http://localhost:5000/", ""},
      {"http://127.1.2.3/", ""},
      {"http://[::1]:5000/", ""},
      {"not a url", ""},
  };
  for (const auto& each : cases) EXPECT_EQ(proxy_for(proxies, each.url), each.proxy) << each.url;
  EXPECT_EQ(proxy_for({"", "http://tls:1", "*"}, "https://docker.io/"), "");
}

TEST(Proxies, DecideWhatARequestThroughThemReaches) {
  ClientRequest request{.url = "https://docker.io/"};
  request.reach = Reach::beyond_this_machine;
  go_through(request, {"", "", ""});
  EXPECT_EQ(request.reach, Reach::beyond_this_machine);
  go_through(request, {"", "http://127.0.0.1:3128", ""});
  EXPECT_EQ(request.proxy, "http://127.0.0.1:3128");
  EXPECT_EQ(request.reach, Reach::anywhere);
}

}  // namespace
}  // namespace nuclio::http
