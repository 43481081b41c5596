// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';

import { ago, bytes, clock, count, seconds } from './format.ts';

describe('count', () => {
  it.each([
    [0, '0'],
    [0.4, '0.4'],
    [0.456, '0.46'],
    [12.34, '12.3'],
    [345.6, '346'],
    [9999, '9999'],
    [34_000, '34 k'],
    [1_250_000, '1.25 M'],
    [-0.5, '-0.5'],
    [null, '–'],
    [undefined, '–'],
    [NaN, '–'],
    [Infinity, '–'],
  ])('%s is %s', (value, text) => expect(count(value)).toBe(text));
});

describe('seconds', () => {
  it.each([
    [0, '0 s'],
    [0.00031, '310 µs'],
    [0.012, '12 ms'],
    [1.4, '1.4 s'],
    [119, '119 s'],
    [120, '2 min'],
    [7200, '2 h'],
    [null, '–'],
  ])('%s is %s', (value, text) => expect(seconds(value)).toBe(text));
});

describe('bytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [3 * 1024 ** 3, '3 GiB'],
    [5000 * 1024 ** 4, '5000 TiB'],
  ])('%s is %s', (value, text) => expect(bytes(value)).toBe(text));
});

describe('ago', () => {
  const now = new Date('2026-11-30T12:00:00Z');
  it.each([
    [3, 'just now'],
    [60, '60 s ago'],
    [600, '10 min ago'],
    [5 * 3600, '5 h ago'],
    [3 * 86_400, '3 days ago'],
    [60 * 86_400, '2026-10-01'],
    [-5, 'just now'],
  ])('%s seconds before is %s', (passed, text) => {
    expect(ago(new Date(now.getTime() - passed * 1000), now)).toBe(text);
  });
});

describe('clock', () => {
  it("is the reader's time, to the millisecond", () => {
    expect(clock(new Date(2026, 10, 30, 7, 2, 44, 12))).toBe('07:02:44.012');
  });
});
