// SPDX-License-Identifier: Apache-2.0
// The object's side of abi.h: finds the handlers, turns results and exceptions into plain C. A function's author needs
// only nuclio.h.
#pragma once
#include <cxxabi.h>
#include <nuclio/abi.h>
#include <nuclio/context.h>
#include <nuclio/event.h>
#include <nuclio/response.h>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#define NUCLIO_SDK_VERSION "0.1.0"

// What runs once, or when something went wrong, is marked cold: not optimised for speed, it compiles a fifth faster.
namespace nuclio::detail {

// A handler or an init_context by its name. Static objects of the macros, in a list without allocations, since it is
// made while the object is being loaded.
template <typename Function>
struct Registered {
  struct List {
    Registered* first = nullptr;
    int size = 0;
  };

  std::string_view name;
  Function* function;
  Registered* next = nullptr;

  Registered(List& list, std::string_view with_name, Function* with_function)
      : name(with_name), function(with_function) {
    Registered** end = &list.first;
    while (*end != nullptr) end = &(*end)->next;
    *end = this;
    ++list.size;
  }
};

using Handler = Registered<Response(Context&, Event&)>;
using Init = Registered<void(Context&)>;

// Hidden: the lists of two objects in one process must stay two.
__attribute__((visibility("hidden"))) inline Handler::List handlers;
__attribute__((visibility("hidden"))) inline Init::List inits;

template <auto function>
Response handle(Context& context, Event& event) {
  if constexpr (std::is_void_v<decltype(function(context, event))>) {
    function(context, event);
    return {};
  } else {
    return Response(function(context, event));
  }
}

// What a catch (...) has in hand, as the host wants it.
class Failure final {
 public:
  [[gnu::cold]] static Failure current() {
    Failure failure;
    try {
      throw;
    } catch (const Error& error) {
      failure.status_ = error.status;
      failure.message_ = error.what();
      failure.body_ = error.what();
    } catch (const std::exception& error) {
      failure.message_ = type_name(typeid(error)) + ": " + error.what();
    } catch (...) {
      const std::type_info* type = abi::__cxa_current_exception_type();
      failure.message_ = "threw a value of type " + (type == nullptr ? std::string("unknown") : type_name(*type));
    }
    return failure;
  }

  static Failure of(std::string message) {
    Failure failure;
    failure.message_ = std::move(message);
    return failure;
  }

  Failure in(std::string_view where) && {
    message_ = std::string(where) + ": " + message_;
    return std::move(*this);
  }

  const std::string& message() const { return message_; }

  nuclio_failure view() const {
    return {sizeof(nuclio_failure), status_, text(message_), {}, text(body_.empty() ? "" : "text/plain"), text(body_)};
  }

 private:
  [[gnu::cold]] static std::string type_name(const std::type_info& type) {
    int status = 0;
    char* readable = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
    std::string name = readable == nullptr ? type.name() : readable;
    std::free(readable);
    return name;
  }

  int status_ = 500;
  std::string message_;
  std::string body_;
};

class Worker final {
 public:
  [[gnu::cold]] Worker(const nuclio_worker& worker, const nuclio_host& table, void* host)
      : table_(table), context_(worker, table, host), handler_(find(view(worker.handler))) {
    if (inits.size > 1)
      throw Error(500, "NUCLIO_INIT is used " + std::to_string(inits.size) + " times; an object has one init_context");
    if (inits.first != nullptr) {
      try {
        inits.first->function(context_);
      } catch (...) {
        throw Error(500, Failure::current().in(std::string(inits.first->name) + " failed").message());
      }
    }
  }

  void call(const nuclio_event& abi_event, void* call) {
    const Called called(context_, call);
    try {
      Event event(abi_event);
      answer(handler_.function(context_, event), call);
    } catch (...) {
      fail(call);
    }
  }

  void stream(void* call) {
    const Called called(context_, call);
    const auto rest = std::exchange(rest_, nullptr);
    try {
      Writer writer(table_, call);
      rest(writer);
    } catch (...) {
      fail(call);
    }
  }

  void abandon() { rest_ = nullptr; }

  void signal(std::int32_t signal) {
    const auto& callback = signal == NUCLIO_SIGNAL_DRAIN ? context_.on_drain_ : context_.on_terminate_;
    const char* name = signal == NUCLIO_SIGNAL_DRAIN ? "the drain callback" : "the termination callback";
    try {
      if (callback) callback();
    } catch (...) {
      context_.logger.error(Failure::current().in(name).message());
    }
  }

 private:
  // Makes the call known to Context::gone() for as long as it lasts.
  class Called final {
   public:
    Called(Context& context, void* call) : context_(context) { context_.call_ = call; }
    ~Called() { context_.call_ = nullptr; }
    Called(const Called&) = delete;
    Called& operator=(const Called&) = delete;

   private:
    Context& context_;
  };

  // spec.handler is `module:name`; what the module's name was for has been settled when the object was built.
  [[gnu::cold]] static const Handler& find(std::string_view spec) {
    const auto colon = spec.find(':');
    const std::string_view name = colon == std::string_view::npos ? spec : spec.substr(colon + 1);
    const Handler* found = nullptr;
    std::string known;
    for (const Handler* handler = handlers.first; handler != nullptr; handler = handler->next) {
      known += (known.empty() ? "" : ", ") + std::string(handler->name);
      if (handler->name != name) continue;
      if (found != nullptr) throw Error(500, "two handlers are named \"" + std::string(name) + "\"; rename one");
      found = handler;
    }
    if (found != nullptr) return *found;
    const std::string missing =
        "there is no handler \"" + std::string(name) + "\" (spec.handler is \"" + std::string(spec) + "\"); ";
    if (known.empty())
      throw Error(500, missing + "the function has none: add NUCLIO_HANDLER(" + std::string(name) + ") to its source");
    throw Error(500, missing + "the function has: " + known);
  }

  void answer(Response response, void* call) {
    if (response.status < 100 || response.status > 999)
      throw std::out_of_range("the response's status must be from 100 to 999, is " + std::to_string(response.status));
    std::vector<nuclio_pair> headers;
    headers.reserve(response.headers.size());
    for (const auto& [name, value] : response.headers) headers.push_back({text(name), text(value)});
    rest_ = std::move(response.rest);
    const nuclio_reply reply{sizeof(nuclio_reply),
                             response.status,
                             rest_ ? 1 : 0,
                             text(response.content_type),
                             {headers.data(), headers.size()},
                             text(response.body)};
    table_.reply(call, &reply);
  }

  void fail(void* call) {
    const Failure failure = Failure::current();
    const nuclio_failure view = failure.view();
    table_.fail(call, &view);
  }

  const nuclio_host& table_;
  Context context_;
  const Handler& handler_;
  std::function<void(Writer&)> rest_;  // of the answer that is being streamed
};

inline nuclio_text handler_name(std::int32_t index) {
  const Handler* handler = handlers.first;
  while (handler != nullptr && index-- > 0) handler = handler->next;
  return text(handler == nullptr ? std::string_view() : handler->name);
}

[[gnu::cold]] inline void* open(const nuclio_worker* worker, const nuclio_host* table, void* host) {
  try {
    return new Worker(*worker, *table, host);
  } catch (...) {
    const Failure failure = Failure::current();
    const nuclio_failure view = failure.view();
    table->open_failed(host, &view);
    return nullptr;
  }
}

#if defined(__clang__)
inline constexpr std::string_view kRuntime = "c++ sdk " NUCLIO_SDK_VERSION ", clang++ " __clang_version__;
#else
inline constexpr std::string_view kRuntime = "c++ sdk " NUCLIO_SDK_VERSION ", g++ " __VERSION__;
#endif

// Hidden for the same reason as the lists.
__attribute__((visibility("hidden"))) inline constexpr nuclio_module_table kTable = {
    sizeof(nuclio_module_table),
    NUCLIO_ABI_VERSION,
    {kRuntime.data(), kRuntime.size()},
    handler_name,
    open,
    [](void* worker, const nuclio_event* event, void* call) { static_cast<Worker*>(worker)->call(*event, call); },
    [](void* worker, void* call) { static_cast<Worker*>(worker)->stream(call); },
    [](void* worker) { static_cast<Worker*>(worker)->abandon(); },
    [](void* worker, std::int32_t signal) { static_cast<Worker*>(worker)->signal(signal); },
    [](void* worker) { delete static_cast<Worker*>(worker); },
};

}  // namespace nuclio::detail

// Emitted although nothing in the object calls it, and visible although the rest of the object is hidden.
extern "C" __attribute__((visibility("default"), used)) inline const nuclio_module_table* nuclio_module() {
  return &nuclio::detail::kTable;
}
