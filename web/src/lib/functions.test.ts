// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it, vi } from 'vitest';

import { whenLoggedOut } from './api.ts';
import { invoke } from './functions.ts';

const SHOP = { name: 'shop', namespace: '' };
const EVENT = { method: 'POST', path: '', headers: {}, body: '' };

function answeredBy(policy: string, status: number, body: string): { loggedOut: () => boolean } {
  let loggedOut = false;
  whenLoggedOut(() => (loggedOut = true));
  const headers = { 'Content-Security-Policy': policy, 'WWW-Authenticate': 'Bearer' };
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(body, { status, headers })));
  return { loggedOut: () => loggedOut };
}

describe('an invocation that is answered 401', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    whenLoggedOut(() => false);
  });
  it('by the dashboard is the end of the session, and no answer', async () => {
    const { loggedOut } = answeredBy("default-src 'none'; frame-ancestors 'none'", 401, '{"error":"log in first"}');
    await expect(invoke(SHOP, EVENT)).rejects.toThrow('log in and try again');
    expect(loggedOut()).toBe(true);
  });
  it('by the function is its answer', async () => {
    const { loggedOut } = answeredBy('sandbox', 401, '{"error":"who are you?"}');
    const answer = await invoke(SHOP, EVENT);
    expect(answer.status).toBe(401);
    expect(new TextDecoder().decode(answer.body)).toContain('who are you?');
    expect(loggedOut()).toBe(false);
  });
});
