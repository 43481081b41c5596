-- SPDX-License-Identifier: Apache-2.0
-- Arguments: METHOD, CONTENT-TYPE and either the body or, as a number, its size. Ends with wrk's figures as one line
-- of JSON.
init = function(arguments)
  wrk.method = arguments[1] or "GET"
  if arguments[3] then
    wrk.headers["Content-Type"] = arguments[2]
    local size = tonumber(arguments[3])
    wrk.body = size and string.rep("x", size) or arguments[3]
  end
end

done = function(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "micros": %d, "p50": %.1f, "p99": %.1f, "max": %.1f, "failed": %d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.connect + errors.read + errors.write + errors.timeout + errors.status))
end
