// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';

import {
  aboutTemplate,
  emptyFunction,
  freeName,
  functionFrom,
  functionFromFiles,
  named,
  nameProblem,
} from './create.ts';
import { decodeCode, encodeCode } from './functions.ts';
import { runtimes } from './runtimes.ts';

const parse = (text: string) => JSON.parse(text) as unknown;

describe('nameProblem', () => {
  it.each(['a', 'shop', 'shop-2', '2-shop', 'a'.repeat(63)])('takes %s', (name) => expect(nameProblem(name)).toBe(''));
  it.each(['', 'Shop', 'a b', '-a', 'a-', 'a_b', 'ä', 'a'.repeat(64)])('refuses "%s"', (name) =>
    expect(nameProblem(name)).not.toBe(''),
  );
  it('refuses one that is taken', () => expect(nameProblem('shop', () => true)).toContain('already'));
});

describe('freeName', () => {
  it('makes a label of any text', () => expect(freeName('Hello World.py', () => false)).toBe('hello-world-py'));
  it('counts until it is free', () => expect(freeName('a', (name) => name !== 'a-3')).toBe('a-3'));
  it('has a name for nothing', () => expect(freeName('***', () => false)).toBe('function'));
});

describe('functionFrom', () => {
  it('keeps what a deploy is made of, and leaves out what keeps an export from running', () => {
    const object = functionFrom({
      apiVersion: 'nuclio.io/v1',
      metadata: { name: 'a', resourceVersion: '7', annotations: { 'skip-build': 'true', team: 'x' } },
      spec: { runtime: 'python' },
      status: { state: 'ready' },
    });
    expect(object).toEqual({ metadata: { name: 'a', annotations: { team: 'x' } }, spec: { runtime: 'python' } });
  });
  it('says what it was given instead', () => {
    expect(() => functionFrom({ project: {}, functions: {} })).toThrow('Projects');
    expect(() => functionFrom({ a: { spec: {} }, b: { spec: {} } })).toThrow('2 functions');
    expect(() => functionFrom('text')).toThrow('no function');
    expect(() => functionFrom(null)).toThrow('no function');
  });
});

describe('functionFromFiles', () => {
  it('takes language, handler and name from one file', () => {
    const { object, problem } = functionFromFiles([{ path: 'resize.py', text: 'x = 1' }], parse);
    expect(problem).toBe('');
    expect(object?.metadata.name).toBe('resize');
    expect(object?.spec).toEqual({
      runtime: 'python',
      handler: 'resize:handler',
      build: { functionSourceCode: encodeCode('x = 1') },
    });
  });
  it('merges the function.yaml beside it, whose words count', () => {
    const yaml = JSON.stringify({ metadata: { name: 'shop' }, spec: { handler: 'm:run', minReplicas: 2 } });
    const { object } = functionFromFiles(
      [
        { path: 'shop/m.cc', text: '' },
        { path: 'shop/function.yaml', text: yaml },
        { path: 'shop/README.md', text: '' },
        { path: 'shop/.git/HEAD', text: '' },
      ],
      parse,
    );
    expect(object?.metadata.name).toBe('shop');
    expect(object?.spec).toMatchObject({ runtime: 'cpp', handler: 'm:run', minReplicas: 2 });
  });
  it('says what to do where one file is not enough', () => {
    const two = [
      { path: 'a.py', text: '' },
      { path: 'b.py', text: '' },
    ];
    expect(functionFromFiles(two, parse).problem).toContain('terminal');
    expect(functionFromFiles([{ path: 'a.zip', text: '' }], parse).problem).toContain('archive');
    expect(functionFromFiles([{ path: 'a.rb', text: '' }], parse).problem).toContain('.py');
    expect(functionFromFiles([], parse).problem).not.toBe('');
  });
});

describe('templates and empty functions', () => {
  it('finds out about a template whose values are still open', () => {
    const template = `spec:\n  description: "Greets: all"\n  runtime: cpp\n  env: {{ .x }}\n  build:\n    functionSourceCode: ${encodeCode('int x;')}\n`;
    expect(aboutTemplate({ metadata: { name: 'a' }, template })).toEqual({
      description: 'Greets: all',
      runtime: 'cpp',
      code: 'int x;',
    });
  });
  it('has an example for each language', () => {
    for (const runtime of runtimes) {
      const { spec } = emptyFunction(runtime);
      expect(spec.runtime).toBe(runtime.name);
      expect(decodeCode(spec.build?.functionSourceCode ?? '')).toContain('handler');
    }
  });
  it('gives it its name and project', () => {
    const object = named({ metadata: { name: 'x', labels: { a: 'b' } }, spec: {} }, 'y', 'p');
    expect(object.metadata).toEqual({ name: 'y', labels: { a: 'b', 'nuclio.io/project-name': 'p' } });
  });
});
