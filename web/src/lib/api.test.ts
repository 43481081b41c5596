// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { ApiError, call, getJson } from './api.ts';

let asked = 0;
// The first `times` requests meet a connection that is cut, as where the network has changed.
function cut(times: number) {
  asked = 0;
  vi.stubGlobal('fetch', (_: string, { signal }: RequestInit) => {
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    if (++asked <= times) return Promise.reject(new TypeError('Failed to fetch'));
    return Promise.resolve(new Response('{"here": true}'));
  });
}
// What it ends with, with all the time that it wants.
async function end(made: Promise<unknown>): Promise<unknown> {
  const ended = made.catch((error: unknown) => error);
  await vi.runAllTimersAsync();
  return ended;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('what is read over a connection that is cut', () => {
  test('is asked for again', async () => {
    cut(2);
    expect(await end(getJson('/api/functions'))).toEqual({ here: true });
    expect(asked).toBe(3);
  });
  test('is given up where the dashboard stays away', async () => {
    cut(100);
    const error = await end(getJson('/api/functions'));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 0, message: 'the dashboard cannot be reached' });
    expect(asked).toBe(3);
  });
  test('is not asked for again by who has gone', async () => {
    cut(100);
    const gone = new AbortController();
    const made = getJson('/api/functions', { signal: gone.signal });
    setTimeout(() => gone.abort(), 100);
    expect(await end(made)).toMatchObject({ name: 'AbortError' });
    expect(asked).toBe(1);
  });
});

test('what changes something is asked for once, since it may have arrived', async () => {
  cut(100);
  expect(await end(call('POST', '/api/functions'))).toMatchObject({ status: 0 });
  expect(asked).toBe(1);
});

test('an answer that says no is one', async () => {
  const fetched = vi.fn(() => Promise.resolve(new Response('{"error": "there is none"}', { status: 404 })));
  vi.stubGlobal('fetch', fetched);
  expect(await end(getJson('/api/functions/x'))).toMatchObject({ status: 404, message: 'there is none' });
  expect(fetched).toHaveBeenCalledOnce();
});
