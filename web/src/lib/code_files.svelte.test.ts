// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';

import { CodeDraft } from './code_draft.svelte.ts';
import { CodeFiles } from './code_files.svelte.ts';
import type { FunctionPage } from './function_page.svelte.ts';
import { encodeCode } from './functions.ts';
import type { Files } from './types.ts';

function filesOf(files: Files): { draft: CodeDraft; files: CodeFiles } {
  const build = { functionSourceCode: encodeCode('main'), files };
  const object = { metadata: { name: 'f' }, spec: { runtime: 'python', handler: 'main:handler', build } };
  const draft = new CodeDraft({ object } as unknown as FunctionPage);
  return { draft, files: new CodeFiles(draft) };
}

describe('the files of a draft', () => {
  it("show the handler's unless another is chosen, which may go", () => {
    const { files } = filesOf({ 'lib/a.py': encodeCode('a'), 'notes.json': encodeCode('{}') });
    expect(files.all).toEqual(['main.py', 'lib/a.py', 'notes.json']);
    expect(files.shown).toBe('main.py');
    expect(files.content).toEqual({ text: 'main' });
    files.show('notes.json');
    expect(files.content).toEqual({ text: '{}' });
    expect(files.language).toBe('json');
    files.remove('notes.json');
    expect(files.shown).toBe('main.py');
    expect(files.language).toBe('python');
  });
  it('are written where one is', () => {
    const { draft, files } = filesOf({ 'a.py': encodeCode('a') });
    files.write('main 2');
    files.show('a.py');
    files.write('a 2');
    expect(draft.text).toBe('main 2');
    expect(draft.files).toEqual({ 'a.py': encodeCode('a 2') });
  });
  it('get a new one, which is shown, unless its name cannot be', () => {
    const { draft, files } = filesOf({});
    files.add('lib/a.py');
    expect(files.shown).toBe('lib/a.py');
    for (const path of ['main.py', 'lib/a.py', 'lib', '../a']) expect(() => files.add(path), path).toThrow();
    expect(Object.keys(draft.files)).toEqual(['lib/a.py']);
  });
  it('keep their content under another name', () => {
    const { draft, files } = filesOf({ 'a.py': encodeCode('a'), 'b.py': encodeCode('b') });
    expect(() => files.rename('a.py', 'b.py')).toThrow();
    files.rename('a.py', 'a.py');
    files.rename('a.py', 'lib/a.py');
    expect(draft.files).toEqual({ 'lib/a.py': encodeCode('a'), 'b.py': encodeCode('b') });
    expect(files.shown).toBe('lib/a.py');
  });
  it('take uploads all together or not at all', () => {
    const { draft, files } = filesOf({ 'a.py': encodeCode('a') });
    const b = { path: 'b.py', content: encodeCode('b') };
    expect(() => files.upload([b, { path: 'main.py', content: '' }])).toThrow('main.py');
    expect(Object.keys(draft.files)).toEqual(['a.py']);
    files.upload([b, { path: 'a.py', content: encodeCode('a 2') }]);
    expect(draft.files).toEqual({ 'a.py': encodeCode('a 2'), 'b.py': encodeCode('b') });
    expect(files.shown).toBe('b.py');
  });
  it('take one back that was taken out, unless something else is there', () => {
    const { draft, files } = filesOf({ 'a.py': encodeCode('a') });
    const undo = files.remove('a.py');
    undo();
    expect(draft.files).toEqual({ 'a.py': encodeCode('a') });
    const late = files.remove('a.py');
    files.add('a.py');
    files.write('another');
    late();
    expect(draft.files).toEqual({ 'a.py': encodeCode('another') });
  });
});
