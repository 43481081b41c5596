// SPDX-License-Identifier: Apache-2.0
#include "load/options.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>
#include <string>
#include <vector>

namespace nuclio::load {
namespace {

// What the flags say, before a request is made of it.
struct Said {
  std::string address;
  std::string method = "GET";
  std::string path = "/";
  std::string body;
  std::vector<std::string> headers;
  double connections = 1;
  double rate = 0;
  double seconds = 0;
  double requests = 0;
  double body_size = 0;
  double timeout = 10;
  bool close_each = false;
  bool reconnect = false;
};

struct Flag {
  std::string_view name;
  std::string Said::* text = nullptr;
  std::vector<std::string> Said::* list = nullptr;
  bool Said::* present = nullptr;
  double Said::* number = nullptr;
  double least = 0;
  double most = 0;
  bool whole = false;
};

constexpr Flag kFlags[] = {
    {.name = "address", .text = &Said::address},
    {.name = "method", .text = &Said::method},
    {.name = "path", .text = &Said::path},
    {.name = "body", .text = &Said::body},
    {.name = "header", .list = &Said::headers},
    {.name = "connections", .number = &Said::connections, .least = 1, .most = 20000, .whole = true},
    {.name = "rate", .number = &Said::rate, .least = 0, .most = 1e6},
    {.name = "seconds", .number = &Said::seconds, .least = 0, .most = 3600},
    {.name = "requests", .number = &Said::requests, .least = 0, .most = 1e9, .whole = true},
    {.name = "body-size", .number = &Said::body_size, .least = 0, .most = 64 << 20, .whole = true},
    {.name = "timeout", .number = &Said::timeout, .least = 0.001, .most = 3600},
    {.name = "close-each", .present = &Said::close_each},
    {.name = "reconnect", .present = &Said::reconnect},
};
constexpr std::size_t kMostHeaders = 64;

const Flag* find(std::string_view name) {
  for (const Flag& flag : kFlags)
    if (flag.name == name) return &flag;
  return nullptr;
}

Result<double> parse_number(const Flag& flag, std::string_view text) {
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool read = error == std::errc{} && end == text.data() + text.size();
  if (!read || !(number >= flag.least && number <= flag.most) ||
      (flag.whole && number != static_cast<double>(static_cast<std::uint64_t>(number))))
    return fail(Why::invalid, fmt::format("--{} must be a {}number from {} to {}, is \"{}\"", flag.name,
                                          flag.whole ? "whole " : "", flag.least, flag.most, text));
  return number;
}

Result<void> set(Said& said, const Flag& flag, std::string_view value) {
  if (flag.number) {
    TRY(said.*flag.number, parse_number(flag, value));
  } else if (flag.list) {
    if ((said.*flag.list).size() == kMostHeaders)
      return fail(Why::too_large, fmt::format("--{} may be given {} times", flag.name, kMostHeaders));
    (said.*flag.list).emplace_back(value);
  } else {
    said.*flag.text = value;
  }
  return {};
}

Result<Said> parse(std::span<const char* const> arguments) {
  Said said;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view name = arguments[i];
    std::size_t equals = name.find('=');
    const Flag* flag = name.starts_with("--") ? find(name.substr(2, equals - 2)) : nullptr;
    if (!flag) return fail(Why::invalid, fmt::format("there is no option \"{}\"", name));
    if (flag->present) {
      said.*flag->present = true;
      continue;
    }
    if (equals == std::string_view::npos && i + 1 == arguments.size())
      return fail(Why::invalid, fmt::format("--{} needs a value", flag->name));
    TRY_DO(set(said, *flag, equals == std::string_view::npos ? arguments[++i] : name.substr(equals + 1)));
  }
  return said;
}

Result<sockaddr_in> parse_address(const std::string& text) {
  sockaddr_in address{.sin_family = AF_INET};
  std::size_t colon = text.rfind(':');
  int port = 0;
  if (colon != std::string::npos && inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) == 1) {
    auto [end, error] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port > 65535) port = 0;
  }
  if (port < 1) return fail(Why::invalid, fmt::format("--address must be an IPv4 address and a port, is \"{}\"", text));
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

std::string request(const Said& said) {
  std::string body = said.body.empty() ? std::string(static_cast<std::size_t>(said.body_size), 'x') : said.body;
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", said.method, said.path, said.address);
  for (const std::string& header : said.headers) text += header + "\r\n";
  if (said.close_each) text += "Connection: close\r\n";
  if (!body.empty() || said.method == "POST" || said.method == "PUT")
    text += fmt::format("Content-Length: {}\r\n", body.size());
  return text + "\r\n" + body;
}

std::chrono::nanoseconds seconds(double count) {
  return std::chrono::nanoseconds{static_cast<std::int64_t>(count * 1e9)};
}

}  // namespace

Result<Plan> parse_plan(std::span<const char* const> arguments) {
  TRY(Said said, parse(arguments));
  if (said.seconds == 0 && said.requests == 0)
    return fail(Why::invalid, "--seconds or --requests must say where the run ends");
  Plan plan;
  TRY(plan.server, parse_address(said.address));
  plan.request = request(said);
  plan.head_only = said.method == "HEAD";
  plan.connections = static_cast<unsigned>(said.connections);
  plan.keep_alive = !said.close_each;
  plan.reconnect = said.reconnect;
  plan.rate = said.rate;
  plan.time = seconds(said.seconds);
  plan.requests = static_cast<std::uint64_t>(said.requests);
  plan.timeout = seconds(said.timeout);
  return plan;
}

std::string_view usage() {
  return "usage: load --address IP:PORT (--seconds N | --requests N) [options]\n"
         "Sends HTTP requests and prints what became of them as one JSON object.\n"
         "  --connections N    open at the same time (1)\n"
         "  --rate N           requests a second, due at fixed times whatever the answers do; latencies count from\n"
         "                     then. 0: each connection sends its next request after its answer (0)\n"
         "  --seconds N        during which requests are due\n"
         "  --requests N       in all\n"
         "  --timeout N        seconds for one request (10)\n"
         "  --method NAME      (GET)\n"
         "  --path PATH        (/)\n"
         "  --header TEXT      \"Name: value\"; may be given again\n"
         "  --body TEXT        or\n"
         "  --body-size N      bytes of x\n"
         "  --close-each       a connection for each request\n"
         "  --reconnect        opens a connection again that the server closed\n";
}

}  // namespace nuclio::load
