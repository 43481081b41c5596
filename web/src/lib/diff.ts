// SPDX-License-Identifier: Apache-2.0
// How one text became another, line by line.

export interface DiffLine {
  kind: 'same' | 'gone' | 'new';
  text: string;
  before: number | undefined; // the line's number in each text, from 1
  after: number | undefined;
  // Of a line that has another in its place: which part of it differs.
  part: [from: number, to: number] | undefined;
}
export interface Skipped {
  kind: 'skipped';
  from: number; // in the whole diff
  to: number;
}

// Myers' way costs the square of the differences, in time and in memory. With more than these nobody reads what was kept
// between two changes: then all is gone and all is new.
const MOST_DIFFERENCES = 2000;

export function linesOf(text: string): string[] {
  if (text === '') return [];
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

// E. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986): the furthest that each diagonal gets with d
// differences, for d = 0, 1, …; then the way back through what was kept of them. Undefined beyond the limit.
function shortest(a: readonly string[], b: readonly string[]): ('same' | 'gone' | 'new')[] | undefined {
  const most = Math.min(a.length + b.length, MOST_DIFFERENCES);
  const furthest = new Int32Array(2 * most + 3);
  const middle = most + 1;
  const kept: Int32Array[] = [];
  const get = (from: Int32Array, at: number) => from[at] ?? 0;
  for (let d = 0; d <= most; d++) {
    kept.push(furthest.slice(middle - d - 1, middle + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && get(furthest, middle + k - 1) < get(furthest, middle + k + 1));
      let x = down ? get(furthest, middle + k + 1) : get(furthest, middle + k - 1) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      furthest[middle + k] = x;
      if (x >= a.length && x - k >= b.length) return wayBack(a.length, b.length, kept);
    }
  }
  return undefined;
}

function wayBack(x: number, y: number, kept: readonly Int32Array[]): ('same' | 'gone' | 'new')[] {
  const steps: ('same' | 'gone' | 'new')[] = [];
  for (let d = kept.length - 1; d > 0; d--) {
    const get = (k: number) => kept[d]?.[k + d + 1] ?? 0;
    const k = x - y;
    const down = k === -d || (k !== d && get(k - 1) < get(k + 1));
    const begin = get(down ? k + 1 : k - 1);
    for (let same = x - begin - (down ? 0 : 1); same > 0; same--) steps.push('same');
    steps.push(down ? 'new' : 'gone');
    y = begin - (down ? k + 1 : k - 1);
    x = begin;
  }
  for (; x > 0; x--) steps.push('same');
  return steps.reverse();
}

export function diffLines(before: string, after: string): DiffLine[] {
  const [a, b] = [linesOf(before), linesOf(after)];
  // What is the same at both ends, which mostly is nearly all, needs no search.
  const least = Math.min(a.length, b.length);
  let head = 0;
  while (head < least && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < least - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const [fromA, fromB] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
  const between = shortest(fromA, fromB) ?? [...fromA.map(() => 'gone' as const), ...fromB.map(() => 'new' as const)];

  const lines: DiffLine[] = [];
  let [x, y] = [0, 0];
  const add = (kind: DiffLine['kind']) => {
    const text = (kind === 'new' ? b[y] : a[x]) ?? '';
    const before = kind === 'new' ? undefined : ++x;
    const after = kind === 'gone' ? undefined : ++y;
    lines.push({ kind, text, before, after, part: undefined });
  };
  for (let at = 0; at < head; at++) add('same');
  for (const kind of between) add(kind);
  for (let at = 0; at < tail; at++) add('same');
  markParts(lines);
  return lines;
}

// As many lines that are new as are gone just before them are taken for each other's change.
function markParts(lines: DiffLine[]): void {
  for (let at = 0; at < lines.length;) {
    const gone = runOf(lines, at, 'gone');
    const fresh = runOf(lines, at + gone, 'new');
    if (gone > 0 && gone === fresh) {
      for (let i = 0; i < gone; i++) markPart(lines[at + i], lines[at + gone + i]);
    }
    at += Math.max(gone + fresh, 1);
  }
}
function runOf(lines: readonly DiffLine[], at: number, kind: DiffLine['kind']): number {
  let length = 0;
  while (lines[at + length]?.kind === kind) length++;
  return length;
}
function markPart(gone: DiffLine | undefined, fresh: DiffLine | undefined): void {
  if (!gone || !fresh) return;
  const least = Math.min(gone.text.length, fresh.text.length);
  let head = 0;
  while (head < least && gone.text[head] === fresh.text[head]) head++;
  let tail = 0;
  while (tail < least - head && gone.text.at(-1 - tail) === fresh.text.at(-1 - tail)) tail++;
  // Where nearly all differs, all of it is said to.
  if (head + tail < least / 3) return;
  gone.part = [head, gone.text.length - tail];
  fresh.part = [head, fresh.text.length - tail];
}

// With a few of the same lines around each change, and the rest of them skipped.
export function around(lines: readonly DiffLine[], context: number): (DiffLine | Skipped)[] {
  const out: (DiffLine | Skipped)[] = [];
  for (let at = 0; at < lines.length;) {
    const same = runOf(lines, at, 'same');
    const from = at === 0 ? 0 : at + context;
    const to = at + same === lines.length ? lines.length : at + same - context;
    // To skip one line takes a line itself.
    if (to - from > 1) {
      out.push(...lines.slice(at, from), { kind: 'skipped', from, to }, ...lines.slice(to, at + same));
    } else out.push(...lines.slice(at, at + same));
    at += same;
    while (at < lines.length && lines[at]?.kind !== 'same') out.push(lines[at++] as DiffLine);
  }
  return out;
}

export function changesIn(lines: readonly DiffLine[]): { gone: number; fresh: number } {
  const many = (kind: DiffLine['kind']) => lines.filter((each) => each.kind === kind).length;
  return { gone: many('gone'), fresh: many('new') };
}
