// SPDX-License-Identifier: Apache-2.0
#include "builder/remote_sandbox.h"

#include <gmock/gmock.h>

#include "base/test_folder.h"
#include "builder/commands_server.h"
#include "http/server.h"
#include "loop/run.h"

namespace nuclio::builder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr const char* kToken = "0123456789abcdef";

// Says what it was told, and how a test wants it to go.
class FakeSandbox final : public CommandsSandbox {
 public:
  explicit FakeSandbox(Loop& loop) : loop_(loop) {}
  std::string_view kind() const override { return kProot; }
  Task<Result<SandboxOutcome>> run(const SandboxJob& job, const Output& output, Deadline deadline) override {
    ++runs;
    for (const auto* layers : {&job.job.layers, &job.job.over}) {
      for (const std::string& layer : *layers) {
        std::ifstream file(layer, std::ios::binary);
        std::ostringstream text;
        text << file.rdbuf();
        received.push_back(text.str());
      }
    }
    for (const std::string& command : job.job.commands) output.log("RUN " + command + "\n");
    for (int i = 0; i < lines; ++i) {
      output.log("a line of the log\n");
      if (i % 100 == 0) co_await loop_.yield();
    }
    if (hangs) {
      co_await loop_.sleep(deadline.left());
      co_return fail(Why::timeout, "the commands took too long");
    }
    if (auto done = output.tar(tar); !done) co_return fail(done.error());
    co_return outcome;
  }

  int runs = 0;
  int lines = 0;
  bool hangs = false;
  std::string tar = "the tar";
  SandboxOutcome outcome;
  std::vector<std::string> received;

 private:
  Loop& loop_;
};

class Remote : public ::testing::Test {
 protected:
  void serve(std::chrono::milliseconds idle = 60s, Deadline deadline = Deadline::never()) {
    auto listener = Listener::listen(loop_, {.host = "127.0.0.1", .port = 0, .unix_path = ""});
    ASSERT_TRUE(listener);
    url_ = "http://" + listener->address().text();
    CommandsServerOptions options;
    options.folder = folder_.path();
    options.token = kToken;
    options.idle = idle;
    options.deadline = deadline;
    commands_.emplace(loop_, fake_, std::move(options));
    http::Limits limits;
    limits.body_bytes = kLayerPiece;
    server_.emplace(loop_, limits, *commands_);
    server_->serve(std::move(*listener));
  }
  Result<SandboxOutcome> run(Deadline deadline = Deadline::in(20s)) {
    RemoteSandbox remote{client_, url_, kToken};
    CommandsSandbox::Output output;
    output.log = [this](std::string_view bytes) { log_ += bytes; };
    output.tar = [this](std::string_view bytes) -> Result<void> {
      tar_ += bytes;
      return {};
    };
    return run_until_done(loop_, remote.run(job_, output, deadline));
  }
  http::ClientResponse ask(std::string method, const std::string& path, std::string body = "",
                           const std::string& token = kToken) {
    http::ClientRequest request;
    request.method = std::move(method);
    request.url = url_ + path;
    request.body = std::move(body);
    if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
    auto answer = run_until_done(loop_, client_.fetch(std::move(request), Deadline::in(10s)));
    EXPECT_TRUE(answer) << answer.error().what;
    return answer ? std::move(*answer) : http::ClientResponse{};
  }
  bool is_over(std::chrono::milliseconds within_time) {
    return run_until_done(loop_, within(loop_, Deadline::in(within_time), commands_->over())).has_value();
  }

  TestFolder folder_;
  TestFolder layers_;
  Loop loop_;
  http::Client client_{loop_};
  FakeSandbox fake_{loop_};
  std::optional<CommandsServer> commands_;
  std::optional<http::Server> server_;
  std::string url_;
  SandboxJob job_{.job = {.commands = {"echo hello"}}, .cache = "/ours/alone"};
  std::string log_;
  std::string tar_;
};

TEST_F(Remote, GetsLayersOfAnySizeAndGivesLogOutcomeAndLayerBack) {
  std::string large(2 * kLayerPiece.count + 1000, 'l');
  large.back() = 'x';
  job_.job.layers = {layers_.write("one", large), layers_.write("two", "small")};
  job_.job.over = {layers_.write("three", "over")};
  fake_.tar.assign(3'000'000, 't');
  serve();
  auto outcome = run();
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_FALSE(outcome->error);
  EXPECT_FALSE(outcome->failed);
  EXPECT_THAT(fake_.received, ElementsAre(large, "small", "over"));
  EXPECT_EQ(log_, "RUN echo hello\n");
  EXPECT_EQ(tar_, fake_.tar);
  EXPECT_TRUE(is_over(5s));
}

TEST_F(Remote, TellsHowACommandFailed) {
  fake_.outcome.failed = FailedCommand{0, {.code = 3}};
  serve();
  auto outcome = run();
  ASSERT_TRUE(outcome) << outcome.error().what;
  ASSERT_TRUE(outcome->failed);
  EXPECT_EQ(outcome->failed->status.code, 3);
  EXPECT_EQ(tar_, "");
  EXPECT_TRUE(is_over(5s));
}

TEST_F(Remote, LogsAreCompleteWhenTheyAreRead) {
  fake_.lines = 200'000;
  serve();
  ASSERT_TRUE(run());
  EXPECT_EQ(log_.size(), std::string("RUN echo hello\n").size() + 200'000 * std::string("a line of the log\n").size());
}

TEST_F(Remote, EndsAtTheDeadlineOfEither) {
  fake_.hangs = true;
  serve(60s, Deadline::in(300ms));
  auto outcome = run();
  ASSERT_TRUE(outcome) << outcome.error().what;
  ASSERT_TRUE(outcome->error);
  EXPECT_EQ(outcome->error->why, Why::timeout);

  server_.reset();
  serve();
  auto late = run(Deadline::in(300ms));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().why, Why::timeout);
}

TEST_F(Remote, ServesOnlyWhoHasTheToken) {
  serve();
  for (const std::string token : {"", "0123456789abcdeg", "0123456789abcdef0", "0"}) {
    const auto answer = ask("POST", "/run", sandbox_job_text(job_), token);
    EXPECT_EQ(answer.status, 401) << token;
    EXPECT_THAT(answer.body, HasSubstr("token"));
  }
  EXPECT_EQ(ask("PUT", "/layers/0", "text", "wrong-wrong-wrong").status, 401);
  EXPECT_FALSE(folder_.has("layer-0"));
  EXPECT_EQ(fake_.runs, 0);
  EXPECT_EQ(ask("GET", "/ready", "", "").status, 200);
}

TEST_F(Remote, RunsOneJobAlone) {
  serve();
  EXPECT_EQ(ask("GET", "/outcome").status, 409);
  EXPECT_EQ(ask("GET", "/layer").status, 409);
  EXPECT_EQ(ask("POST", "/run", sandbox_job_text(job_)).status, 202);
  const auto again = ask("POST", "/run", sandbox_job_text(job_));
  EXPECT_EQ(again.status, 409);
  EXPECT_THAT(again.body, HasSubstr("has begun"));
  EXPECT_EQ(ask("PUT", "/layers/0", "text").status, 409);
  EXPECT_EQ(fake_.runs, 1);
}

TEST_F(Remote, SaysWhatIsWrongWithARequest) {
  serve();
  EXPECT_THAT(ask("PUT", "/layers/../x", "text").status, 404);
  EXPECT_THAT(ask("PUT", "/layers/one", "text").body, HasSubstr("must be from 0 to 499, is"));
  EXPECT_THAT(ask("PUT", "/layers/0?from=x", "text").body, HasSubstr("number of bytes"));
  EXPECT_EQ(ask("PUT", "/layers/0", "text").status, 200);
  const auto gap = ask("PUT", "/layers/0?from=5", "text");
  EXPECT_EQ(gap.status, 409);
  EXPECT_THAT(gap.body, HasSubstr("there are 4 bytes"));
  EXPECT_EQ(ask("POST", "/run", "{}").status, 400);
  job_.job.layers = {"0", "7"};
  EXPECT_THAT(ask("POST", "/run", sandbox_job_text(job_)).body, HasSubstr("layer \\\"7\\\" was not sent"));
  job_.job.layers = {"/etc/passwd"};
  EXPECT_EQ(ask("POST", "/run", sandbox_job_text(job_)).status, 400);
  EXPECT_EQ(fake_.runs, 0);
}

TEST_F(Remote, IsOverWhenNobodyComes) {
  fake_.hangs = true;
  serve(200ms, Deadline::in(60s));
  EXPECT_EQ(ask("POST", "/run", sandbox_job_text(job_)).status, 202);
  {
    // Who follows the log is there, however little it says.
    http::ClientRequest follow;
    follow.url = url_ + "/log";
    follow.headers.add("Authorization", std::string("Bearer ") + kToken);
    auto log = run_until_done(loop_, client_.open(std::move(follow), Deadline::in(5s)));
    ASSERT_TRUE(log) << log.error().what;
    EXPECT_FALSE(is_over(800ms));
  }
  EXPECT_TRUE(is_over(5s));
}

}  // namespace
}  // namespace nuclio::builder
