// SPDX-License-Identifier: Apache-2.0
// A value as YAML and back, with the places of its parts. Comments stay where they are when a part changes.

import { Document, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, stringify } from 'yaml';

import type { Problem } from './problems.ts';
import type { Difference, Path } from './schema.ts';
import type { Json } from './types.ts';

export function yamlOf(value: Json | undefined): string {
  return value === undefined ? '' : stringify(value, { lineWidth: 0 });
}

export class YamlText {
  private readonly lines = new LineCounter();
  private readonly document: Document;
  // Of its form; what it says may still be wrong.
  readonly problems: Problem[];

  constructor(readonly text: string) {
    this.document = parseDocument(text, { lineCounter: this.lines });
    this.problems = this.document.errors.map((error) => ({
      line: error.linePos?.[0].line ?? 1,
      message: (error.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, ''),
      severity: 'error',
    }));
  }

  value(): Json | undefined {
    return this.document.toJS() as Json | undefined;
  }

  // Where it stands, or the nearest that is there of what it is in; from 1.
  lineOf(path: Path): number {
    let node: unknown = this.document.contents;
    let offset = 0;
    for (const step of path) {
      if (isMap(node)) {
        const pair = node.items.find((each) => isPair(each) && isScalar(each.key) && String(each.key.value) === step);
        if (!pair || !isScalar(pair.key)) break;
        offset = pair.key.range?.[0] ?? offset;
        node = pair.value;
      } else if (isSeq(node) && typeof step === 'number') {
        node = node.items[step];
        const range = (node as { range?: [number, number, number] } | undefined)?.range;
        if (!range) break;
        offset = range[0];
      } else break;
    }
    return this.lines.linePos(offset).line || 1;
  }

  // With these changes made; what they do not touch keeps its comments and its looks.
  changed(changes: Difference[]): string {
    const document = this.document.clone() as Document;
    for (const { path, after } of changes) {
      if (path.length === 0) return yamlOf(after);
      if (after === undefined) document.deleteIn(path);
      else document.setIn(path, document.createNode(after));
    }
    return document.toString({ lineWidth: 0 });
  }
}
