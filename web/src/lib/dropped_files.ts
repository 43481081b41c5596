// SPDX-License-Identifier: Apache-2.0
// The files that somebody drops on the page or chooses, those of folders too.

import { texts } from '../texts.ts';
import type { GivenFile } from './create.ts';
import { encodeBytes } from './functions.ts';

const MOST_FILES = 200;
const MOST_BYTES = 4 * 1024 * 1024;

interface Found {
  path: string;
  file: File;
}

// To be called while the drop is handled: afterwards the browser forgets what was dropped.
export async function filesOf(transfer: DataTransfer): Promise<GivenFile[]> {
  const given = [...transfer.items]
    .filter((each) => each.kind === 'file')
    .map((each) => ({ entry: each.webkitGetAsEntry(), file: each.getAsFile() }));
  const found: Found[] = [];
  for (const { entry, file } of given) {
    if (entry) await walk(entry, found);
    else if (file) found.push({ path: file.name, file });
  }
  return read(found);
}
export function filesIn(list: FileList): Promise<GivenFile[]> {
  return read([...list].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
}

async function walk(entry: FileSystemEntry, found: Found[]): Promise<void> {
  if (found.length > MOST_FILES) return;
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed));
    found.push({ path: entry.fullPath.replace(/^\//, ''), file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // It gives a hundred at a time, and none when it is done.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return;
    for (const each of some) await walk(each, found);
  }
}

async function read(found: Found[]): Promise<GivenFile[]> {
  if (found.length > MOST_FILES) throw new Error(texts.create.tooMany(MOST_FILES));
  return Promise.all(
    found.map(async ({ path, file }) => {
      if (file.size > MOST_BYTES) throw new Error(texts.create.tooLarge(path));
      return { path, content: encodeBytes(new Uint8Array(await file.arrayBuffer())) };
    }),
  );
}
