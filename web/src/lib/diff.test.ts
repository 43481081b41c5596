// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';

import { around, changesIn, diffLines, linesOf, type DiffLine } from './diff.ts';

const shown = (lines: readonly DiffLine[]) =>
  lines.map((each) => `${{ same: ' ', gone: '-', new: '+' }[each.kind]}${each.text}`);
const text = (lines: readonly string[]) => lines.map((each) => `${each}\n`).join('');

describe('diffLines', () => {
  it.each([
    ['', '', []],
    ['a\n', 'a', [' a']],
    ['', 'a\nb\n', ['+a', '+b']],
    ['a\nb\n', '', ['-a', '-b']],
    ['a\nb\nc\n', 'a\nc\n', [' a', '-b', ' c']],
    ['a\nb\nc\n', 'a\nx\nc\n', [' a', '-b', '+x', ' c']],
    ['a\nb\n', 'b\na\n', ['-a', ' b', '+a']],
    ['a\r\nb\r\n', 'a\nb\n', [' a', ' b']],
  ])('%j to %j', (before, after, expected) => {
    expect(shown(diffLines(before, after))).toEqual(expected);
  });

  it('finds the example of the paper with its five differences', () => {
    const lines = diffLines(text([...'ABCABBA']), text([...'CBABAC']));
    expect(changesIn(lines)).toEqual({ gone: 3, fresh: 2 });
  });

  it('makes one text of the other, and tells the numbers of lines, whatever they are', () => {
    let seed = 1;
    const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below;
    for (let round = 0; round < 300; round++) {
      const some = () => Array.from({ length: random(30) }, () => 'abc'[random(3)] ?? '');
      const [a, b] = [some(), some()];
      const lines = diffLines(text(a), text(b));
      const before = lines.filter((each) => each.kind !== 'new');
      const after = lines.filter((each) => each.kind !== 'gone');
      expect(before.map((each) => each.text)).toEqual(a);
      expect(after.map((each) => each.text)).toEqual(b);
      expect(before.map((each) => each.before)).toEqual(a.map((_, at) => at + 1));
      expect(after.map((each) => each.after)).toEqual(b.map((_, at) => at + 1));
    }
  });

  it('gives up on texts that have nothing in common, soon', () => {
    const many = (word: string) => text(Array.from({ length: 20_000 }, (_, at) => `${word} ${at}`));
    const begin = performance.now();
    const lines = diffLines(`head\n${many('a')}`, `head\n${many('b')}`);
    expect(changesIn(lines)).toEqual({ gone: 20_000, fresh: 20_000 });
    expect(lines[0]?.kind).toBe('same');
    expect(performance.now() - begin).toBeLessThan(3000);
  });

  it('marks what differs within a line that has another in its place', () => {
    const [gone, fresh] = diffLines('replicas: 12\n', 'replicas: 3\n');
    expect([gone?.part, fresh?.part]).toEqual([
      [10, 12],
      [10, 11],
    ]);
    expect(diffLines('abcdef\n', 'xyz\n').map((each) => each.part)).toEqual([undefined, undefined]);
  });
});

describe('around', () => {
  const numbers = Array.from({ length: 30 }, (_, at) => String(at));
  const numbersWith = (at: number, line: string) => text(numbers.with(at, line));
  it('keeps three lines on each side and says what it skips', () => {
    const lines = diffLines(text(numbers), numbersWith(15, 'x'));
    const part = around(lines, 3);
    expect(part[0]).toEqual({ kind: 'skipped', from: 0, to: 12 });
    expect(part.at(-1)).toEqual({ kind: 'skipped', from: 20, to: 31 });
    expect(part).toHaveLength(10);
  });
  it('shows all when there is nothing worth skipping, and skips all that is the same', () => {
    const lines = diffLines('a\nb\nc\nd\n', 'a\nb\nc\nx\n');
    expect(around(lines, 3)).toEqual(lines);
    expect(around(diffLines(text(numbers), text(numbers)), 3)).toEqual([{ kind: 'skipped', from: 0, to: 30 }]);
  });
});

describe('linesOf', () => {
  it('does not count what is behind the last end of a line', () => {
    expect(linesOf('')).toEqual([]);
    expect(linesOf('a\n')).toEqual(['a']);
    expect(linesOf('a\n\n')).toEqual(['a', '']);
  });
});
