// SPDX-License-Identifier: Apache-2.0
#include "platform/kube/pod_log.h"

#include <optional>

#include "platform/kube/names.h"

namespace nuclio::platform::kube {
namespace {

using namespace std::chrono_literals;
constexpr auto kAnswerTime = 30s;

std::string path(const k8s::ObjectName& pod, const LogRequest& request) {
  std::string out = k8s::path_of(k8s::kPods, pod.namespace_name, pod.name, "log");
  out += "?container=" + std::string(kContainer);
  if (request.follow) out += "&follow=true";
  if (request.tail_lines) out += "&tailLines=" + std::to_string(*request.tail_lines);
  if (request.since) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*request.since);
    out += "&sinceSeconds=" + std::to_string(std::max<std::int64_t>(seconds.count(), 1));
  }
  return out;
}

class PodLog final : public http::BodySource {
 public:
  PodLog(k8s::Api& api, std::string path) : api_(api), path_(std::move(path)) {}
  Task<Result<std::optional<std::string>>> next() override {
    if (!stream_) {
      auto stream = co_await api_.open(path_, Deadline::in(kAnswerTime), Deadline::never());
      if (!stream) co_return std::unexpected(std::move(stream).error());
      stream_ = std::move(*stream);
    }
    co_return co_await stream_->body->next();
  }

 private:
  k8s::Api& api_;
  std::string path_;
  std::optional<http::ClientStream> stream_;
};

}  // namespace

std::unique_ptr<http::BodySource> read_pod_log(k8s::Api& api, k8s::ObjectName pod, const LogRequest& request) {
  return std::make_unique<PodLog>(api, path(pod, request));
}

}  // namespace nuclio::platform::kube
