-- SPDX-License-Identifier: Apache-2.0
-- wrk's figures as one line of JSON, the last of its output.
done = function(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "micros": %d, "p50": %.1f, "p99": %.1f, "max": %.1f, "failed": %d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.connect + errors.read + errors.write + errors.timeout + errors.status))
end
