// SPDX-License-Identifier: Apache-2.0
// What is loaded, and how soon it is there.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';

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

test('the first load is small, each chunk is, and all of it is compressed and kept', async (t) => {
  const { page } = await visit(t, place);
  const loaded: { path: string; sent: number; plain: number; headers: Record<string, string> }[] = [];
  page.on('response', (response) => {
    const path = new URL(response.url()).pathname;
    if (path.startsWith('/api')) return;
    void response.body().then(async (body) => {
      loaded.push({
        path,
        sent: (await response.request().sizes()).responseBodySize,
        plain: body.length,
        headers: response.headers(),
      });
    });
  });
  await page.reload();
  await page.getByRole('link', { name: 'shop', exact: true }).waitFor();
  const first = loaded.reduce((sum, each) => sum + each.sent, 0);
  t.diagnostic(`first load: ${(first / KB).toFixed(1)} KB in ${loaded.length} files`);
  assert(loaded.length >= 3);
  assert(first <= 60 * KB, `${first} bytes`);
  for (const path of [
    '/functions/shop',
    '/functions/shop/configuration',
    '/functions/shop/triggers',
    '/functions/shop/test',
    '/functions/shop/logs',
    '/functions/shop/metrics',
    '/functions/shop/revisions',
    '/new',
    '/projects',
    '/settings',
  ]) {
    await page.goto(path);
    await page.waitForLoadState('networkidle').catch(() => undefined);
    await page.waitForTimeout(300);
  }
  for (const { path, plain, headers } of loaded) {
    assert(plain <= 250 * KB, `${path} has ${plain} bytes`);
    if (!path.startsWith('/assets/')) continue;
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
