// SPDX-License-Identifier: Apache-2.0
// Nuclio functions in C++17 and later. A whole one:
//
//   #include <nuclio/nuclio.h>
//
//   std::string handler(nuclio::Context& context, const nuclio::Event& event) {
//     context.logger.info("greeting", {{"path", event.path()}});
//     return "Hello from C++";
//   }
//   NUCLIO_HANDLER(handler)
//
// A handler returns nothing, a text, a status with a text, or a nuclio::Response; it fails by throwing. The function's
// configuration names it after the colon of spec.handler (`hello:handler`), so that one object may hold several.
#pragma once
#include <nuclio/context.h>
#include <nuclio/event.h>
#include <nuclio/module.h>
#include <nuclio/response.h>

// At namespace scope. The name is the one by which spec.handler finds it.
#define NUCLIO_HANDLER(function)                                                   \
  static const ::nuclio::detail::Registered NUCLIO_DETAIL_UNIQUE(nuclio_handler_){ \
      ::nuclio::detail::handlers, #function, ::nuclio::detail::handle<function>};

// At namespace scope, at most once in an object: `void init_context(nuclio::Context&)`, called in each new worker
// before its first event. When it throws, the worker does not start.
#define NUCLIO_INIT(function)                                                                                      \
  static const ::nuclio::detail::Registered NUCLIO_DETAIL_UNIQUE(nuclio_init_){::nuclio::detail::inits, #function, \
                                                                               function};

#define NUCLIO_DETAIL_UNIQUE(prefix) NUCLIO_DETAIL_JOIN(prefix, __COUNTER__)
#define NUCLIO_DETAIL_JOIN(prefix, suffix) NUCLIO_DETAIL_JOIN_EXPANDED(prefix, suffix)
#define NUCLIO_DETAIL_JOIN_EXPANDED(prefix, suffix) prefix##suffix
