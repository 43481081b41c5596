// SPDX-License-Identifier: Apache-2.0
#include "processor/native_worker.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>

#include "base/check.h"
#include "base/log.h"
#include "loop/wait_list.h"
#include "processor/job.h"

namespace nuclio::processor {
namespace {

// Pieces of a streamed answer that are made ahead of whoever takes them; then the handler waits.
constexpr std::size_t kReadAhead = 256 << 10;
constexpr std::size_t kFirstTexts = 1024;  // of events; what it grows to it keeps
// For a stream to end that nobody wants any more.
constexpr std::chrono::seconds kSettling{1};

std::string_view view(nuclio_text text) { return {text.data ? text.data : "", text.data ? text.size : 0}; }
std::string string(nuclio_text text) { return std::string{view(text)}; }
nuclio_text text(std::string_view from) { return {from.data(), from.size()}; }

}  // namespace

// What the object may still look at or call when its worker is gone already: a thread that is inside of it cannot be
// stopped. Shared by the worker and by its side threads.
struct NativeSlot {
  NativeSlot(const nuclio_module_table& module, const FunctionLog& function_log, WorkerIdentity worker)
      : table(module), log(function_log), identity(std::move(worker)) {}
  const nuclio_module_table& table;
  const FunctionLog& log;
  WorkerIdentity identity;
  void* worker = nullptr;
  std::string open_error;

  // Of the call that is going on. The event is a copy, since a stream goes on when its trigger's buffers are gone.
  std::unique_ptr<char[]> texts;
  std::size_t texts_capacity = 0;
  std::vector<nuclio_pair> pairs;
  nuclio_event event{};
  Deadline deadline = Deadline::never();
  CollectedLogs shipped;
  Response response;  // made where it is, since it is large and moving it costs
  bool answered = false;
  bool more = false;

  std::string_view event_id() const { return {event.id.data, event.id.size}; }

  // Of its stream, under the mutex.
  std::mutex mutex;
  std::condition_variable room;
  std::deque<std::string> pieces;
  std::size_t piece_bytes = 0;
  bool unwanted = false;
  bool stream_over = false;
  std::optional<HandlerFailure> stream_failure;
  std::function<void()> tell_reader;  // from the stream's thread; null once nobody reads

  void forget_stream() {
    pieces.clear();
    piece_bytes = 0;
    unwanted = false;
    stream_over = false;
    stream_failure.reset();
  }
};

namespace {

std::unexpected<Error> took_too_long(const NativeSlot& slot) {
  return fail(Why::timeout, "event " + std::string{slot.event_id()} + " took longer than its eventTimeout");
}

// The call that this thread is in, so that a line it logs is known to belong to it.
thread_local NativeSlot* calling = nullptr;

class Calling {
 public:
  explicit Calling(NativeSlot& slot) { calling = &slot; }
  ~Calling() { calling = nullptr; }
};

NativeSlot& slot_of(void* pointer) { return *static_cast<NativeSlot*>(pointer); }

log::Level level_of(std::int32_t level) {
  if (level <= NUCLIO_DEBUG) return log::Level::debug;
  if (level == NUCLIO_INFO) return log::Level::info;
  return level == NUCLIO_WARN ? log::Level::warn : log::Level::error;
}

void on_log(void* host, std::int32_t level, nuclio_text message, nuclio_text variables) {
  NativeSlot& slot = slot_of(host);
  bool in_call = calling == &slot;
  // A stream's lines come too late to be shipped.
  CollectedLogs* shipped = in_call && !slot.more ? &slot.shipped : nullptr;
  slot.log.line(slot.identity, in_call ? slot.event_id() : "", shipped, level_of(level),
                std::chrono::system_clock::now(), view(message), view(variables));
}

void on_open_failed(void* host, const nuclio_failure* failure) {
  std::string what = string(failure->message);
  if (failure->traceback.size) what += "\n" + string(failure->traceback);
  slot_of(host).open_error = std::move(what);
}

int status_of(std::int32_t status, int otherwise) { return status >= 100 && status <= 999 ? status : otherwise; }

void on_reply(void* call, const nuclio_reply* reply) {
  NativeSlot& slot = slot_of(call);
  Response& response = slot.response;
  response.status = status_of(reply->status, 500);
  response.content_type = view(reply->content_type);
  response.body = view(reply->body);
  response.headers.clear();
  for (std::size_t i = 0; i < reply->headers.size; ++i)
    response.headers.emplace_back(string(reply->headers.data[i].name), string(reply->headers.data[i].value));
  slot.more = reply->more != 0;
  slot.answered = true;
}

void on_fail(void* call, const nuclio_failure* failure) {
  NativeSlot& slot = slot_of(call);
  HandlerFailure told{string(failure->message), string(failure->traceback)};
  if (slot.more) {
    std::lock_guard lock(slot.mutex);
    slot.stream_failure = std::move(told);
    return;
  }
  slot.log.failure(slot.identity, slot.event_id(), &slot.shipped, told);
  slot.response = Response{.status = status_of(failure->status, 500),
                           .content_type = string(failure->content_type),
                           .body = string(failure->body),
                           .failure = std::move(told)};
  slot.answered = true;
}

std::int32_t on_write(void* call, nuclio_text piece) {
  NativeSlot& slot = slot_of(call);
  std::unique_lock lock(slot.mutex);
  slot.room.wait(lock, [&] { return slot.unwanted || slot.piece_bytes < kReadAhead; });
  if (slot.unwanted) return 0;
  slot.pieces.emplace_back(view(piece));
  slot.piece_bytes += piece.size;
  slot.tell_reader();
  return 1;
}

std::int32_t on_gone(void* call) {
  NativeSlot& slot = slot_of(call);
  std::lock_guard lock(slot.mutex);
  return slot.unwanted || slot.deadline.passed();
}

constexpr nuclio_host kHost{.size = sizeof(nuclio_host),
                            .log = on_log,
                            .open_failed = on_open_failed,
                            .reply = on_reply,
                            .fail = on_fail,
                            .write = on_write,
                            .gone = on_gone};

// Copies the event's text into memory of the slot that is used again and again.
void set_event(NativeSlot& slot, const Event& event, Deadline deadline) {
  std::size_t size = event.id.size() + event.method.size() + event.path.size() + event.url.size() +
                     event.content_type.size() + event.trigger_kind.size() + event.trigger_name.size() +
                     event.type.size() + event.type_version.size() + event.version.size() + event.topic.size() +
                     event.body.size();
  for (const auto& pairs : {event.headers, event.fields})
    for (const wire::Pair& pair : pairs) size += pair.name.size() + pair.value.size();
  if (size > slot.texts_capacity) {
    slot.texts_capacity = std::max(size, kFirstTexts);
    slot.texts = std::make_unique_for_overwrite<char[]>(slot.texts_capacity);
  }
  slot.pairs.clear();
  slot.pairs.reserve(event.headers.size() + event.fields.size());
  char* end = slot.texts.get();
  auto keep = [&](std::string_view from) {
    if (from.empty()) return nuclio_text{};
    std::memcpy(end, from.data(), from.size());
    return nuclio_text{std::exchange(end, end + from.size()), from.size()};
  };
  auto keep_pairs = [&](std::span<const wire::Pair> from) {
    std::size_t begin = slot.pairs.size();
    for (const wire::Pair& pair : from) {
      nuclio_text name = keep(pair.name);
      slot.pairs.push_back({name, keep(pair.value)});
    }
    return nuclio_pairs{slot.pairs.data() + begin, from.size()};
  };
  slot.event.size = sizeof(nuclio_event);
  slot.event.id = keep(event.id);
  slot.event.method = keep(event.method);
  slot.event.path = keep(event.path);
  slot.event.url = keep(event.url);
  slot.event.content_type = keep(event.content_type);
  slot.event.trigger_kind = keep(event.trigger_kind);
  slot.event.trigger_name = keep(event.trigger_name);
  slot.event.type = keep(event.type);
  slot.event.type_version = keep(event.type_version);
  slot.event.version = keep(event.version);
  slot.event.topic = keep(event.topic);
  slot.event.headers = keep_pairs(event.headers);
  slot.event.fields = keep_pairs(event.fields);
  slot.event.body = keep(event.body);
  slot.event.timestamp_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(event.timestamp.time_since_epoch()).count();
  slot.event.deadline_ns = deadline.is_never() ? 0 : deadline.when().time_since_epoch().count();
  slot.event.shard_id = event.shard_id;
  slot.event.num_shards = event.num_shards;
  slot.event.offset = event.offset;
}

}  // namespace

// The rest of an answer that the handler makes on a thread of its own.
class NativeBody final : public http::BodySource {
 public:
  NativeBody(NativeWorker& worker, Deadline deadline);
  ~NativeBody() override;
  Task<Result<std::optional<std::string>>> next() override;

 private:
  // A piece that is there already, the end, or nothing yet.
  std::optional<Result<std::optional<std::string>>> ready();

  // Shared with messages that are on their way to the loop while the body goes.
  struct Reader {
    explicit Reader(Loop& loop) : changed(loop) {}
    WaitList changed;
  };
  NativeWorker& worker_;
  NativeSlot& slot_;
  Deadline deadline_;
  std::shared_ptr<Reader> reader_;
};

NativeBody::NativeBody(NativeWorker& worker, Deadline deadline)
    : worker_(worker), slot_(*worker.slot_), deadline_(deadline), reader_(std::make_shared<Reader>(worker.loop_)) {
  std::weak_ptr<Reader> reader = reader_;
  slot_.tell_reader = [&loop = worker.loop_, reader] {
    loop.post([reader] {
      if (auto still = reader.lock()) still->changed.notify_all();
    });
  };
  worker.side_ = std::make_unique<SideThread>(worker.loop_, [slot = worker.slot_] {
    Calling mark{*slot};
    slot->table.stream(slot->worker, slot.get());
    std::lock_guard lock(slot->mutex);
    slot->stream_over = true;
    if (slot->tell_reader) slot->tell_reader();
  });
}

NativeBody::~NativeBody() {
  {
    std::lock_guard lock(slot_.mutex);
    slot_.unwanted = true;
    slot_.tell_reader = nullptr;
    slot_.room.notify_all();
  }
  worker_.leave_side();
}

std::optional<Result<std::optional<std::string>>> NativeBody::ready() {
  using Piece = Result<std::optional<std::string>>;
  std::lock_guard lock(slot_.mutex);
  if (!slot_.pieces.empty()) {
    Piece piece{std::move(slot_.pieces.front())};
    slot_.pieces.pop_front();
    slot_.piece_bytes -= (*piece)->size();
    slot_.room.notify_all();
    return piece;
  }
  if (!slot_.stream_over) return std::nullopt;
  if (!slot_.stream_failure) return Piece{std::nullopt};
  slot_.log.failure(slot_.identity, slot_.event_id(), nullptr, *slot_.stream_failure);
  return Piece{fail(Why::internal, "the handler failed in the midst of its answer: " + slot_.stream_failure->message)};
}

Task<Result<std::optional<std::string>>> NativeBody::next() {
  for (;;) {
    if (auto piece = ready()) co_return std::move(*piece);
    bool in_time = co_await reader_->changed.wait(deadline_);
    if (!in_time) co_return took_too_long(slot_);
  }
}

Result<NativeModule> NativeModule::load(const std::string& path) {
  void* object = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!object) return fail(Why::invalid, fmt::format("the function's shared object does not load: {}", dlerror()));
  auto module = reinterpret_cast<nuclio_module_function>(dlsym(object, NUCLIO_MODULE_SYMBOL));
  if (!module)
    return fail(Why::invalid, fmt::format("{} does not export {}(); a function includes nuclio/nuclio.h and names its "
                                          "handlers",
                                          path, NUCLIO_MODULE_SYMBOL));
  const nuclio_module_table* table = module();
  if (table->abi_version != NUCLIO_ABI_VERSION)
    return fail(Why::invalid, fmt::format("{} was built for version {} of the function interface, this processor has "
                                          "version {}; deploy the function again",
                                          path, table->abi_version, static_cast<int>(NUCLIO_ABI_VERSION)));
  return NativeModule{*table};
}

Task<Result<std::unique_ptr<Worker>>> NativeWorker::start(Loop& loop, const NativeModule& module,
                                                          const FunctionLog& log, std::string handler,
                                                          std::string function, WorkerIdentity identity,
                                                          Deadline deadline) {
  auto slot = std::make_shared<NativeSlot>(module.table(), log, std::move(identity));
  SideThread opening{loop, [slot, handler = std::move(handler), function = std::move(function)] {
                       nuclio_worker worker{.size = sizeof(nuclio_worker),
                                            .handler = text(handler),
                                            .function_name = text(function),
                                            .trigger_kind = text(slot->identity.trigger_kind),
                                            .trigger_name = text(slot->identity.trigger_name),
                                            .index = slot->identity.index.value()};
                       slot->worker = slot->table.open(&worker, &kHost, slot.get());
                     }};
  bool opened = co_await opening.finished(deadline);
  if (!opened) co_return fail(Why::timeout, "init_context did not finish in time");
  if (!slot->worker)
    co_return fail(Why::invalid,
                   slot->open_error.empty() ? "the function does not open, and does not say why" : slot->open_error);
  co_return std::unique_ptr<Worker>{new NativeWorker(loop, std::move(slot))};
}

NativeWorker::~NativeWorker() {
  if (!side_ || !side_->running()) {
    slot_->table.close(slot_->worker);
    return;
  }
  log::warn(fmt::format("worker {} does not come back from the function's code; its thread is left behind",
                        slot_->identity.index.value()),
            {{"trigger", slot_->identity.trigger_name}});
}

bool NativeWorker::take(Job& job) {
  CHECK(room() > 0);
  if (job.kind() == Job::Kind::batch) {
    batch_ = &job;
    background_.spawn(run_batch(job));
  } else {
    auto called = call(job.event(), job.call());
    if (called) {
      job.answer(std::move(slot_->response));
    } else {
      job.answer(fail(std::move(called).error()));
    }
  }
  return true;
}

// Only a batch can be waited for.
void NativeWorker::give_up(Job&, GiveUp) {
  background_.cancel();
  batch_ = nullptr;
  if (side_) return leave_side();
  owner_->changed();
}

// Leaves the response in the slot.
Result<void> NativeWorker::call(const Event& event, const Call& call) {
  NativeSlot& slot = *slot_;
  set_event(slot, event, call.deadline);
  slot.deadline = call.deadline;
  slot.shipped.begin(call.ship_logs);
  slot.answered = false;
  slot.response.failure.reset();  // all else that was moved from is empty
  if (std::exchange(slot.more, false)) slot.forget_stream();

  auto begun = std::chrono::steady_clock::now();
  {
    Calling mark{slot};
    slot.table.call(slot.worker, &slot.event, slot_.get());
  }
  auto ended = std::chrono::steady_clock::now();
  if (!slot.answered)
    return fail(Why::internal, "the function returned without an answer to event " + std::string{event.id});
  Response& response = slot.response;
  response.duration = ended - begun;
  response.logs = slot.shipped.take();
  if (slot.more) response.more = std::make_unique<NativeBody>(*this, call.deadline);
  // It could not be interrupted, but late is late.
  if (ended >= call.deadline.when()) {
    response = {};
    return took_too_long(slot);
  }
  return {};
}

Task<void> NativeWorker::run_batch(Job& job) {
  Responses responses;
  for (const Event& event : job.events()) {
    auto called = call(event, job.call());
    if (called && slot_->response.more) {
      slot_->response.more.reset();
      called = fail(Why::invalid, "an answer to an event of a batch cannot be streamed");
    }
    slot_->response.event_id = event.id;
    if (called) {
      responses.push_back(std::move(slot_->response));
    } else {
      responses.push_back(fail(std::move(called).error()));
    }
    // What it began to stream is to end before it can be called again.
    if (side_) co_await leave_side_by(Deadline::in(kSettling));
    if (gone_) break;
  }
  batch_ = nullptr;
  if (gone_) {
    job.answer(fail(Why::unavailable, "the worker does not end an answer to an event of the batch"));
  } else {
    job.answer_batch(std::move(responses));
  }
  owner_->changed();
}

void NativeWorker::leave_side() {
  if (batch_) return;  // which waits for it itself
  background_.spawn(leave_side_by(Deadline::in(kSettling)));
}

Task<void> NativeWorker::leave_side_by(Deadline deadline) {
  leaving_side_ = true;
  bool done = co_await side_->finished(deadline);
  leaving_side_ = false;
  if (done) {
    side_.reset();
  } else {
    gone_ = true;
  }
  if (!batch_ && owner_) owner_->changed();
}

WorkerIndex NativeWorker::index() const { return slot_->identity.index; }

Task<void> NativeWorker::drain(Deadline deadline) { co_await signal(NUCLIO_SIGNAL_DRAIN, deadline); }

Task<void> NativeWorker::terminate(Deadline deadline) {
  co_await signal(NUCLIO_SIGNAL_TERMINATE, deadline);
  gone_ = true;
}

Task<void> NativeWorker::signal(nuclio_signal number, Deadline deadline) {
  if (room() == 0) co_return;
  side_ = std::make_unique<SideThread>(loop_, [slot = slot_, number] { slot->table.signal(slot->worker, number); });
  bool done = co_await side_->finished(deadline);
  if (done) side_.reset();
}

}  // namespace nuclio::processor
