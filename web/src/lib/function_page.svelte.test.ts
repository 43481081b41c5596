// SPDX-License-Identifier: Apache-2.0
import { flushSync } from 'svelte';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

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

test('when nobody was heard it is asked for again as soon as the stream tells of it, also of the same version', async () => {
  vi.useFakeTimers();
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
  told = shop('1');
  const page = follow();
  flushSync();
  await vi.runAllTimersAsync();
  vi.useRealTimers();
  expect(page.error).toContain('cannot be reached');
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(stored))));
  told = shop('1');
  await answers();
  expect(page.object?.metadata.resourceVersion).toBe('1');
  expect(page.error).toBe('');
});

test('what it said of a read that failed goes with the return of the stream, though nothing has changed', async () => {
  told = shop('1');
  const page = follow();
  await vi.waitFor(() => expect(page.object?.metadata.resourceVersion).toBe('1'));
  vi.useFakeTimers();
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
  const failing = page.load();
  await vi.runAllTimersAsync();
  await failing;
  vi.useRealTimers();
  expect(page.error).toContain('cannot be reached');
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(stored))));
  told = shop('1');
  await answers();
  expect(page.error).toBe('');
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

describe('until a deploy is over', () => {
  const building = (version: string): FunctionObject => ({ ...shop(version), status: { state: 'building' } });
  beforeEach(() => {
    vi.useFakeTimers();
    live.connection = 'live';
  });
  afterEach(() => {
    vi.useRealTimers();
    live.connection = 'connecting';
  });

  test('is told by the stream, and nobody asks', async () => {
    told = building('2');
    let settled: FunctionObject | undefined;
    const page = new FunctionPage({ name: 'shop', namespace: 'nuclio' });
    void page.untilSettled().then((it) => (settled = it));
    await vi.advanceTimersByTimeAsync(60_000);
    flushSync();
    expect(settled).toBeUndefined();
    told = shop('3');
    await answers();
    expect(settled?.metadata.resourceVersion).toBe('3');
    expect(asked).toBe(0);
  });

  test('is not what the stream said before it began', async () => {
    told = shop('1');
    let settled: FunctionObject | undefined;
    const page = new FunctionPage({ name: 'shop', namespace: 'nuclio' });
    void page.untilSettled('1').then((it) => (settled = it));
    await answers();
    expect(settled).toBeUndefined();
    told = shop('2');
    await answers();
    expect(settled?.metadata.resourceVersion).toBe('2');
  });

  test('is asked for while there is no stream', async () => {
    told = building('2'); // the last that was heard
    live.connection = 'lost';
    let settled: FunctionObject | undefined;
    const page = new FunctionPage({ name: 'shop', namespace: 'nuclio' });
    void page.untilSettled('1').then((it) => (settled = it));
    stored = building('2');
    await vi.advanceTimersByTimeAsync(25_000);
    expect(settled).toBeUndefined();
    expect(asked).toBe(2);
    stored = shop('3');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(settled?.metadata.resourceVersion).toBe('3');
    // And no more then.
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toBe(3);
  });

  test('is not waited for longer than a deploy may take', async () => {
    told = building('2');
    const page = new FunctionPage({ name: 'shop', namespace: 'nuclio' });
    let said = '';
    page.untilSettled().catch((error: Error) => (said = error.message));
    await vi.advanceTimersByTimeAsync(2 * 3600_000 - 20_000);
    expect(said).toBe('');
    await vi.advanceTimersByTimeAsync(40_000);
    expect(said).toContain('shop');
    expect(said).toContain('deploy it again');
  });
});
