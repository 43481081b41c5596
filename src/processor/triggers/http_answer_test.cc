// SPDX-License-Identifier: Apache-2.0
#include "processor/triggers/http_answer.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "loop/run.h"

namespace nuclio::processor {
namespace {

std::string body(const http::Response& response) { return std::get<std::string>(response.body); }

http::Response answer(Response response, ExposeErrors expose = ExposeErrors::yes) {
  return http_answer(std::move(response), expose);
}

TEST(HttpAnswer, IsTheHandlers) {
  Response response;
  response.status = 201;
  response.content_type = "application/json";
  response.headers = {{"X-One", "1"}, {"Set-Cookie", "a"}, {"Set-Cookie", "b"}, {"content-type", "text/other"}};
  response.body = "{}";
  auto out = answer(std::move(response));
  EXPECT_EQ(out.status, 201);
  EXPECT_EQ(out.headers.text(), "Content-Type: application/json\r\nX-One: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n");
  EXPECT_EQ(body(out), "{}");
}

TEST(HttpAnswer, TakesTheContentTypeFromTheHeadersWhenThereIsNoOther) {
  Response response;
  response.headers = {{"content-type", "text/css"}};
  response.body = "a {}";
  EXPECT_EQ(answer(std::move(response)).headers.text(), "content-type: text/css\r\n");
}

TEST(HttpAnswer, IsPlainTextWhenNobodySaysWhatItIs) {
  Response response;
  response.body = "text";
  EXPECT_EQ(answer(std::move(response)).headers.get("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_FALSE(answer(Response{}).headers.has("Content-Type"));
}

struct NoAnswer {
  Why why;
  int status;
  const char* exposed;
  const char* hidden;
};

TEST(HttpAnswer, SaysWhyThereIsNone) {
  const NoAnswer table[] = {
      {Why::busy, 503, "", ""},
      {Why::timeout, 408, R"({"error": "handler timed out"})", R"({"error": "handler timed out"})"},
      {Why::unavailable, 502, "inner secret", "the worker ended before it answered the event; its log says more"},
      {Why::too_large, 413, "inner secret", "the event is too large"},
      {Why::internal, 500, "inner secret", "the event could not be handled; the function's log says more"},
  };
  for (const NoAnswer& row : table) {
    auto exposed = http_answer(fail(row.why, "inner secret"), ExposeErrors::yes);
    auto hidden = http_answer(fail(row.why, "inner secret"), ExposeErrors::no);
    EXPECT_EQ(exposed.status, row.status);
    EXPECT_EQ(hidden.status, row.status);
    EXPECT_EQ(body(exposed), row.exposed);
    EXPECT_EQ(body(hidden), row.hidden);
    EXPECT_EQ(exposed.headers.has("Retry-After"), row.why == Why::busy);
    EXPECT_EQ(exposed.headers.get("Content-Type"), row.why == Why::busy ? "" : "text/plain; charset=utf-8");
  }
}

Response raised() {
  Response response;
  response.status = 500;
  response.failure = HandlerFailure{"Exception caught in handler - \"oops\"", "Traceback: line 7"};
  return response;
}

TEST(HttpAnswer, ShowsHowTheHandlerFailedWhenItMay) {
  auto out = answer(raised());
  EXPECT_EQ(out.status, 500);
  EXPECT_EQ(out.headers.get("Content-Type"), "text/plain");
  EXPECT_EQ(body(out), "Exception caught in handler - \"oops\": Traceback: line 7");
}

TEST(HttpAnswer, HidesHowTheHandlerFailedWhenItMustNot) {
  auto out = answer(raised(), ExposeErrors::no);
  EXPECT_EQ(out.status, 500);
  EXPECT_EQ(body(out), "the function failed; its log says more");
}

TEST(HttpAnswer, KeepsStatusBodyAndHeadersThatTheFailureBrought) {
  Response response = raised();
  response.status = 409;
  response.body = "taken";
  response.content_type = "text/x";
  response.headers = {{"X-Why", "because"}};
  auto out = answer(std::move(response), ExposeErrors::no);
  EXPECT_EQ(out.status, 409);
  EXPECT_EQ(body(out), "taken");
  EXPECT_EQ(out.headers.text(), "Content-Type: text/x\r\nX-Why: because\r\n");
}

TEST(HttpAnswer, SendsNoHeaderThatSplitsTheResponse) {
  const std::pair<const char*, const char*> table[] = {
      {"X-One", "a\r\nSet-Cookie: b"}, {"X-One", "a\nb"}, {"X One", "a"}, {"X-One:", "a"}, {"", "a"}};
  for (auto [name, value] : table) {
    Response response;
    response.headers = {{name, value}};
    response.body = "body";
    auto out = answer(std::move(response));
    EXPECT_EQ(out.status, 500);
    EXPECT_EQ(body(out).find("the handler's answer cannot be sent: the header"), 0u) << body(out);
    EXPECT_EQ(out.headers.text(), "Content-Type: text/plain; charset=utf-8\r\n");
  }
  Response response;
  response.content_type = "text/plain\r\nX: y";
  EXPECT_EQ(answer(std::move(response), ExposeErrors::no).status, 500);
}

TEST(HttpAnswer, SendsNoInterimStatus) {
  Response response;
  response.status = 100;
  EXPECT_EQ(body(answer(std::move(response))),
            "the handler's answer cannot be sent: status 100 is not between 200 and 999");
}

class TwoPieces final : public http::BodySource {
 public:
  Task<Result<std::optional<std::string>>> next() override {
    if (left_ == 0) co_return std::nullopt;
    co_return std::to_string(left_--);
  }

 private:
  int left_ = 2;
};

Task<std::string> all(http::BodySource& source) {
  std::string text;
  for (;;) {
    auto piece = co_await source.next();
    if (!piece || !*piece) co_return text;
    text += **piece + ";";
  }
}

TEST(HttpAnswer, StreamsWhatIsStillBeingMade) {
  for (const char* first : {"", "0"}) {
    Response response;
    response.body = first;
    response.more = std::make_unique<TwoPieces>();
    auto out = answer(std::move(response));
    Loop loop;
    auto text = run_until_done(loop, all(*std::get<std::unique_ptr<http::BodySource>>(out.body)));
    EXPECT_EQ(text, *first ? "0;2;1;" : "2;1;");
  }
}

class FileAnswer : public testing::Test {
 protected:
  FileAnswer() { std::filesystem::create_directory(folder_); }
  ~FileAnswer() override { std::filesystem::remove_all(folder_); }

  http::Response stream(const std::string& path, const char* after, ExposeErrors expose = ExposeErrors::yes) {
    Response response;
    response.content_type = "image/png";
    response.body = "not this";
    response.headers = {{"x-nuclio-filestream-path", path}, {"X-nuclio-filestream-delete-after-send", after}};
    return answer(std::move(response), expose);
  }
  std::string folder_ = testing::TempDir() + "file_answer_" + std::to_string(getpid());
  std::string path_ = folder_ + "/file";
};

TEST_F(FileAnswer, PutsTheFileInPlaceOfTheBody) {
  std::ofstream{path_} << "content";
  {
    auto out = stream(path_, "false");
    EXPECT_EQ(out.status, 200);
    EXPECT_EQ(out.headers.text(), "Content-Type: image/png\r\n");
    EXPECT_EQ(std::get<http::FileBody>(out.body).size(), Bytes{7});
  }
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(FileAnswer, DeletesTheFileOnceItIsSent) {
  std::ofstream{path_} << "content";
  {
    auto out = stream(path_, "true");
    EXPECT_TRUE(std::filesystem::exists(path_));
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(FileAnswer, SendsRegularFilesAlone) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  for (const std::string& path : {folder_ + "/missing", folder_, path_}) {
    auto out = stream(path, "true");
    EXPECT_EQ(out.status, 404) << path;
    EXPECT_NE(body(out).find(path), std::string::npos) << body(out);
    EXPECT_EQ(body(stream(path, "true", ExposeErrors::no)), "file not found");
  }
  EXPECT_TRUE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace nuclio::processor
