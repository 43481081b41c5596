// SPDX-License-Identifier: Apache-2.0
// An event as it is written in a form, kept for a function while the browser's tab is open, and what is sent of it.

import type { Call, FunctionId } from './functions.ts';
import type { FunctionEvent, Json } from './types.ts';

export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

export interface EventDraft {
  method: string;
  path: string;
  headers: string; // "Name: value", a line each
  body: string;
}

export function newDraft(): EventDraft {
  return { method: 'POST', path: '/', headers: 'Content-Type: application/json', body: '{}' };
}
export function hasBody(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

// What a browser would refuse to send is told by its line.
export function headersIn(text: string): { headers: Record<string, string>; wrong: number[] } {
  const headers: Record<string, string> = {};
  const wrong: number[] = [];
  text.split('\n').forEach((line, at) => {
    if (line.trim() === '') return;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim();
    const value = line.slice(colon + 1).trim();
    if (!NAME.test(name) || !/^[\x20-\x7e\xa0-\xff\t]*$/.test(value)) wrong.push(at + 1);
    else headers[name] = value;
  });
  return { headers, wrong };
}

// With the handler's log lines from that level on.
export function callOf(draft: EventDraft, logs: 'debug' | 'error' | undefined): Call {
  const { headers } = headersIn(draft.headers);
  const named = Object.keys(headers).some((each) => each.toLowerCase() === 'x-nuclio-log-level');
  return {
    method: draft.method,
    // It travels as a header, which has no other letters than these.
    path: draft.path.replaceAll(/[^\x21-\x7e]+/g, encodeURIComponent),
    headers: logs && !named ? { ...headers, 'X-Nuclio-Log-Level': logs } : headers,
    body: hasBody(draft.method) ? draft.body : '',
  };
}

function text(value: Json | undefined, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}
export function draftOf(event: FunctionEvent): EventDraft {
  const { attributes = {}, body = '' } = event.spec;
  const headers = attributes['headers'];
  const lines =
    headers !== null && typeof headers === 'object' && !Array.isArray(headers)
      ? Object.entries(headers).map(([name, value]) => `${name}: ${text(value, JSON.stringify(value))}`)
      : [];
  return {
    method: text(attributes['method'], body === '' ? 'GET' : 'POST'),
    path: text(attributes['path'], '/'),
    headers: lines.join('\n'),
    body,
  };
}
export function specOf(draft: EventDraft, displayName: string): FunctionEvent['spec'] {
  const { headers } = headersIn(draft.headers);
  return {
    displayName,
    triggerKind: 'http',
    body: draft.body,
    attributes: { method: draft.method, path: draft.path, headers },
  };
}

const keyOf = (id: FunctionId) => `nuclio.event ${id.namespace}/${id.name}`;

export function keptDraft(id: FunctionId): EventDraft {
  try {
    const kept = JSON.parse(sessionStorage.getItem(keyOf(id)) ?? '{}') as Partial<EventDraft>;
    return { ...newDraft(), ...kept };
  } catch {
    return newDraft();
  }
}
export function keepDraft(id: FunctionId, draft: EventDraft): void {
  try {
    sessionStorage.setItem(keyOf(id), JSON.stringify(draft));
  } catch {
    // Larger than what a browser keeps: it is there until one leaves.
  }
}
