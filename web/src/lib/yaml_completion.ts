// SPDX-License-Identifier: Apache-2.0
// What may stand at a place in a function's YAML. The text is seldom complete while one types, so its indentation is
// looked at, not its tree.

import { isObject, memberOf, resolved, type Schema } from './schema.ts';
import type { Json } from './types.ts';

export interface Choice {
  label: string;
  detail: string;
  insert: string;
}
export interface Choices {
  from: number;
  choices: Choice[];
}

interface Line {
  indent: number; // of the key itself, behind the dash of an entry
  dash: number; // where that is, or -1
  key: string;
  value: string;
}
function read(line: string): Line | undefined {
  const found = /^( *)((?:- +)*)(?:([^\s:#'"-][^:#]*|'[^']*'|"[^"]*"):(?: +(.*))?)?/.exec(line);
  if (!found || line.trim() === '' || line.trim().startsWith('#')) return undefined;
  const [, blanks = '', dashes = '', key = '', value = ''] = found;
  return {
    indent: blanks.length + dashes.length,
    dash: dashes === '' ? -1 : blanks.length,
    key: key.replace(/^['"]|['"]$/g, ''),
    value: value.trim(),
  };
}

// The lines that a place with this indentation is within, the outermost first: their keys, "-" for an entry.
function parentsOf(lines: string[], indent: number): { path: string[]; siblings: Map<string, string> } {
  const path: string[] = [];
  const siblings = new Map<string, string>();
  let least = indent;
  let beside = true;
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = read(lines[at] ?? '');
    if (!line) continue;
    if (beside && line.indent === indent && line.key !== '') siblings.set(line.key, line.value);
    if (line.dash >= 0 && line.indent === least) {
      path.unshift('-');
      least = line.dash + 1;
      beside = false;
    } else if (line.indent < least && line.key !== '') {
      path.unshift(line.key);
      least = line.indent;
      beside = false;
      if (line.dash >= 0) {
        path.unshift('-');
        least = line.dash + 1;
      }
    }
    if (least === 0) break;
  }
  return { path, siblings };
}

function fieldInsert(name: string, schema: Schema): string {
  if (schema.type === 'object' || schema.type === 'array') return `${name}:`;
  return `${name}: `;
}

// `value` is what the text said when it could last be read: for the kind of a trigger.
export function completionsAt(text: string, offset: number, schema: Schema, value?: Json): Choices | undefined {
  const before = text.slice(0, offset).split('\n');
  const line = before.pop() ?? '';
  const typed = /^( *(?:- +)*)([^\s:#]*)$/.exec(line);
  const valued = /^( *(?:- +)*)([^\s:#]+): +(\S*)$/.exec(line);
  const lead = (typed ?? valued)?.[1];
  if (lead === undefined) return undefined;
  const { path, siblings } = parentsOf(before, lead.length);
  // The first line of an entry is within it, though the dash stands on the same line.
  if (lead.includes('-')) {
    const within = parentsOf(before, lead.indexOf('-') + 1).path;
    path.splice(0, path.length, ...within.filter((each, at) => !(each === '-' && at === within.length - 1)), '-');
    siblings.clear();
  }
  let here: Schema | undefined = schema;
  let data: unknown = value;
  for (const step of path) {
    here = step === '-' ? here?.items : here && memberOf(resolved(here, data), step);
    data = step !== '-' && isObject(data) ? data[step] : undefined;
  }
  if (!here) return undefined;
  const whole = resolved(
    here,
    isObject(data) ? { ...data, ...Object.fromEntries(siblings) } : Object.fromEntries(siblings),
  );
  if (typed) {
    const choices = Object.entries(whole.properties ?? {})
      .filter(([name]) => !siblings.has(name))
      .map(([name, each]) => ({ label: name, detail: each.description ?? '', insert: fieldInsert(name, each) }));
    return choices.length > 0 ? { from: offset - (typed[2]?.length ?? 0), choices } : undefined;
  }
  const member = memberOf(whole, valued?.[2] ?? '');
  const values = member?.type === 'boolean' ? [true, false] : (member?.enum ?? []).filter((each) => each !== '');
  const choices = values.map((each) => ({
    label: String(each),
    detail: each === member?.default ? 'default' : '',
    insert: String(each),
  }));
  return choices.length > 0 ? { from: offset - (valued?.[3]?.length ?? 0), choices } : undefined;
}
