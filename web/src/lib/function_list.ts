// SPDX-License-Identifier: Apache-2.0
// Which functions a list shows, and in which order.

import { stateOf } from './states.ts';
import { projectOf } from './functions.ts';
import type { Fares, FunctionObject } from './types.ts';

export interface Wanted {
  words: string; // all of them, each anywhere; "label=value" or "label:value" is a label
  state: string; // "" for all
  runtime: string; // without its version
  project: string;
}

export interface Row {
  key: string;
  object: FunctionObject;
  fares: Fares | undefined;
  state: string;
  project: string;
}

export const SORTS = ['name', 'project', 'state', 'runtime', 'rate', 'errors', 'p99', 'replicas'] as const;
export type Sort = (typeof SORTS)[number];

export function runtimeOf(object: FunctionObject): string {
  return (object.spec.runtime ?? '').split(':')[0] ?? '';
}

export function rowOf(key: string, object: FunctionObject, fares: Fares | undefined): Row {
  return { key, object, fares, state: stateOf(object), project: projectOf(object) };
}

// Those that say how they fare; a cluster also tells of others.
export function replicasOf(row: Row): number | undefined {
  return row.fares?.replicas ?? row.object.status?.replicas;
}

function has(row: Row, word: string): boolean {
  const { metadata, spec } = row.object;
  const label = /^([^=:]+)[=:](.*)$/.exec(word);
  if (label) {
    const [, name = '', value = ''] = label;
    if (
      Object.entries(metadata.labels ?? {}).some(
        ([key, each]) => key.toLowerCase().endsWith(name) && each.toLowerCase().startsWith(value),
      )
    )
      return true;
  }
  return [metadata.name, row.project, spec.runtime ?? '', spec.description ?? ''].some((text) =>
    text.toLowerCase().includes(word),
  );
}

export function fits(row: Row, wanted: Wanted): boolean {
  if (wanted.state !== '' && row.state !== wanted.state) return false;
  if (wanted.runtime !== '' && runtimeOf(row.object) !== wanted.runtime) return false;
  if (wanted.project !== '' && row.project !== wanted.project) return false;
  return wanted.words
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .every((word) => has(row, word));
}

function valueOf(row: Row, sort: Sort): string | number {
  switch (sort) {
    case 'name':
      return row.object.metadata.name;
    case 'project':
      return row.project;
    case 'state':
      return row.state;
    case 'runtime':
      return row.object.spec.runtime ?? '';
    case 'rate':
      return row.fares?.ratePerSecond ?? -1;
    case 'errors':
      return row.fares?.errorsPerSecond ?? -1;
    case 'p99':
      return row.fares?.p99Seconds ?? -1;
    case 'replicas':
      return replicasOf(row) ?? -1;
  }
}

// Texts from A, numbers from the largest; by name where they are equal.
export function sorted(rows: Row[], sort: Sort, backwards: boolean): Row[] {
  const sign = backwards ? -1 : 1;
  const compare = new Intl.Collator('en', { numeric: true }).compare;
  return rows.sort((a, b) => {
    const [x, y] = [valueOf(a, sort), valueOf(b, sort)];
    const order = typeof x === 'number' ? (y as number) - x : compare(x, y as string);
    return sign * order || compare(a.object.metadata.name, b.object.metadata.name);
  });
}
