// SPDX-License-Identifier: Apache-2.0
// The calls about functions, by the names that the rest of the app uses. `namespace` "" is the dashboard's own.

import { texts } from '../texts.ts';
import { ApiError, call, errorIn, getJson } from './api.ts';
import type { FunctionObject, JsonObject, Revision } from './types.ts';

export interface FunctionId {
  name: string;
  namespace: string;
}

export const PROJECT_LABEL = 'nuclio.io/project-name';
export const DEFAULT_PROJECT = 'default';

export function projectOf(object: { metadata: FunctionObject['metadata'] }): string {
  return object.metadata.labels?.[PROJECT_LABEL] ?? DEFAULT_PROJECT;
}

export function within(namespace: string): Record<string, string> {
  return namespace === '' ? {} : { 'X-Nuclio-Function-Namespace': namespace };
}
const pathOf = (id: FunctionId) => `/api/functions/${encodeURIComponent(id.name)}`;

export function getFunction(id: FunctionId, signal?: AbortSignal): Promise<FunctionObject> {
  return getJson(pathOf(id), { headers: within(id.namespace), ...(signal ? { signal } : {}) });
}

// A deploy is begun when this is done; its course is told by the stream. With `until` "settled" it is over: ApiError 500
// says how it failed.
export async function putFunction(object: FunctionObject, until: 'begun' | 'settled' = 'begun'): Promise<void> {
  const namespace = object.metadata.namespace ?? '';
  const body = { metadata: object.metadata, spec: object.spec };
  const path = pathOf({ name: object.metadata.name, namespace });
  const headers = within(namespace);
  if (until === 'begun') await call('PUT', path, { body, headers });
  else
    await call('PUT', path, {
      body,
      headers: { ...headers, 'X-Nuclio-Wait-Function-Action': 'true' },
      seconds: LONGEST_DEPLOY_SECONDS,
    });
}
// As long as the dashboard itself waits.
export const LONGEST_DEPLOY_SECONDS = 2 * 3600;

export async function createFunction(object: FunctionObject): Promise<void> {
  const namespace = object.metadata.namespace ?? '';
  const headers = { ...within(namespace), 'X-Nuclio-Project-Name': projectOf(object) };
  await call('POST', '/api/functions', { body: { metadata: object.metadata, spec: object.spec }, headers });
}

export async function deleteFunction(id: FunctionId): Promise<void> {
  const metadata = { name: id.name, ...(id.namespace === '' ? {} : { namespace: id.namespace }) };
  await call('DELETE', '/api/functions', { body: { metadata } });
}

export async function setDesiredState(id: FunctionId, desiredState: 'ready' | 'scaledToZero'): Promise<void> {
  await call('PATCH', pathOf(id), { body: { desiredState }, headers: within(id.namespace) });
}

export async function getRevisions(id: FunctionId): Promise<Revision[]> {
  const path = `/api/v2/functions/${encodeURIComponent(id.name)}/revisions`;
  return (await getJson<{ revisions: Revision[] }>(path, { headers: within(id.namespace) })).revisions;
}
export function getRevision(id: FunctionId, number: number): Promise<FunctionObject> {
  return getJson(`/api/v2/functions/${encodeURIComponent(id.name)}/revisions/${number}`, {
    headers: within(id.namespace),
  });
}

export async function getReplicas(id: FunctionId): Promise<string[]> {
  return (await getJson<{ names: string[] }>(`${pathOf(id)}/replicas`, { headers: within(id.namespace) })).names;
}
// The last lines that a replica logged.
export async function getLog(id: FunctionId, replica: string, lines: number): Promise<string[]> {
  const path = `${pathOf(id)}/logs/${encodeURIComponent(replica)}?tailLines=${lines}`;
  const text = await (await call('GET', path, { headers: within(id.namespace) })).text();
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

// An event for a function, and what came of it. `seconds` until it counts as lost.
export interface Call {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
  seconds?: number;
}
export interface Answer {
  status: number;
  headers: [string, string][];
  body: Uint8Array<ArrayBuffer>; // at most LONGEST_ANSWER of it
  truncated: boolean;
  milliseconds: number; // from the request to the end of the body, measured here
  firstMilliseconds: number; // until the headers were there
}
const LONGEST_ANSWER = 16 * 1024 * 1024;

// The answer of the function, whatever its status is; ApiError when the dashboard could not ask it.
export async function invoke(id: FunctionId, what: Call, signal?: AbortSignal): Promise<Answer> {
  const begin = performance.now();
  const headers = {
    ...what.headers,
    'X-Nuclio-Csrf': '1',
    'X-Nuclio-Function-Name': id.name,
    'X-Nuclio-Path': what.path,
    ...(id.namespace === '' ? {} : { 'X-Nuclio-Function-Namespace': id.namespace }),
  };
  const deadline = AbortSignal.timeout((what.seconds ?? 60) * 1000);
  const init: RequestInit = {
    method: what.method,
    headers,
    signal: signal ? AbortSignal.any([deadline, signal]) : deadline,
  };
  if (what.body !== '' && what.method !== 'GET' && what.method !== 'HEAD') init.body = what.body;
  let response: Response;
  try {
    response = await fetch('/api/function_invocations', init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, deadline.aborted ? texts.errors.noAnswer(what.seconds ?? 60) : texts.errors.unreachable);
  }
  if (response.status === 401 && !isOfFunction(response)) throw await errorIn(response);
  const firstMilliseconds = performance.now() - begin;
  const { body, truncated } = await bodyOf(response);
  return {
    status: response.status,
    headers: [...response.headers],
    body,
    truncated,
    milliseconds: performance.now() - begin,
    firstMilliseconds,
  };
}

// A function may ask for a login of its own, which is no end of ours. The dashboard locks each answer of a function, and
// none of its own, into a sandbox, whatever the function says of that.
function isOfFunction(response: Response): boolean {
  return /\bsandbox\b/.test(response.headers.get('Content-Security-Policy') ?? '');
}

async function bodyOf(response: Response): Promise<{ body: Uint8Array<ArrayBuffer>; truncated: boolean }> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value.subarray(0, LONGEST_ANSWER - size));
    size += value.length;
    if (size < LONGEST_ANSWER) continue;
    await reader.cancel();
    break;
  }
  const body = new Uint8Array(Math.min(size, LONGEST_ANSWER));
  let at = 0;
  for (const piece of pieces) {
    body.set(piece, at);
    at += piece.length;
  }
  return { body, truncated: size > LONGEST_ANSWER };
}

// Its code is base64 of UTF-8.
export function decodeCode(encoded: string): string {
  return new TextDecoder().decode(Uint8Array.from(atob(encoded), (each) => each.charCodeAt(0)));
}
export function encodeCode(text: string): string {
  return encodeBytes(new TextEncoder().encode(text));
}
export function encodeBytes(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

export type Rendered = { metadata: JsonObject; spec: JsonObject };
