// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { call } from './api.ts';
import { session } from './session.svelte.ts';
import type { Grant, Session } from './types.ts';

const login = { required: true, basic: true, tokens: true, oidc: false, kubernetes: false };
const ada: Session = { loggedIn: true, name: 'ada', grants: [], login };
const nobody: Session = { loggedIn: false, login };

function answer(status: number, body: unknown = {}) {
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify(body), { status }));
}
beforeEach(() => {
  session.current = undefined;
  session.expired = false;
});

describe('a login', () => {
  it('is asked for when nobody is logged in, and has not expired then', async () => {
    answer(200, nobody);
    await session.load();
    expect([session.mustLogIn, session.expired]).toEqual([true, false]);
  });
  it('has expired when a call is refused', async () => {
    answer(200, ada);
    await session.load();
    expect(session.mustLogIn).toBe(false);
    answer(401, { error: 'send a token' });
    await expect(call('GET', '/api/functions')).rejects.toThrow('log in and try again');
    expect([session.mustLogIn, session.expired]).toEqual([true, true]);
  });
  it('that is refused says why, also over what has expired', async () => {
    answer(200, ada);
    await session.load();
    answer(401, { error: 'send a token' });
    await expect(call('GET', '/api/functions')).rejects.toThrow();
    answer(401, { error: 'no user has this name and password' });
    await expect(session.logIn({ username: 'ada', password: 'wrong' })).rejects.toThrow('no user has this name');
  });
  it('has expired when the dashboard says so', async () => {
    answer(200, ada);
    await session.load();
    answer(200, nobody);
    await session.load();
    expect([session.mustLogIn, session.expired]).toEqual([true, true]);
  });
});

describe('may', () => {
  const grant = (role: Grant['role'], project: string): Grant => ({ role, project, namespace: '*' });
  it.each([
    [[grant('admin', '*')], 'developer', 'shop', true],
    [[grant('developer', 'shop')], 'developer', 'shop', true],
    [[grant('developer', 'shop')], 'developer', 'store', false],
    [[grant('viewer', '*'), grant('developer', 'shop')], 'admin', 'shop', false],
    [[], 'admin', 'shop', true],
  ] as const)('%o: %s of %s', (grants, role, project, expected) => {
    session.current = { ...ada, grants: [...grants] };
    expect(session.may(role, project)).toBe(expected);
  });
  it('is so for everybody where nobody is asked, and for nobody before that is known', () => {
    expect(session.may('viewer', 'shop')).toBe(false);
    session.current = { ...nobody, login: { ...login, required: false } };
    expect(session.may('admin', 'shop')).toBe(true);
  });
});
