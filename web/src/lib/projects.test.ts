// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';

import { exportsIn, failuresOf, projectRows } from './projects.ts';
import type { FunctionObject, Project } from './types.ts';

const project = (name: string): Project => ({ metadata: { name }, spec: {} });
const inProject = (name: string, of?: string): [string, FunctionObject] => [
  `ns/${name}`,
  { metadata: { name, labels: of ? { 'nuclio.io/project-name': of } : {} }, spec: {} },
];

describe('projectRows', () => {
  it('adds up what the functions of each say, by name', () => {
    const rows = projectRows(
      [project('media'), project('default')],
      [inProject('a', 'media'), inProject('b', 'media'), inProject('c'), inProject('d', 'nowhere')],
      (key) => (key === 'ns/c' ? undefined : { ratePerSecond: 2, errorsPerSecond: 0.5 }),
    );
    expect(rows.map((each) => [each.name, each.functions.length, each.rate, each.errors])).toEqual([
      ['default', 1, undefined, undefined],
      ['media', 2, 4, 1],
    ]);
  });
});

describe('exportsIn', () => {
  const one = { project: project('a'), functions: {} };
  it('takes one project, or several by name', () => {
    expect(exportsIn(one)).toHaveLength(1);
    expect(exportsIn({ a: one, b: one })).toHaveLength(2);
  });
  it('says what it was given instead', () => {
    expect(() => exportsIn({ metadata: {}, spec: {} })).toThrow('function');
    for (const other of [null, 'x', [], {}, { a: 1 }]) expect(() => exportsIn(other)).toThrow('export');
  });
});

describe('failuresOf', () => {
  it('lists what was left behind, of each kind', () => {
    const none = { createdAmount: 0, failedAmount: 0 };
    const result = {
      functionImportResult: { ...none, failedFunctions: [{ function: 'a', error: 'exists' }] },
      functionEventImportResult: { ...none, failedFunctionEvents: [{ functionEvent: 'e', error: 'bad' }] },
      apiGatewayImportResult: { ...none, failedAPIGateways: null },
    };
    expect(failuresOf(result)).toEqual(['a: exists', 'e: bad']);
  });
});
