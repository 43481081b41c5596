// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';

import { contentOf, pathProblem, treeOf } from './files.ts';
import { encodeCode } from './functions.ts';

describe('the tree of files', () => {
  it('has folders before files, and both by name', () => {
    const tree = treeOf(['main.py', 'lib/b.py', 'a.txt', 'lib/deep/c.py', 'lib/a.py']);
    expect(tree.map((each) => each.path)).toEqual(['lib', 'a.txt', 'main.py']);
    expect(tree[0]?.entries?.map((each) => each.path)).toEqual(['lib/deep', 'lib/a.py', 'lib/b.py']);
    expect(tree[0]?.entries?.[0]?.entries).toEqual([{ name: 'c.py', path: 'lib/deep/c.py' }]);
  });
  it('keeps a file and a folder of one name apart', () => {
    expect(treeOf(['a', 'b/a/c']).map((each) => each.name)).toEqual(['b', 'a']);
  });
});

describe('a path', () => {
  it('stays within the folder', () => {
    for (const path of ['', '/a', '../a', 'a//b', 'a/', './a', 'a\nb', 'a'.repeat(256)])
      expect(pathProblem(path, []), path).not.toBe('');
    for (const path of ['a', 'lib/prices.py', '.hidden', 'ä b.txt']) expect(pathProblem(path, ['main.py'])).toBe('');
  });
  it('is not in the way of another', () => {
    expect(pathProblem('main.py', ['main.py'])).toContain('main.py');
    expect(pathProblem('lib', ['lib/a.py'])).toContain('lib/a.py');
    expect(pathProblem('main.py/x', ['main.py'])).toContain('main.py');
    expect(pathProblem('lib/b.py', ['lib/a.py'])).toBe('');
  });
});

describe('the content of a file', () => {
  it('is text where it is UTF-8, and comes back as it was', () => {
    for (const text of ['', 'ä\r\n', '\ufeffwith a mark']) {
      const content = contentOf(encodeCode(text));
      expect(content).toEqual({ text });
    }
  });
  it('is a number of bytes where it is not', () => {
    expect(contentOf(btoa('\xff\xd8\xff'))).toEqual({ bytes: 3 });
    expect(contentOf(btoa('a\0'))).toEqual({ bytes: 2 });
  });
});
