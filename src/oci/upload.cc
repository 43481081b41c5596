// SPDX-License-Identifier: Apache-2.0
#include "oci/upload.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "oci/range.h"

namespace nuclio::oci {
namespace {

Call begin_call(const Exchange& exchange, const std::string& repository) {
  Call call;
  call.method = "POST";
  call.url = exchange.url(repository + "/blobs/uploads/");
  call.access = {Access::Action::push, repository, ""};
  return call;
}

// Where an upload goes on: the Location of each answer to it.
Result<Url> session_of(const Exchange& exchange, const Answer& answer) {
  auto url = resolve(exchange.home(), answer.headers.get("Location"));
  if (!url)
    return fail(std::move(url).error().in("the registry " + exchange.registry() + " does not say where to upload"));
  // A registry behind a proxy that ends TLS may not know of it.
  if (url->authority == exchange.home().authority) url->scheme = exchange.home().scheme;
  if (url->scheme == "http" && exchange.home().scheme == "https")
    return fail(Why::forbidden, "the registry " + exchange.registry() + " wants uploads in plain text, at http://" +
                                    url->authority + "; that is not done");
  return url;
}

Task<void> cancel(Exchange& exchange, const std::string& repository, const Answer& begun, Deadline deadline) {
  const auto session = session_of(exchange, begun);
  if (!session) co_return;
  Call call = begin_call(exchange, repository);
  call.method = "DELETE";
  call.url = session->text();
  // Not all registries can; those forget it by themselves.
  (void)co_await exchange.send_once(call, deadline);
}

// One blob on its way into a registry. A step that breaks leaves a state from which the next one goes on.
class Upload {
 public:
  Upload(Exchange& exchange, const std::string& repository, const Blob& blob, const std::string& text, int file)
      : exchange_(exchange),
        repository_(repository),
        blob_(blob),
        text_(text),
        file_(file),
        in_parts_(blob.size > exchange.options().chunk) {}

  Task<Result<void>> run(Deadline deadline);

 private:
  enum class Step { done, broken };
  Task<Result<Step>> go_on(Deadline deadline);
  Task<Result<bool>> begin(Deadline deadline);
  Task<Result<bool>> find_out(Deadline deadline);
  Task<Result<bool>> send_part(std::uint64_t size, Deadline deadline);
  Task<Result<Step>> send_whole(Deadline deadline);
  Task<Result<bool>> send(const Call& call, int wanted, Deadline deadline);
  Result<bool> go_on_at(std::uint64_t sent);
  void set_body(Call& call, std::uint64_t offset, std::uint64_t size) const;

  Exchange& exchange_;
  const std::string& repository_;
  const Blob& blob_;
  const std::string& text_;
  int file_;  // -1: the bytes are text_
  std::optional<Url> session_;
  std::uint64_t sent_ = 0;
  std::uint64_t furthest_ = 0;  // that sent_ has been
  bool in_parts_;
  bool doubtful_ = false;     // the registry may have more than we know
  bool maybe_there_ = false;  // the end was sent, and no answer came
  Answer answer_;
  Error broken_{Why::unavailable, ""};
};

void Upload::set_body(Call& call, std::uint64_t offset, std::uint64_t size) const {
  call.moves = Bytes{size};
  call.headers.add("Content-Type", "application/octet-stream");
  if (file_ < 0) {
    call.body = text_.substr(offset, size);
  } else {
    call.file = http::FilePart{file_, offset, Bytes{size}};
  }
}

// True when the answer is the one that was wanted. False when it may be another one later, or from the start.
Task<Result<bool>> Upload::send(const Call& call, int wanted, Deadline deadline) {
  answer_ = {};
  auto answer = co_await exchange_.send_once(call, deadline);
  if (!answer) {
    broken_ = std::move(answer).error();
    if (!http::passes(broken_)) co_return fail(std::move(broken_));
    co_return false;
  }
  answer_ = std::move(*answer);
  if (answer_.status == wanted) co_return true;
  broken_ = exchange_.unexpected(call, answer_);
  // One that does not say how far it has come has forgotten it, or cannot say.
  const bool says_nothing = call.method == "GET" && !http::passes(answer_.status);
  const bool lost = session_ && (answer_.status == 404 || answer_.status == 416 || says_nothing);
  // Not all registries take a blob in parts; those get it in one.
  const bool no_parts = call.method == "PATCH" && (answer_.status == 400 || answer_.status == 405 ||
                                                   answer_.status == 415 || answer_.status == 501);
  if (no_parts) in_parts_ = false;
  if (lost || no_parts) session_.reset();
  if (!lost && !no_parts && !http::passes(answer_.status)) co_return fail(std::move(broken_));
  co_return false;
}

Task<Result<bool>> Upload::begin(Deadline deadline) {
  const Call call = begin_call(exchange_, repository_);
  CO_TRY(const bool begun, co_await send(call, 202, deadline));
  if (!begun) co_return false;
  CO_TRY(session_, session_of(exchange_, answer_));
  sent_ = 0;
  doubtful_ = false;
  co_return true;
}

Result<bool> Upload::go_on_at(std::uint64_t sent) {
  if (sent > blob_.size.count) {
    broken_ = {Why::unavailable, "the registry " + exchange_.registry() + " says that it has more than was sent"};
    session_.reset();
    return false;
  }
  TRY(session_, session_of(exchange_, answer_));
  sent_ = sent;
  doubtful_ = false;
  return true;
}

Task<Result<bool>> Upload::find_out(Deadline deadline) {
  Call call = begin_call(exchange_, repository_);
  call.method = "GET";
  call.url = session_->text();
  CO_TRY(const bool known, co_await send(call, 204, deadline));
  const auto received = range_received(answer_.headers.get("Range"));
  if (known && received) co_return go_on_at(*received);
  if (known) session_.reset();  // it does not say, so that only the start is certain
  co_return false;
}

Task<Result<bool>> Upload::send_part(std::uint64_t size, Deadline deadline) {
  Call call = begin_call(exchange_, repository_);
  call.method = "PATCH";
  call.url = session_->text();
  call.headers.add("Content-Range", std::to_string(sent_) + "-" + std::to_string(sent_ + size - 1));
  set_body(call, sent_, size);
  doubtful_ = true;
  CO_TRY(const bool taken, co_await send(call, 202, deadline));
  if (!taken) co_return false;
  co_return go_on_at(range_received(answer_.headers.get("Range")).value_or(sent_ + size));
}

// Ends the upload with the rest of the bytes: all of them, or none.
Task<Result<Upload::Step>> Upload::send_whole(Deadline deadline) {
  Call call = begin_call(exchange_, repository_);
  call.method = "PUT";
  call.url = session_->text();
  add_query(call.url, "digest", blob_.digest.text());
  set_body(call, sent_, blob_.size.count - sent_);
  maybe_there_ = true;
  CO_TRY(const bool taken, co_await send(call, 201, deadline));
  if (taken) co_return Step::done;
  session_.reset();
  co_return Step::broken;
}

Task<Result<Upload::Step>> Upload::go_on(Deadline deadline) {
  if (std::exchange(maybe_there_, false)) {
    Call call = begin_call(exchange_, repository_);
    call.method = "HEAD";
    call.url = exchange_.url(repository_ + "/blobs/" + blob_.digest.text());
    auto there = co_await exchange_.send_once(call, deadline);
    if (there && there->status == 200) co_return Step::done;
  }
  if (!session_) {
    CO_TRY(const bool begun, co_await begin(deadline));
    if (!begun) co_return Step::broken;
  }
  if (doubtful_) {
    CO_TRY(const bool known, co_await find_out(deadline));
    if (!known) co_return Step::broken;
  }
  const std::uint64_t chunk = exchange_.options().chunk.count;
  while (in_parts_ && sent_ < blob_.size.count) {
    CO_TRY(const bool taken, co_await send_part(std::min(chunk, blob_.size.count - sent_), deadline));
    if (!taken) co_return Step::broken;
  }
  co_return co_await send_whole(deadline);
}

Task<Result<void>> Upload::run(Deadline deadline) {
  http::Backoff backoff{exchange_.loop(), exchange_.options().retry, deadline};
  for (;;) {
    CO_TRY(const Step step, co_await go_on(deadline));
    if (step == Step::done) co_return Result<void>{};
    const auto asked = http::retry_after(answer_.headers);
    const bool again = co_await backoff.again(asked);
    if (!again) co_return fail(std::move(broken_));
    // Who gets on has not used an attempt up.
    if (sent_ > furthest_) backoff.begin_anew();
    furthest_ = std::max(furthest_, sent_);
  }
}

}  // namespace

Task<Result<void>> try_upload(Exchange& exchange, std::string repository, Deadline deadline) {
  const Call call = begin_call(exchange, repository);
  const std::string doing = "checking that images may be pushed to " + exchange.registry() + "/" + repository;
  auto answer = co_await exchange.send_once(call, deadline);
  // A login that is missing or wrong says all there is to say.
  if (!answer && answer.error().why == Why::forbidden) co_return fail(std::move(answer).error());
  if (!answer) co_return fail(std::move(answer).error().in(doing));
  if (answer->status == 403) co_return fail(exchange.unexpected(call, *answer));
  if (answer->status == 404)
    co_return fail(Why::not_found, doing +
                                       ": the registry has no such repository and makes none by itself; make it "
                                       "there first, or check the name");
  if (answer->status != 202) co_return fail(exchange.unexpected(call, *answer).in(doing));
  co_await cancel(exchange, repository, *answer, deadline);
  co_return Result<void>{};
}

Task<Result<bool>> mount(Exchange& exchange, std::string repository, Digest digest, std::string from,
                         Deadline deadline) {
  Call call = begin_call(exchange, repository);
  call.access.mount_from = from;
  add_query(call.url, "mount", digest.text());
  add_query(call.url, "from", from);
  auto answer = co_await exchange.send(call, deadline);
  // Who may not read there cannot mount from there; whether pushing is allowed is for the upload to say.
  if (!answer && answer.error().why == Why::forbidden) co_return false;
  if (!answer) co_return fail(std::move(answer).error());
  if (answer->status == 202) co_await cancel(exchange, repository, *answer, deadline);
  co_return answer->status == 201;
}

Task<Result<void>> upload(Exchange& exchange, std::string repository, Blob blob,
                          std::variant<std::string, BlobFile> bytes, Deadline deadline) {
  const std::string doing = "pushing the blob " + blob.digest.text() + " to " + exchange.registry() + "/" + repository;
  Descriptor file;
  std::uint64_t size = 0;
  std::string text;
  if (const auto* named = std::get_if<BlobFile>(&bytes)) {
    file = Descriptor{::open(named->path.c_str(), O_RDONLY | O_CLOEXEC)};
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0) co_return fail(errno_error(doing + ": " + named->path, errno));
    size = static_cast<std::uint64_t>(status.st_size);
  } else {
    text = std::move(std::get<std::string>(bytes));
    size = text.size();
  }
  if (size != blob.size.count)
    co_return fail(Why::conflict,
                   doing + ": it must have " + std::to_string(blob.size.count) + " bytes, has " + std::to_string(size));
  Upload upload{exchange, repository, blob, text, file.get()};
  auto done = co_await upload.run(deadline);
  if (!done) co_return fail(std::move(done).error().in(doing));
  co_return Result<void>{};
}

}  // namespace nuclio::oci
