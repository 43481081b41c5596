// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';

import { codeOf, fileOf, setCode } from './code.ts';
import { decodeCode, encodeCode } from './functions.ts';
import type { Build, FunctionObject } from './types.ts';

function withBuild(build: Build): FunctionObject {
  return { metadata: { name: 'f', annotations: { 'skip-build': 'true', kept: 'yes' } }, spec: { build } };
}

describe('codeOf', () => {
  it('takes the inline code before a path', () => {
    const object = withBuild({ path: '/src/f.py', functionSourceCode: encodeCode('x = "ü"\n') });
    expect(codeOf(object)).toEqual({ kind: 'here', text: 'x = "ü"\n', files: {} });
  });
  it('takes a repository before inline code that was left', () => {
    const build = { codeEntryType: 'git', path: 'https://git/r', functionSourceCode: encodeCode('x') };
    expect(codeOf(withBuild(build))).toEqual({ kind: 'elsewhere', what: 'git', path: 'https://git/r' });
  });
  it('tells a file, a URL and nothing', () => {
    expect(codeOf(withBuild({ path: '/src/f' }))).toMatchObject({ what: 'file' });
    expect(codeOf(withBuild({ path: 'https://x/f.py' }))).toMatchObject({ what: 'url' });
    expect(codeOf(withBuild({}))).toMatchObject({ what: 'none' });
  });
});

describe('setCode', () => {
  it('leaves nothing that says that the code is elsewhere', () => {
    const object = withBuild({ path: '/src/f', codeEntryType: 'archive', codeEntryAttributes: {}, commands: ['true'] });
    setCode(object, { text: 'y', files: { b: 'Yg==' }, runtime: 'python', handler: 'main:handler' }, true);
    expect(object.spec.build).toEqual({
      functionSourceCode: encodeCode('y'),
      files: { b: 'Yg==' },
      commands: ['true'],
    });
    expect(object.metadata.annotations).toEqual({ kept: 'yes' });
    expect(decodeCode(object.spec.build?.functionSourceCode ?? '')).toBe('y');
  });
});

it('leaves code that is elsewhere where it is', () => {
  const object = withBuild({ path: '/src/f' });
  setCode(object, { text: '', files: {}, runtime: 'python:3.12', handler: 'f:go' }, false);
  expect(object.spec).toEqual({ runtime: 'python:3.12', handler: 'f:go', build: { path: '/src/f' } });
});

describe('fileOf', () => {
  it.each([
    ['main:handler', 'python:3.11', 'main.py'],
    ['a.b:handler', 'python', 'a/b.py'],
    ['shop.py:handler', 'python', 'shop.py'],
    ['shop.cpp:run', 'cpp', 'shop.cpp'],
    ['shop:run', 'cpp', 'shop.cc'],
    ['', 'python', 'main.py'],
  ])('%s of %s is in %s', (handler, runtime, file) => {
    expect(fileOf(handler, runtime)).toBe(file);
  });
});
