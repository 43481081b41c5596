// SPDX-License-Identifier: Apache-2.0
// Streams of a data store that this platform does not speak to. Nuclio's clients ask for them all the same.
#include "dashboard/api/calls.h"

namespace nuclio::dashboard {

Task<Response> refuse_v3io_streams(Context&, Request&, const PathParams&) {
  constexpr const char* kWhy = "v3io streams are not served: there are no v3ioStream triggers on this platform";
  // A server error would be one that somebody is to mend.
  co_return Response::error({Why::not_found, kWhy});
}

}  // namespace nuclio::dashboard
