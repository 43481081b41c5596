// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';

import { callOf, draftOf, headersIn, keepDraft, keptDraft, newDraft, specOf } from './events.ts';

describe('headersIn', () => {
  it('reads a header of each line', () => {
    expect(headersIn('X-Shop: north\n\nAccept:a: b')).toEqual({
      headers: { 'X-Shop': 'north', Accept: 'a: b' },
      wrong: [],
    });
  });
  it('says which lines are none', () => {
    expect(headersIn('X-Shop north\nA b: c\nX: ☃\nY: 1').wrong).toEqual([1, 2, 3]);
  });
});

describe('callOf', () => {
  it('asks for the logs of the call, unless the event says how', () => {
    expect(callOf(newDraft(), 'debug').headers).toHaveProperty('X-Nuclio-Log-Level', 'debug');
    const own = { ...newDraft(), headers: 'x-nuclio-log-level: warn' };
    expect(callOf(own, 'debug').headers).toEqual({ 'x-nuclio-log-level': 'warn' });
  });
  it('encodes what a header cannot hold, and leaves the rest of a path as it is', () => {
    expect(callOf({ ...newDraft(), path: '/a b/ü?x=%20' }, undefined).path).toBe('/a%20b/%C3%BC?x=%20');
  });
  it('sends no body with GET', () => {
    expect(callOf({ ...newDraft(), method: 'GET', body: 'x' }, undefined).body).toBe('');
  });
});

describe('a saved event', () => {
  it('becomes the form that it was made of', () => {
    const draft = { method: 'PUT', path: '/orders', headers: 'X-Shop: north', body: '{"items": 40}' };
    expect(draftOf({ metadata: { name: 'e' }, spec: specOf(draft, 'Orders') })).toEqual(draft);
  });
  it('may say next to nothing', () => {
    expect(draftOf({ metadata: { name: 'e' }, spec: {} })).toEqual({ method: 'GET', path: '/', headers: '', body: '' });
  });
});

it('is kept for a function', () => {
  const id = { name: 'f', namespace: '' };
  expect(keptDraft(id)).toEqual(newDraft());
  keepDraft(id, { ...newDraft(), path: '/x' });
  expect(keptDraft(id).path).toBe('/x');
  expect(keptDraft({ ...id, name: 'g' }).path).toBe('/');
});
