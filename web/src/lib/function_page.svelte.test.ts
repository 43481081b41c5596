// SPDX-License-Identifier: Apache-2.0
import { flushSync } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { FunctionPage } from './function_page.svelte.ts';
import { live } from './live.svelte.ts';
import type { FunctionObject } from './types.ts';

function shop(version: string): FunctionObject {
  return {
    metadata: { name: 'shop', namespace: 'nuclio', resourceVersion: version },
    spec: {},
    status: { state: 'ready' },
  };
}

let told = $state.raw<FunctionObject | undefined>(undefined); // by the stream
let stored = shop('1'); // what GET answers
let asked = 0;
let end: () => void = () => {};

function follow(): FunctionPage {
  const page = new FunctionPage({ name: 'shop', namespace: 'nuclio' });
  end = $effect.root(() => {
    $effect(() => page.follow());
  });
  return page;
}
const answers = async () => {
  flushSync();
  for (let i = 0; i < 10; ++i) await Promise.resolve().then(() => flushSync());
};

beforeEach(() => {
  told = undefined;
  stored = shop('1');
  asked = 0;
  vi.spyOn(live, 'function').mockImplementation(() => told);
  vi.stubGlobal('fetch', () => {
    ++asked;
    return Promise.resolve(new Response(JSON.stringify(stored)));
  });
});
afterEach(() => {
  end();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test('it is asked for once, and again when the stream tells of another version', async () => {
  told = shop('1');
  const page = follow();
  await vi.waitFor(() => expect(page.object?.metadata.resourceVersion).toBe('1'));
  expect(asked).toBe(1);
  told = shop('1');
  await answers();
  expect(asked).toBe(1);
  stored = shop('2');
  told = shop('2');
  flushSync();
  await vi.waitFor(() => expect(page.object?.metadata.resourceVersion).toBe('2'));
  expect(asked).toBe(2);
});

test('one that is newer than what the stream knows is not asked for again and again', async () => {
  told = shop('1');
  const page = follow();
  await vi.waitFor(() => expect(page.object?.metadata.resourceVersion).toBe('1'));
  stored = shop('2');
  await page.load();
  await answers();
  expect(page.object?.metadata.resourceVersion).toBe('2');
  expect(asked).toBe(2);
  told = shop('2');
  await answers();
  expect(asked).toBe(2);
});

test('it is asked for where no stream tells of it', async () => {
  const page = follow();
  await vi.waitFor(() => expect(page.object?.metadata.resourceVersion).toBe('1'));
  await answers();
  expect(asked).toBe(1);
});

test('an answer that comes late does not take the place of a newer one', async () => {
  const page = follow();
  await vi.waitFor(() => expect(page.object).toBeDefined());
  let late: (response: Response) => void = () => {};
  vi.stubGlobal('fetch', () => new Promise<Response>((resolve) => (late = resolve)));
  const first = page.load();
  const answerLate = late;
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(shop('3')))));
  await page.load();
  answerLate(new Response(JSON.stringify(shop('2'))));
  await first;
  expect(page.object?.metadata.resourceVersion).toBe('3');
});
