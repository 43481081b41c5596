// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';

import { bucketsOf, measuredOf, partsOf, percentile, summaryOf } from './latencies.ts';

const hundred = Array.from({ length: 100 }, (_, at) => at + 1);

describe('percentile', () => {
  it('is a value that was measured', () => {
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile([7], 0.01)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });
});

describe('bucketsOf', () => {
  it('has each value in one bucket, the largest in the last', () => {
    const buckets = bucketsOf(hundred, 10);
    expect(buckets).toHaveLength(10);
    expect(buckets.reduce((sum, each) => sum + each.count, 0)).toBe(100);
    expect(buckets.at(-1)?.count).toBeGreaterThan(0);
    expect(buckets.at(-1)?.to).toBeCloseTo(100);
  });
  it('bears values that are all equal, and none', () => {
    expect(bucketsOf([5, 5, 5]).reduce((sum, each) => sum + each.count, 0)).toBe(3);
    expect(bucketsOf([])).toEqual([]);
  });
});

it('counts what was answered', () => {
  const summary = summaryOf([{ all: 3 }, { all: 1 }, { all: 2 }], ['200', '503', '200'], 1000);
  expect(summary).toMatchObject({ count: 3, p50: 2, most: 3, perSecond: 3, parts: [] });
  expect(summary.answers).toEqual([
    ['200', 2],
    ['503', 1],
  ]);
});

describe('where the time went', () => {
  const entry = { requestStart: 100, responseEnd: 112 };
  it('is what the function tells of a call', () => {
    const serverTiming = [
      { name: 'queue', duration: 2 },
      { name: 'handler', duration: 7 },
    ];
    expect(measuredOf({ ...entry, serverTiming })).toEqual({ all: 12, queue: 2, handler: 7 });
    expect(measuredOf({ ...entry, serverTiming: serverTiming.slice(1) })).toEqual({ all: 12 });
    expect(measuredOf(entry)).toEqual({ all: 12 });
  });
  it('is the median and p99 of each part, of the calls of which it is known', () => {
    const times = Array.from({ length: 100 }, (_, at) => ({ all: 20 + at, queue: at === 99 ? 19 : 0, handler: at }));
    expect(partsOf([...times, { all: 9999 }])).toEqual([
      { name: 'queue', p50: 0, p99: 0 },
      { name: 'handler', p50: 49, p99: 98 },
      { name: 'transport', p50: 20, p99: 20 },
    ]);
    expect(partsOf([{ all: 1 }])).toEqual([]);
    // Clocks differ a little.
    expect(partsOf([{ all: 5, queue: 1, handler: 4.01 }]).at(-1)).toEqual({ name: 'transport', p50: 0, p99: 0 });
  });
});
