// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';

import { everything, lineFilter, LogBuffer, MOST_LINES, oneLine, parseLine, type Level } from './log_lines.ts';

const parse = (raw: string) => parseLine(raw, 'chatty-19b5d7e6', 1, 7);

// As they came from a function in Python.
const WARNING =
  '26.11.30 07:14:20.076 (W)                    chatty a warning {"trigger": "default-http", "worker": 0, "event_id": "805c7c4b-cea5-4208-a1aa-20b5f8d02b17"}';
const NESTED =
  '26.11.30 07:14:20.076 (I)                    chatty with fields {"body": "hi", "size": 2, "nested": {"a":[1,2]}, "trigger": "default-http", "worker": 0, "event_id": "805c7c4b"}';
const PROCESSOR =
  '26.11.30 07:14:09.580 (D)                 processor worker ready {"trigger": "default-http", "worker": 0, "pid": 31133, "runtime": "python 3.11.7, nuclio-sdk 0.6.3"}';
const PLAIN = 'printed plainly: hi';
const COLOURED = '\u001b[31mred\u001b[0m <b>markup</b> \u0007bell\ttab \u202eRTL';

describe('parseLine', () => {
  it('reads time, level, logger, message and fields', () => {
    const line = parse(WARNING);
    expect(new Date(line.at).toISOString()).toBe('2026-11-30T07:14:20.076Z');
    expect(line).toMatchObject({ level: 'warn', source: 'chatty', message: 'a warning', worker: '0', timed: true });
    expect(line.request).toBe('805c7c4b-cea5-4208-a1aa-20b5f8d02b17');
    expect(parse(PROCESSOR)).toMatchObject({ level: 'debug', source: 'processor', message: 'worker ready' });
    expect(parse(NESTED).fields?.['nested']).toEqual({ a: [1, 2] });
  });
  it('takes what was printed as it is, at the time of the line before', () => {
    expect(parse(PLAIN)).toMatchObject({
      level: 'output',
      message: PLAIN,
      at: 7,
      timed: false,
      worker: '',
      request: '',
    });
    expect(parse('')).toMatchObject({ level: 'output', message: '' });
    expect(parse('26.11.30 (W) half a head')).toMatchObject({ level: 'output' });
  });
  it('finds the fields behind braces of the message', () => {
    const head = '26.11.30 07:14:20.076 (I) f ';
    expect(parse(`${head}got {"a": broken {"worker": 3}`)).toMatchObject({ message: 'got {"a": broken', worker: '3' });
    expect(parse(`${head}no fields {x}`)).toMatchObject({ message: 'no fields {x}', fields: undefined });
    expect(parse(`${head}`)).toMatchObject({ message: '', fields: undefined });
  });
  it('reads a coloured level, and lines that are JSON', () => {
    expect(parse('26.11.30 07:14:20.076 \u001b[31m(E)\u001b[0m      f broken')).toMatchObject({
      level: 'error',
      message: 'broken',
    });
    expect(parse('{"time":1796022860076,"level":"warn","name":"f","message":"low","worker":2}')).toMatchObject({
      at: 1796022860076,
      level: 'warn',
      source: 'f',
      message: 'low',
      fields: { worker: 2 },
      worker: '2',
    });
    expect(parse('{"time":"noon"}')).toMatchObject({ level: 'output' });
  });
});

describe('what is shown', () => {
  it('has signs for what cannot be seen', () => {
    expect(everything(COLOURED)).toBe('␛[31mred␛[0m <b>markup</b> ␇bell\ttab <U+202E>RTL');
  });
  it('is one line without colours as a row', () => {
    expect(oneLine(`${COLOURED}\nmore`)).toBe('red <b>markup</b> ␇bell tab <U+202E>RTL more');
  });
});

describe('lineFilter', () => {
  const wanted = { levels: new Set<Level>(), replica: '', worker: '', request: '', text: '' };
  it.each([
    [{}, true],
    [{ levels: new Set<Level>(['warn', 'error']) }, true],
    [{ levels: new Set<Level>(['debug']) }, false],
    [{ worker: '0', request: '805c7c4b-cea5-4208-a1aa-20b5f8d02b17' }, true],
    [{ worker: '1' }, false],
    [{ text: 'A WARN' }, true],
    [{ text: 'a.warn' }, false],
    [{ replica: 'another' }, false],
  ])('%o', (part, fits) => {
    expect(lineFilter({ ...wanted, ...part })(parse(WARNING))).toBe(fits);
  });
});

const raws = (buffer: LogBuffer) => buffer.shown.map((each) => each.raw);
const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `line ${from + at}`);

describe('LogBuffer', () => {
  it('leaves out what a new connection repeats, also when it comes in pieces', () => {
    const buffer = new LogBuffer();
    buffer.add('r', numbered(0, 80), true);
    buffer.add('r', numbered(30, 60), true);
    buffer.add('r', numbered(60, 83), false);
    expect(raws(buffer)).toEqual(numbered(0, 83));
    buffer.add('r', ['line 82', 'line 82'], false);
    expect(raws(buffer)).toHaveLength(85);
  });
  it('has the last lines of several replicas in the order of their times', () => {
    const at = (second: number, text: string) => `26.11.30 07:14:0${second}.000 (I) f ${text}`;
    const buffer = new LogBuffer();
    buffer.add('r', [at(1, 'r'), at(5, 'r')], true);
    buffer.add('s', [at(2, 's'), 'printed', at(7, 's')], true);
    buffer.add('r', [at(6, 'late')], false);
    expect(raws(buffer)).toEqual([at(1, 'r'), at(2, 's'), 'printed', at(5, 'r'), at(7, 's'), at(6, 'late')]);
    expect(buffer.lines.map((each) => each.id)).toEqual([1, 2, 3, 4, 5, 6]);
  });
  it('says where lines are missing', () => {
    const buffer = new LogBuffer();
    buffer.add('r', numbered(0, 10), true);
    buffer.add('r', numbered(500, 550), true);
    expect(buffer.shown[10]?.level).toBe('gap');
    expect(raws(buffer)).toHaveLength(61);
  });
  it('keeps the newest of many', () => {
    const buffer = new LogBuffer();
    for (let at = 0; at < 21; at++) buffer.add('r', numbered(at * 5000, at * 5000 + 5000), false);
    expect(buffer.lines.length).toBeLessThanOrEqual(MOST_LINES);
    expect(buffer.lines.at(-1)?.raw).toBe('line 104999');
    expect(buffer.counts.output).toBe(buffer.lines.length);
    expect(buffer.shown[0]?.id).toBe(buffer.lines[0]?.id);
    expect(buffer.dropped + buffer.lines.length).toBe(105_000);
  });
  it('shows what is wanted of what is here and of what comes', () => {
    const buffer = new LogBuffer();
    buffer.add('r', [PLAIN, WARNING], true);
    buffer.want({ levels: new Set(['warn']), replica: '', worker: '', request: '', text: '' });
    buffer.add('r', [PROCESSOR, WARNING], false);
    expect(raws(buffer)).toEqual([WARNING, WARNING]);
    expect(buffer.counts).toMatchObject({ debug: 1, warn: 2, output: 1 });
    expect([...buffer.workers]).toEqual(['0']);
  });
  it('puts earlier lines before what is here, once', () => {
    const buffer = new LogBuffer();
    buffer.add('r', numbered(50, 100), true);
    expect(buffer.addEarlier(new Map([['r', numbered(0, 101)]]))).toBe(50);
    expect(buffer.addEarlier(new Map([['r', numbered(0, 101)]]))).toBe(0);
    buffer.add('r', ['line 100'], false);
    expect(raws(buffer)).toEqual(numbered(0, 101));
    const ids = buffer.lines.map((each) => each.id);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
  });
});
