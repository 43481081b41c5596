// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';

import { hexdump, laidOut, logsOf, LONGEST_TEXT, shownAs, textOf, timingOf, variablesOf } from './answers.ts';
import type { Answer } from './functions.ts';

function answer(body: string | Uint8Array<ArrayBuffer>, headers: [string, string][] = []): Answer {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return { status: 200, headers, body: bytes, truncated: false, milliseconds: 1, firstMilliseconds: 1 };
}

describe('shownAs', () => {
  it('lays out JSON, whatever its type is said to be', () => {
    expect(shownAs(answer('{"a":1}'))).toEqual({ kind: 'json', text: '{\n  "a": 1\n}' });
    expect(shownAs(answer('"a"', [['content-type', 'application/problem+json; charset=utf-8']]))).toMatchObject({
      kind: 'json',
    });
  });
  it('shows as text what says that it is JSON and is not', () => {
    expect(shownAs(answer('{a', [['content-type', 'application/json']]))).toEqual({
      kind: 'text',
      text: '{a',
      cut: false,
    });
  });
  it('shows HTML as text', () => {
    expect(shownAs(answer('<p>', [['content-type', 'text/html']]))).toMatchObject({ kind: 'text', text: '<p>' });
  });
  it('shows the beginning of what is long', () => {
    const shown = shownAs(answer('ü'.repeat(5_000_000)));
    expect(shown).toMatchObject({ kind: 'text', cut: true });
    expect(shown.kind === 'text' && shown.text.length).toBe(LONGEST_TEXT);
  });
  it('dumps bytes that are no text', () => {
    expect(shownAs(answer(new Uint8Array([0xff, 0x41])))).toEqual({
      kind: 'binary',
      text: `00000000  ff 41${' '.repeat(42)}  .A`,
      cut: false,
    });
  });
  it('knows images and nothing', () => {
    expect(shownAs(answer('x', [['Content-Type', 'image/png']]))).toEqual({ kind: 'image', type: 'image/png' });
    expect(shownAs(answer(''))).toEqual({ kind: 'empty' });
  });
});

describe('laidOut', () => {
  it('does what JSON.stringify does', () => {
    const value = { a: [1, { b: '{"x": [1, 2]}\\' }, []], c: {}, d: null, e: [[-1.5e3]], f: 'a, b: c' };
    expect(laidOut(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
    expect(laidOut(JSON.stringify(value, null, 7))).toBe(JSON.stringify(value, null, 2));
  });
  it('leaves numbers and order as they are', () => {
    expect(laidOut('{"2":12345678901234567890,"1":1.0}')).toBe('{\n  "2": 12345678901234567890,\n  "1": 1.0\n}');
  });
  it('bears what is deep', () => {
    expect(laidOut('['.repeat(5000) + ']'.repeat(5000)).length).toBeLessThan(1_000_000);
  });
});

it('cuts text between letters', () => {
  expect(textOf(new TextEncoder().encode('aü'), 2)).toBe('a');
});
it('dumps sixteen bytes a line', () => {
  expect(hexdump(new Uint8Array(17)).split('\n')).toHaveLength(2);
});
it('reads the logs of a call', () => {
  const logs = logsOf(answer('', [['X-Nuclio-Logs', '[{"level": "info", "time": 1.5, "message": "hi", "at": 1}]']]));
  expect(logs).toHaveLength(1);
  expect(logs.map(variablesOf)).toEqual(['at=1']);
  expect(logsOf(answer('', [['X-Nuclio-Logs', '[{"le']]))).toEqual([]);
});

describe('where the time went', () => {
  const answer = (timing: string): Answer => ({
    status: 200,
    headers: timing === '' ? [] : [['server-timing', timing]],
    body: new Uint8Array(),
    truncated: false,
    milliseconds: 20,
    firstMilliseconds: 19,
  });
  it('is told by the function, and the rest was the way', () => {
    const timing = timingOf(answer('queue;dur=0.012, handler;dur=3.456'));
    expect(timing?.queue).toBeCloseTo(12e-6, 9);
    expect(timing?.handler).toBeCloseTo(3.456e-3, 9);
    expect(timing?.transport).toBeCloseTo(16.532e-3, 9);
    expect(timingOf(answer('db;dur=1, queue;dur=1.000, handler;dur=40.000'))?.transport).toBe(0);
  });
  it('is not known when nobody tells', () => {
    expect(timingOf(answer(''))).toBeUndefined();
    expect(timingOf(answer('handler;dur=x'))).toBeUndefined();
    expect(timingOf(answer('queue;dur=1.000'))).toBeUndefined();
  });
});
