// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "http/message.h"
#include "processor/event.h"

namespace nuclio::processor {

// Whether a client sees how a handler failed: message and traceback, or a fixed line.
enum class ExposeErrors : bool { no, yes };

// What an HTTP client is told about its event, as Nuclio says it: the handler's own answer, 500 when it raised (or the
// status that it raised with), 503 with Retry-After when no worker came free, 408 when the handler took too long, 502
// when its worker died. The headers X-nuclio-filestream-path and -delete-after-send put a regular file in place of the
// body, 404 when it is missing. An answer that HTTP cannot carry, such as a header with a line end, becomes a 500 and
// is logged.
http::Response http_answer(Result<Response>&& result, ExposeErrors expose);

}  // namespace nuclio::processor
