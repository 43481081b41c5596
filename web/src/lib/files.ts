// SPDX-License-Identifier: Apache-2.0
// The files that a function's code consists of: as a tree, and what may be a name among them.

import { texts } from '../texts.ts';

export interface Entry {
  name: string;
  path: string;
  entries?: Entry[]; // of a folder
}

// Folders first, each sorted by name.
export function treeOf(paths: readonly string[]): Entry[] {
  const top: Entry[] = [];
  for (const path of paths) {
    let entries = top;
    const names = path.split('/');
    for (const [depth, name] of names.entries()) {
      if (depth === names.length - 1) {
        entries.push({ name, path });
        break;
      }
      const folder = names.slice(0, depth + 1).join('/');
      let entry = entries.find((each) => each.entries && each.name === name);
      if (!entry) entries.push((entry = { name, path: folder, entries: [] }));
      entries = entry.entries ?? [];
    }
  }
  return sorted(top);
}
function sorted(entries: Entry[]): Entry[] {
  for (const { entries: below } of entries) if (below) sorted(below);
  const rank = ({ entries: below, name }: Entry) => `${below ? 0 : 1}${name}`;
  return entries.sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

// Why `path` cannot be a file beside the `others`, as the server says it; "" when it can.
export function pathProblem(path: string, others: readonly string[]): string {
  const t = texts.files;
  const names = path.split('/');
  if (path === '' || names.some((each) => each === '' || each === '.' || each === '..')) return t.badPath;
  if (/[\u0000-\u001f\u007f]/.test(path) || path.length > 1024 || names.some((each) => each.length > 255))
    return t.badPath;
  if (others.includes(path)) return t.taken(path);
  const inTheWay = others.find((each) => each.startsWith(`${path}/`) || path.startsWith(`${each}/`));
  return inTheWay === undefined ? '' : t.inTheWay(inTheWay);
}

// What is in a file of base64: its text, or how much of something else.
export type Content = { text: string } | { bytes: number };
export function contentOf(base64: string): Content {
  const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
  if (bytes.includes(0)) return { bytes: bytes.length };
  try {
    // With the mark at its beginning, if it has one: what is not changed stays as it is.
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { bytes: bytes.length };
  }
}
