// SPDX-License-Identifier: Apache-2.0
// What an answer is shown as. All of it is bounded, so that a large one is no burden to look at.

import type { Answer } from './functions.ts';
import type { LogLine } from './types.ts';

export type Shown =
  | { kind: 'empty' }
  | { kind: 'json'; text: string }
  | { kind: 'text'; text: string; cut: boolean }
  | { kind: 'image'; type: string }
  | { kind: 'binary'; text: string; cut: boolean };

export const LARGEST_JSON = 512 * 1024; // that is laid out
export const LONGEST_TEXT = 64 * 1024;
export const LONGEST_DUMP = 4 * 1024;
const LARGEST_IMAGE = 8 * 1024 * 1024;

export function headerOf(answer: Answer, name: string): string {
  return answer.headers.find(([each]) => each.toLowerCase() === name)?.[1] ?? '';
}

export function shownAs(answer: Answer): Shown {
  const { body } = answer;
  if (body.length === 0) return { kind: 'empty' };
  const type = (headerOf(answer, 'content-type').split(';')[0] ?? '').trim().toLowerCase();
  if (type.startsWith('image/') && !answer.truncated && body.length <= LARGEST_IMAGE) return { kind: 'image', type };
  const text = textOf(body, LARGEST_JSON);
  if (text === undefined)
    return { kind: 'binary', text: hexdump(body.subarray(0, LONGEST_DUMP)), cut: body.length > LONGEST_DUMP };
  if (body.length <= LARGEST_JSON && (type.endsWith('json') || /^\s*[[{]/.test(text))) {
    try {
      JSON.parse(text);
      return { kind: 'json', text: laidOut(text) };
    } catch {
      // It says so and is not.
    }
  }
  return { kind: 'text', text: text.slice(0, LONGEST_TEXT), cut: text.length > LONGEST_TEXT || answer.truncated };
}

const TOKENS = /"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,"]+/g;
const DEEPEST_INDENT = 40;

// JSON with a line for each value: token by token, since what was parsed and written again has other numbers (of more
// digits than a double has) and another order (of names that are numbers).
export function laidOut(json: string): string {
  let out = '';
  let depth = 0;
  let opened = false;
  const newLine = () => `\n${'  '.repeat(Math.min(depth, DEEPEST_INDENT))}`;
  for (const [token] of json.matchAll(TOKENS)) {
    const opens = token === '{' || token === '[';
    if (token === '}' || token === ']') {
      depth--;
      out += opened ? token : newLine() + token;
    } else if (token === ',') out += token + newLine();
    else if (token === ':') out += ': ';
    else {
      out += opened ? newLine() + token : token;
      if (opens) depth++;
    }
    opened = opens;
  }
  return out;
}

// The beginning of it, when it is UTF-8 without what text does not have.
export function textOf(body: Uint8Array, most: number): string | undefined {
  try {
    // More is said to follow, so that a letter that is cut in two does not count as a mistake.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body.subarray(0, most), { stream: true });
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

export function hexdump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const hex = row.map((each) => each.toString(16).padStart(2, '0')).join(' ');
    const ascii = row.map((each) => (each >= 0x20 && each < 0x7f ? String.fromCharCode(each) : '.')).join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(47)}  ${ascii}`);
  }
  return lines.join('\n');
}

// What the handler logged during this call.
export function logsOf(answer: Answer): LogLine[] {
  try {
    const lines = JSON.parse(headerOf(answer, 'x-nuclio-logs') || '[]') as unknown;
    return Array.isArray(lines) ? (lines as LogLine[]) : [];
  } catch {
    return [];
  }
}

// What stands beside the message of a line, apart from a traceback, which is shown as it is.
export function variablesOf(line: LogLine): string {
  const taken = new Set(['level', 'time', 'name', 'message', 'traceback']);
  const rest = Object.entries(line).filter(([name]) => !taken.has(name));
  return rest.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(' ');
}

// Where the time of a call went, in seconds: before the handler, in it, and on the way there and back.
export interface Timing {
  queue: number;
  handler: number;
  transport: number;
}
// As the function tells it to who asks for its log lines; undefined when it does not.
export function timingOf(answer: Answer): Timing | undefined {
  const told = headerOf(answer, 'server-timing');
  const read = (name: string) => {
    const milliseconds = new RegExp(`(?:^|,)\\s*${name};dur=([0-9.]+)`).exec(told)?.[1];
    return milliseconds === undefined ? undefined : Number(milliseconds) / 1000;
  };
  const [queue, handler] = [read('queue'), read('handler')];
  if (queue === undefined || handler === undefined) return undefined;
  return { queue, handler, transport: Math.max(0, answer.milliseconds / 1000 - queue - handler) };
}
