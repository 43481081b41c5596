// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';

import { boundsOf, bucketsWithEvents, COLUMNS, isKnown, merged, timesOf, type Metrics } from './metrics.ts';

function metrics(begin: string, values: (number | null)[], durations: (number[] | null)[] = []): Metrics {
  const columns = Object.fromEntries(COLUMNS.map((each) => [each, values])) as unknown as Metrics;
  return {
    ...columns,
    begin,
    stepSeconds: 10,
    boundsSeconds: [0.1, 1],
    durations: values.map((each, at) => (each === null ? null : (durations[at] ?? [each, 0, 0]))),
  };
}

describe('merged', () => {
  const have = metrics('2026-11-30T07:00:00Z', [null, 1, 2, 3]);
  it.each([
    ['one step later', '2026-11-30T07:00:40Z', [4], '2026-11-30T07:00:10.000Z', [1, 2, 3, 4]],
    ['over what is known', '2026-11-30T07:00:20Z', [7, 8, 9], '2026-11-30T07:00:10.000Z', [1, 7, 8, 9]],
    ['after a gap', '2026-11-30T07:01:00Z', [5], '2026-11-30T07:00:30.000Z', [3, null, null, 5]],
    ['within', '2026-11-30T07:00:10Z', [6], '2026-11-30T07:00:00.000Z', [null, 6, 2, 3]],
    ['beyond all of it', '2026-11-30T08:00:00Z', [5], '2026-11-30T07:59:30.000Z', [null, null, null, 5]],
  ])('%s', (_, begin, values, newBegin, expected) => {
    const out = merged(have, metrics(begin, values));
    expect(out.begin).toBe(newBegin);
    expect(out.ratePerSecond).toEqual(expected);
    expect(out.durations).toEqual(expected.map((each) => (each === null ? null : [each, 0, 0])));
  });
  it('leaves what does not fit', () => {
    expect(merged(have, { ...have, stepSeconds: 300 })).toBe(have);
    expect(merged(have, metrics('2026-11-30T07:00:03Z', [1]))).toBe(have);
    expect(merged(have, metrics('2026-11-30T06:59:50Z', [1]))).toBe(have);
  });
});

describe('what is in it', () => {
  it('has the end of each step', () => {
    expect(timesOf(metrics('1970-01-01T00:01:00Z', [1, 2]))).toEqual([70, 80]);
  });
  it('is known when a replica answered once', () => {
    expect(isKnown(metrics('1970-01-01T00:00:00Z', [null, 0]))).toBe(true);
    expect(isKnown(metrics('1970-01-01T00:00:00Z', [null, null]))).toBe(false);
  });
  it('has the buckets that have events, with their neighbours', () => {
    const of = (...durations: number[][]) => bucketsWithEvents(metrics('1970-01-01T00:00:00Z', [1, 1], durations));
    expect(of([0, 2, 0], [0, 5, 1])).toEqual({ from: 0, to: 2, most: 5, usual: 1 });
    expect(of([0, 0, 4], [0, 0, 0])).toEqual({ from: 1, to: 2, most: 4, usual: 2 });
    expect(of([0, 0, 0], [0, 0, 0])).toBeUndefined();
  });
  it('has bounds for each bucket, but none above the last', () => {
    const it = metrics('1970-01-01T00:00:00Z', []);
    expect([0, 1, 2].map((each) => boundsOf(it, each))).toEqual([
      { from: 0, to: 0.1 },
      { from: 0.1, to: 1 },
      { from: 1, to: undefined },
    ]);
  });
});
