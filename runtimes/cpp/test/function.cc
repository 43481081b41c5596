// SPDX-License-Identifier: Apache-2.0
// The function that the runner's tests run, one handler: the event's path says what it does.
#include <nuclio/nuclio.h>

#include <stdexcept>
#include <string>

namespace {

void init_context(nuclio::Context& context) {
  if (context.trigger_name() == "broken") throw std::runtime_error("the trigger is broken");
  context.logger.info("initialised", {{"worker", context.worker_id()}});
  context.on_drain([&context] { context.logger.info("drained"); });
  context.on_terminate([&context] { context.logger.info("terminated"); });
}
NUCLIO_INIT(init_context)

// Everything that a handler can see of an event, an attribute a line.
std::string described(const nuclio::Event& event) {
  std::string text;
  const auto line = [&](std::string_view name, std::string_view value) {
    (text += name) += '=';
    (text += value) += '\n';
  };
  line("id", event.id());
  line("method", event.method());
  line("path", event.path());
  line("url", event.url());
  line("content_type", event.content_type());
  line("trigger_kind", event.trigger_kind());
  line("trigger_name", event.trigger_name());
  line("type", event.type());
  line("type_version", event.type_version());
  line("version", event.version());
  line("topic", event.topic());
  line("shard_id", std::to_string(event.shard_id()));
  line("num_shards", std::to_string(event.num_shards()));
  line("offset", std::to_string(event.offset()));
  line("timestamp_ns", std::to_string(event.timestamp().time_since_epoch().count()));
  line("limited", event.time_left() ? "yes" : "no");
  for (const auto [name, value] : event.headers()) line("header " + std::string(name), value);
  for (const auto [name, value] : event.fields()) line("field " + std::string(name), value);
  line("body", event.body());
  return text;
}

nuclio::Response handler(nuclio::Context& context, const nuclio::Event& event) {
  const std::string_view path = event.path();
  if (path == "/log") {
    context.logger.warn("a line", {{"n", 1}});
    return "logged";
  }
  if (path == "/teapot") throw nuclio::Error(418, "short and stout");
  if (path == "/raise") throw std::logic_error("impossible");
  if (path == "/headers") return nuclio::Response("h").header("X-A", "1").header("X-B", "2");
  if (path == "/large") return std::string(std::stoul(std::string(event.body())), 'x');
  if (path == "/stream" || path == "/broken-stream") {
    auto response = nuclio::Response::stream([path](nuclio::Writer& writer) {
      writer.write("two ");
      if (path == "/broken-stream") throw std::runtime_error("lost the source");
      writer.write("three");
    });
    response.status = 206;
    response.body = "one ";
    return response;
  }
  if (path == "/until-gone") {
    context.logger.info("waiting");
    while (!context.gone()) {
    }
    return "gave up";
  }
  if (path == "/endless") {
    return nuclio::Response::stream([&context](nuclio::Writer& writer) {
      while (writer.write("more")) {
      }
      context.logger.info("nobody reads");
    });
  }
  return described(event);
}
NUCLIO_HANDLER(handler)

}  // namespace
