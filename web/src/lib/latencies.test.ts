// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';

import { bucketsOf, percentile, summaryOf } from './latencies.ts';

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
  const summary = summaryOf([3, 1, 2], ['200', '503', '200'], 1000);
  expect(summary).toMatchObject({ count: 3, p50: 2, most: 3, perSecond: 3 });
  expect(summary.answers).toEqual([
    ['200', 2],
    ['503', 1],
  ]);
});
