// SPDX-License-Identifier: Apache-2.0
// What is loaded, and how soon it is there.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import type { Page } from 'playwright-core';

import { aPlace, HELLO, visit, type Place } from './place.ts';

const KB = 1000;
let place: Place;
before(async () => {
  place = await aPlace();
  await place.deploy('shop', HELLO);
});

// The middle of five, since other tests run beside it.
async function middle(measure: () => Promise<number>): Promise<number> {
  const all: number[] = [];
  for (let i = 0; i < 5; ++i) all.push(await measure());
  return all.sort((a, b) => a - b)[2] ?? Infinity;
}

const ADDRESSES = ['code', 'configuration', 'triggers', 'test', 'logs', 'metrics', 'revisions'].map(
  (each) => `/functions/shop/${each}`,
);

interface File {
  path: string;
  sent: number; // bytes of the body, as sent
  plain: number;
}
// What this page has loaded of the app itself.
function filesOf(page: Page): Promise<File[]> {
  return page.evaluate(() =>
    (performance.getEntries() as PerformanceResourceTiming[])
      .filter((each) => each.entryType === 'navigation' || each.entryType === 'resource')
      .map((each) => ({ path: new URL(each.name).pathname, sent: each.encodedBodySize, plain: each.decodedBodySize }))
      .filter((each) => !each.path.startsWith('/api')),
  );
}

test('the first load is small, each chunk is, and all of it is compressed and kept', async (t) => {
  const { page } = await visit(t, place);
  await page.getByRole('link', { name: 'shop', exact: true }).waitFor();
  const first = await filesOf(page);
  const sent = first.reduce((sum, each) => sum + each.sent, 0);
  t.diagnostic(`first load: ${(sent / KB).toFixed(1)} KB in ${first.length} files`);
  assert(first.length >= 3);
  assert(sent > 10 * KB && sent <= 60 * KB, `${sent} bytes`);
  const all = new Map<string, File>();
  for (const path of [...ADDRESSES, '/new', '/projects', '/settings']) {
    await page.goto(path);
    await page.getByRole('heading').first().waitFor();
    await page.waitForTimeout(700);
    for (const file of await filesOf(page)) all.set(file.path, file);
  }
  const chunks = [...all.values()].filter((each) => each.path.startsWith('/assets/'));
  t.diagnostic(`${chunks.length} chunks, the largest of ${Math.max(...chunks.map((each) => each.plain)) / KB} KB`);
  assert(chunks.length > 10);
  for (const { path, plain } of chunks) {
    assert(plain <= 250 * KB, `${path} has ${plain} bytes`);
    const headers = await page.evaluate(async (asked) => Object.fromEntries((await fetch(asked)).headers), path);
    assert.equal(headers['content-encoding'], 'gzip', path);
    assert.match(headers['cache-control'] ?? '', /immutable/, path);
  }
});

test('something is painted within 500 ms, and code can be edited within 800 ms', async (t) => {
  const { page } = await visit(t, place, '/functions/shop');
  const painted = await middle(async () => {
    await page.reload();
    await page.getByRole('heading', { name: 'shop' }).waitFor();
    return page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity);
  });
  // In the page: how long the driver takes to notice is not the reader's wait.
  const ready = await middle(async () => {
    await page.reload();
    return page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const look = () => {
            const roots = [
              document,
              ...[...document.querySelectorAll('*')].map((each) => each.shadowRoot).filter((each) => each !== null),
            ];
            if (roots.some((each) => each.querySelector('.cm-content'))) resolve(performance.now());
            else requestAnimationFrame(look);
          };
          look();
        }),
    );
  });
  t.diagnostic(`first paint ${painted.toFixed(0)} ms, code ready ${ready.toFixed(0)} ms`);
  assert(painted <= 500, `first paint after ${painted} ms`);
  assert(ready <= 800, `code ready after ${ready} ms`);
});
