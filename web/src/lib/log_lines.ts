// SPDX-License-Identifier: Apache-2.0
// What a function logs: lines as the stream tells them, read for what they say, and as many of them as a page keeps.

import type { Json, JsonObject } from './types.ts';

// "output" is what was printed, and "gap" a note of our own that lines are missing here.
export const LEVELS = ['debug', 'info', 'warn', 'error', 'output'] as const;
export type Level = (typeof LEVELS)[number] | 'gap';

export interface Line {
  id: number; // grows from line to line; earlier ones that were asked for later have smaller ones
  replica: string;
  raw: string;
  at: number; // milliseconds since 1970: its own time, or that of the line before, or 0
  timed: boolean; // whether it says its time itself
  level: Level;
  source: string; // "processor", or the logger of the function
  message: string;
  fields: JsonObject | undefined;
  worker: string; // "" where it does not say
  request: string;
}

// 26.11.30 07:14:20.076 (W)                    chatty a warning {"trigger": "default-http", "worker": 0}
// The time is UTC, and the level may be coloured.
const HEAD =
  // eslint-disable-next-line no-control-regex
  /^(\d\d)\.(\d\d)\.(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{3}) (?:\x1b\[\d*m)?\(([DIWE])\)(?:\x1b\[0m)? +(\S+) ?(.*)$/s;
const LETTERS: Record<string, Level> = { D: 'debug', I: 'info', W: 'warn', E: 'error' };
const MOST_TRIES = 8;

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
function objectIn(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

// A message may have braces of its own: the fields are the longest end of the line that is an object.
function split(text: string): { message: string; fields: JsonObject | undefined } {
  if (text.endsWith('}')) {
    let from = text.startsWith('{"') ? 0 : text.indexOf(' {"');
    for (let tries = 0; from >= 0 && tries < MOST_TRIES; tries++) {
      const fields = objectIn(text.slice(from));
      if (fields) return { message: text.slice(0, from), fields };
      from = text.indexOf(' {"', from + 1);
    }
  }
  return { message: text, fields: undefined };
}

const words = (value: Json | undefined) =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';

type Read = Pick<Line, 'timed' | 'level' | 'source' | 'message' | 'fields'> & { time: number };

function readJson(raw: string): Read | undefined {
  if (!raw.startsWith('{"time":')) return undefined;
  const all = objectIn(raw);
  if (!all) return undefined;
  const { time, level, name, message, ...fields } = all;
  const known = LEVELS.find((each) => each === level);
  if (typeof time !== 'number' || !known) return undefined;
  return {
    time,
    timed: true,
    level: known,
    source: words(name),
    message: words(message),
    fields: Object.keys(fields).length > 0 ? fields : undefined,
  };
}

function read(raw: string): Read {
  const head = HEAD.exec(raw);
  if (!head)
    return readJson(raw) ?? { time: 0, timed: false, level: 'output', source: '', message: raw, fields: undefined };
  const [, year, month, day, hour, minute, second, thousandths, letter = '', source = '', rest = ''] = head;
  const time = Date.UTC(
    2000 + Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    Number(thousandths),
  );
  return { time, timed: true, level: LETTERS[letter] ?? 'info', source, ...split(rest) };
}

// `before` is the time of the line before it, for those that say none.
export function parseLine(raw: string, replica: string, id: number, before: number): Line {
  const { time, ...it } = read(raw);
  return {
    id,
    replica,
    raw,
    at: it.timed ? time : before,
    ...it,
    worker: words(it.fields?.['worker']),
    request: words(it.fields?.['event_id'] ?? it.fields?.['request_id']),
  };
}

// Colours and moves of the cursor, of terminals.
// eslint-disable-next-line no-control-regex
const ANSI = /\x1b\[[0-?]*[ -/]*[@-~]/g;
// What does not stand for itself, and what turns the direction of what follows, so that a line can look like another.
// eslint-disable-next-line no-control-regex
const HIDDEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

function seen(text: string): string {
  return text.replace(HIDDEN, (each) => {
    const code = each.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? '\u2421' : `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
  });
}
// All that is in it, with signs for what cannot be seen.
export function everything(text: string): string {
  return seen(text);
}
// As a row: without the colours, and on one line.
export function oneLine(text: string): string {
  return seen(text.replace(ANSI, '').replace(/[\n\t]/g, ' '));
}

export interface WantedLines {
  levels: ReadonlySet<Level>; // empty for all
  replica: string; // "" for all
  worker: string;
  request: string;
  text: string; // anywhere in the line, in small letters or large
}

export function lineFilter(wanted: WantedLines): (line: Line) => boolean {
  const text = wanted.text === '' ? undefined : new RegExp(wanted.text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'i');
  return (line) => {
    if (line.level === 'gap') return wanted.replica === '' || line.replica === wanted.replica;
    return (
      (wanted.levels.size === 0 || wanted.levels.has(line.level)) &&
      (wanted.replica === '' || line.replica === wanted.replica) &&
      (wanted.worker === '' || line.worker === wanted.worker) &&
      (wanted.request === '' || line.request === wanted.request) &&
      (text === undefined || text.test(line.raw))
    );
  };
}

export const MOST_LINES = 100_000;
const DROPPED_AT_ONCE = 5000;
// The stream repeats at least the last fifty of a log when one connects again, and more of one that others follow, too.
const REPEATED = 2000;
// That many lines in a row are the same ones.
const ALIKE = 50;

// The lines of one function, of which a page shows those that it wants. Plain arrays: what shows them asks for `shown`
// again when it has added some.
export class LogBuffer {
  lines: Line[] = [];
  shown: Line[] = [];
  dropped = 0;
  readonly counts: Record<Level, number> = { debug: 0, info: 0, warn: 0, error: 0, output: 0, gap: 0 };
  readonly replicas = new Map<string, { at: number; replay: string[] | undefined; lastLines: string[] }>();
  readonly workers = new Set<string>();
  private next = 1;
  private first = 0;
  private fits: (line: Line) => boolean = () => true;

  // `begins`: the first of a connection, which repeats the last ones.
  add(replica: string, raw: readonly string[], begins: boolean): void {
    let of = this.replicas.get(replica);
    const late = !of && begins && this.lines.length > 0;
    if (!of) this.replicas.set(replica, (of = { at: 0, replay: undefined, lastLines: [] }));
    else if (begins) of.replay = of.lastLines;
    const { lines: fresh, left, gap } = withoutRepeated(of.replay, raw);
    of.replay = left;
    if (gap) this.push(gapIn(replica, this.next++, of.at));
    for (const each of fresh) {
      const line = parseLine(each, replica, this.next++, of.at);
      of.at = line.at;
      this.push(line);
    }
    of.lastLines = [...of.lastLines, ...fresh.slice(-REPEATED)].slice(-REPEATED);
    if (late) this.putInOrder();
    if (this.lines.length > MOST_LINES) this.drop(this.lines.length - MOST_LINES + DROPPED_AT_ONCE);
  }

  // The last lines of a replica, asked for: those before what is here come before it. Returns how many.
  addEarlier(logs: ReadonlyMap<string, readonly string[]>): number {
    const room = MOST_LINES - this.lines.length;
    const earlier: Line[] = [];
    for (const [replica, raw] of logs) {
      const here = this.lines.filter((each) => each.replica === replica && each.level !== 'gap').slice(0, ALIKE);
      const end = placeIn(
        raw,
        here.map((each) => each.raw),
      );
      let at = 0;
      for (const each of raw.slice(0, end)) {
        const line = parseLine(each, replica, 0, at);
        at = line.at;
        earlier.push(line);
      }
      if (!this.replicas.has(replica))
        this.replicas.set(replica, { at, replay: undefined, lastLines: raw.slice(-REPEATED) });
    }
    earlier.sort((a, b) => a.at - b.at);
    const kept = room > 0 ? earlier.slice(-room) : [];
    for (const line of kept.toReversed()) line.id = this.first--;
    for (const line of kept) this.count(line, 1);
    this.lines = [...kept, ...this.lines];
    this.shown = [...kept.filter(this.fits), ...this.shown];
    return kept.length;
  }

  want(wanted: WantedLines): void {
    this.fits = lineFilter(wanted);
    this.shown = this.lines.filter(this.fits);
  }

  clear(): void {
    this.lines = [];
    this.shown = [];
    this.dropped = 0;
    for (const level of [...LEVELS, 'gap'] as const) this.counts[level] = 0;
  }

  // The last lines of each replica come one replica after the other.
  private putInOrder(): void {
    const ids = this.lines.map((each) => each.id);
    this.lines.sort((a, b) => a.at - b.at);
    this.lines.forEach((line, at) => (line.id = ids[at] ?? line.id));
    this.shown = this.lines.filter(this.fits);
  }
  private push(line: Line): void {
    this.lines.push(line);
    this.count(line, 1);
    if (this.fits(line)) this.shown.push(line);
  }
  private count(line: Line, by: 1 | -1): void {
    this.counts[line.level] += by;
    if (line.worker !== '' && by === 1) this.workers.add(line.worker);
  }
  private drop(many: number): void {
    for (const line of this.lines.slice(0, many)) this.count(line, -1);
    this.lines = this.lines.slice(many);
    this.dropped += many;
    const oldest = this.lines[0]?.id ?? this.next;
    const from = this.shown.findIndex((each) => each.id >= oldest);
    this.shown = from < 0 ? [] : this.shown.slice(from);
  }
}

function gapIn(replica: string, id: number, at: number): Line {
  return {
    id,
    replica,
    raw: '',
    at,
    timed: false,
    level: 'gap',
    source: '',
    message: '',
    fields: undefined,
    worker: '',
    request: '',
  };
}

function same(a: readonly string[], from: number, b: readonly string[]): boolean {
  for (let at = 0; at < b.length && from + at < a.length; at++) if (a[from + at] !== b[at]) return false;
  return true;
}

// Where in `raw` the lines `here` begin; its end when they are not there.
function placeIn(raw: readonly string[], here: readonly string[]): number {
  if (here.length === 0) return raw.length;
  for (let at = 0; at < raw.length; at++) if (same(raw, at, here)) return at;
  return raw.length;
}

// Of what comes, what is not among `known`, the last lines that are here. They may come in several pieces: `left` is
// what is still to be repeated.
function withoutRepeated(
  known: string[] | undefined,
  raw: readonly string[],
): { lines: readonly string[]; left: string[] | undefined; gap: boolean } {
  if (known === undefined || known.length === 0 || raw.length === 0) return { lines: raw, left: known, gap: false };
  for (let from = 0; from < known.length; from++) {
    if (!same(known, from, raw)) continue;
    const repeated = known.length - from;
    return {
      lines: raw.slice(repeated),
      left: raw.length < repeated ? known.slice(from + raw.length) : undefined,
      gap: false,
    };
  }
  return { lines: raw, left: undefined, gap: true };
}
