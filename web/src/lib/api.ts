// SPDX-License-Identifier: Apache-2.0
// The one way to the REST API: its errors with the server's words, its deadlines, the header that its logins ask for.

import { texts } from '../texts.ts';
import type { Json } from './types.ts';

// What the server said, or that nothing was heard of it (status 0).
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export interface CallOptions {
  body?: unknown;
  headers?: Record<string, string>;
  seconds?: number; // until it counts as lost
  signal?: AbortSignal;
}

// Called when a call is answered 401: the login has expired, or there is none.
// `then` says whether that ends a session.
let onLoggedOut: () => boolean = () => false;
export function whenLoggedOut(then: () => boolean): void {
  onLoggedOut = then;
}

const CALL_SECONDS = 30;
// Before what is read is asked for again, when its connection was cut: the network has changed, the server was replaced.
const PAUSES_MILLISECONDS = [200, 800];

function messageIn(text: string, status: number): string {
  try {
    const said = JSON.parse(text) as { error?: unknown };
    if (typeof said.error === 'string' && said.error !== '') return said.error;
  } catch {
    // Not of the dashboard: of something in front of it.
  }
  return text.trim() === '' ? texts.errors.answered(status) : text.slice(0, 500);
}

// Throws ApiError for anything but an answer of 2xx.
export async function call(method: string, path: string, options: CallOptions = {}): Promise<Response> {
  const deadline = AbortSignal.timeout((options.seconds ?? CALL_SECONDS) * 1000);
  const init: RequestInit = {
    method,
    headers: {
      'X-Nuclio-Csrf': '1',
      ...(options.body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...options.headers,
    },
    signal: options.signal ? AbortSignal.any([deadline, options.signal]) : deadline,
  };
  if (options.body !== undefined) init.body = JSON.stringify(options.body);
  const pauses = method === 'GET' ? [...PAUSES_MILLISECONDS] : [];
  for (;;) {
    try {
      const response = await fetch(path, init);
      if (response.ok) return response;
      throw await errorIn(response);
    } catch (error) {
      if (error instanceof ApiError || options.signal?.aborted) throw error;
      if (deadline.aborted) throw new ApiError(0, texts.errors.late);
      const pause = pauses.shift();
      if (pause === undefined) throw new ApiError(0, texts.errors.unreachable);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
export async function errorIn(response: Response): Promise<ApiError> {
  const text = await response.text();
  // What the server says then is for programs: how they show who they are.
  if (response.status === 401 && onLoggedOut()) return new ApiError(401, texts.login.ended);
  return new ApiError(response.status, messageIn(text, response.status));
}

export async function getJson<T = Json>(path: string, options: CallOptions = {}): Promise<T> {
  const response = await call('GET', path, options);
  return (await response.json()) as T;
}

// What an error says to a person, whatever was thrown.
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
