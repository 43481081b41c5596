// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';

import { fits, rowOf, sorted, type Sort, type Wanted } from './function_list.ts';
import type { Fares, FunctionObject } from './types.ts';

function row(
  name: string,
  more: { project?: string; runtime?: string; state?: string; fares?: Fares; replicas?: number } = {},
) {
  const object: FunctionObject = {
    metadata: {
      name,
      namespace: 'n',
      labels: { 'nuclio.io/project-name': more.project ?? 'default', 'app.io/tier': 'Front' },
    },
    spec: { runtime: more.runtime ?? 'python:3.11', description: 'Counts words' },
    status: { state: more.state ?? 'ready', ...(more.replicas === undefined ? {} : { replicas: more.replicas }) },
  };
  return rowOf(`n/${name}`, object, more.fares);
}
const all: Wanted = { words: '', state: '', runtime: '', project: '' };

describe('fits', () => {
  const shop = row('shop-cart', { project: 'store' });
  it.each([
    [{}, true],
    [{ words: 'CART' }, true],
    [{ words: 'cart  store' }, true],
    [{ words: 'cart another' }, false],
    [{ words: 'words' }, true],
    [{ words: 'python' }, true],
    [{ words: 'tier=front' }, true],
    [{ words: 'tier:fr' }, true],
    [{ words: 'app.io/tier=front' }, true],
    [{ words: 'tier=back' }, false],
    [{ words: 'python:3' }, true],
    [{ state: 'ready' }, true],
    [{ state: 'error' }, false],
    [{ runtime: 'python' }, true],
    [{ runtime: 'python:3.11' }, false],
    [{ project: 'store' }, true],
    [{ project: 'default' }, false],
    [{ words: 'cart', state: 'ready', runtime: 'python', project: 'store' }, true],
  ])('%o: %s', (wanted, expected) => expect(fits(shop, { ...all, ...wanted })).toBe(expected));
});

describe('sorted', () => {
  const names = (sort: Sort, backwards = false) =>
    sorted(
      [
        row('f10', { project: 'b', fares: { ratePerSecond: 5, p99Seconds: null }, replicas: 2 }),
        row('f9', { project: 'a', fares: { ratePerSecond: 50, p99Seconds: 0.2, replicas: 3 } }),
        row('f1', { project: 'b', state: 'error', replicas: 1 }),
      ],
      sort,
      backwards,
    ).map((each) => each.object.metadata.name);
  it.each<[Sort, string[]]>([
    ['name', ['f1', 'f9', 'f10']],
    ['project', ['f9', 'f1', 'f10']],
    ['state', ['f1', 'f9', 'f10']],
    ['runtime', ['f1', 'f9', 'f10']],
    ['rate', ['f9', 'f10', 'f1']],
    ['errors', ['f1', 'f9', 'f10']],
    ['p99', ['f9', 'f1', 'f10']],
    ['replicas', ['f9', 'f10', 'f1']],
  ])('by %s', (sort, expected) => expect(names(sort)).toEqual(expected));
  it('turns round, but for equal ones, which stay by name', () => {
    expect(names('name', true)).toEqual(['f10', 'f9', 'f1']);
    expect(names('rate', true)).toEqual(['f1', 'f10', 'f9']);
    expect(names('project', true)).toEqual(['f1', 'f10', 'f9']);
  });
});
