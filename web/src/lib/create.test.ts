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
  type GivenFile,
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

const file = (path: string, text = '') => ({ path, content: encodeCode(text) });

describe('functionFromFiles', () => {
  it('takes language, handler and name from one file', () => {
    const { object, problem } = functionFromFiles([file('resize.py', 'x = 1')], parse);
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
    const given = ['shop/m.cc', 'shop/README.md', 'shop/.git/HEAD'].map((path) => file(path));
    const { object, leftOut } = functionFromFiles([...given, file('shop/function.yaml', yaml)], parse);
    expect(object?.metadata.name).toBe('shop');
    expect(object?.spec).toMatchObject({ runtime: 'cpp', handler: 'm:run', minReplicas: 2 });
    expect(leftOut).toEqual(['shop/README.md', 'shop/.git/HEAD']);
  });
  it('takes a folder with all that is in it', () => {
    const folder = [file('shop/lib/prices.py', 'p'), file('shop/main.py', 'm'), file('shop/requirements.txt', 'r')];
    const { object, choices, main } = functionFromFiles(folder, parse);
    expect(object?.metadata.name).toBe('shop');
    expect(object?.spec).toEqual({
      runtime: 'python',
      handler: 'main:handler',
      build: {
        functionSourceCode: encodeCode('m'),
        files: { 'lib/prices.py': encodeCode('p'), 'requirements.txt': encodeCode('r') },
      },
    });
    expect(choices).toEqual(['lib/prices.py', 'main.py']);
    expect(main).toBe('main.py');
  });
  it('lets one say where the handler is, unless function.yaml does', () => {
    const folder = [file('shop/lib/prices.py', 'p'), file('shop/main.py', 'm')];
    const chosen = functionFromFiles(folder, parse, 'lib/prices.py').object;
    expect(chosen?.spec.handler).toBe('lib.prices:handler');
    expect(chosen?.spec.build?.files).toEqual({ 'main.py': encodeCode('m') });
    const yaml = JSON.stringify({ metadata: {}, spec: { handler: 'lib.prices:run' } });
    const said = functionFromFiles([...folder, file('shop/function.yaml', yaml)], parse);
    expect(said.choices).toEqual([]);
    expect(said.object?.metadata.name).toBe('shop');
    expect(said.object?.spec.build).toEqual({
      functionSourceCode: encodeCode('p'),
      files: { 'main.py': encodeCode('m') },
    });
  });
  it('says what is wrong and what to do', () => {
    const yaml = JSON.stringify({ metadata: {}, spec: { handler: 'other:run' } });
    const problem = (...given: GivenFile[]) => functionFromFiles(given, parse).problem;
    expect(problem(file('a.py'), file('b.py'), file('function.yaml', yaml))).toContain('other.py');
    expect(problem(file('a/function.yaml', yaml), file('b/b.py'))).toContain('b/b.py');
    expect(problem(file('a.zip'))).toContain('archive');
    expect(problem(file('a.rb'))).toContain('.py');
    expect(problem(file('function.yaml', 'no JSON'))).toContain('function.yaml:');
    expect(problem()).not.toBe('');
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
