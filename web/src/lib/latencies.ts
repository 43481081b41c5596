// SPDX-License-Identifier: Apache-2.0
// How long calls took, for a histogram whose steps grow with the time.

export interface Bucket {
  from: number; // milliseconds
  to: number;
  count: number;
}
// Of one call, in milliseconds. The parts are not known when the function was not reached, or does not tell.
export interface Measured {
  all: number;
  queue?: number; // before the handler
  handler?: number;
}
export const PARTS = ['queue', 'handler', 'transport'] as const;
export interface Part {
  name: (typeof PARTS)[number];
  p50: number; // milliseconds
  p99: number;
}
export interface Summary {
  count: number;
  p50: number; // milliseconds
  p90: number;
  p99: number;
  most: number;
  perSecond: number;
  buckets: Bucket[];
  parts: Part[]; // of the calls whose parts are known; none when there are none
  answers: [string, number][]; // a status and how often it came, the most frequent first
}

// The smallest value that so many of them do not exceed; `sorted` from the smallest. NaN of none.
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

export function bucketsOf(sorted: readonly number[], steps = 24): Bucket[] {
  const least = Math.max(sorted[0] ?? 0, 0.01);
  const most = Math.max(sorted.at(-1) ?? 0, least * 1.01);
  if (sorted.length === 0) return [];
  const growth = Math.pow(most / least, 1 / steps);
  const buckets = Array.from({ length: steps }, (_, at) => ({
    from: least * growth ** at,
    to: least * growth ** (at + 1),
    count: 0,
  }));
  for (const value of sorted) {
    const at = Math.floor(Math.log(Math.max(value, least) / least) / Math.log(growth));
    const bucket = buckets[Math.min(at, steps - 1)];
    if (bucket) bucket.count++;
  }
  return buckets;
}

const ascending = (a: number, b: number) => a - b;

// What a browser measured of a call, with what the function told of it in Server-Timing.
export function measuredOf(entry: {
  requestStart: number;
  responseEnd: number;
  serverTiming?: readonly { name: string; duration: number }[];
}): Measured {
  const told = (name: string) => entry.serverTiming?.find((each) => each.name === name)?.duration;
  const [queue, handler] = [told('queue'), told('handler')];
  const all = entry.responseEnd - entry.requestStart;
  return queue === undefined || handler === undefined ? { all } : { all, queue, handler };
}

// Where the time went: each part's own median and p99, which need not add up to those of the whole.
export function partsOf(times: readonly Measured[]): Part[] {
  const known = times.flatMap(({ all, queue, handler }) =>
    queue === undefined || handler === undefined
      ? []
      : [{ queue, handler, transport: Math.max(0, all - queue - handler) }],
  );
  if (known.length === 0) return [];
  return PARTS.map((name) => {
    const sorted = known.map((each) => each[name]).sort(ascending);
    return { name, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
  });
}

export function summaryOf(times: readonly Measured[], answers: readonly string[], milliseconds: number): Summary {
  const sorted = times.map((each) => each.all).sort(ascending);
  const counts = new Map<string, number>();
  for (const each of answers) counts.set(each, (counts.get(each) ?? 0) + 1);
  return {
    count: answers.length,
    p50: percentile(sorted, 0.5),
    p90: percentile(sorted, 0.9),
    p99: percentile(sorted, 0.99),
    most: percentile(sorted, 1),
    perSecond: milliseconds > 0 ? (answers.length * 1000) / milliseconds : 0,
    buckets: bucketsOf(sorted),
    parts: partsOf(times),
    answers: [...counts].sort((a, b) => b[1] - a[1]),
  };
}
