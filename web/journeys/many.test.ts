// SPDX-License-Identifier: Apache-2.0
// A thousand functions, and answers that would rather not be shown. On this machine alone: a cluster need not have them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { onCluster, OwnDashboard, press, screenshot, until, visit } from './place.ts';

const MANY = 1000;
const MARKUP = '<img src=x onerror=alert(1)><b>bold</b>';
let place: OwnDashboard;
const here = { skip: onCluster, timeout: 120_000 };

before(async () => {
  if (onCluster) return;
  place = await OwnDashboard.start();
  const names = Array.from({ length: MANY }, (_, at) => `f-${String(at).padStart(4, '0')}`);
  // Imported, so that they are there and run nothing.
  const annotations = { 'skip-build': 'true', 'skip-deploy': 'true' };
  for (let at = 0; at < MANY; at += 20)
    await Promise.all(
      names.slice(at, at + 20).map(async (name) => {
        const spec = { runtime: 'python:3.11', handler: 'main:handler', description: MARKUP };
        const made = await place.api('POST', '/api/functions', { metadata: { name, annotations }, spec });
        assert.equal(made.status, 202, made.text);
      }),
    );
  await until(
    'all are there',
    async () => Object.keys(JSON.parse((await place.api('GET', '/api/functions')).text)).length === MANY,
    60,
  );
});
after(() => place?.end());

test('a list of a thousand is there within a second, scrolls, sorts and is searched', here, async (t) => {
  const { page } = await visit(t, place);
  await page.getByText('1000 functions').waitFor();
  const times: number[] = [];
  for (let i = 0; i < 3; ++i) {
    await page.reload();
    times.push(
      await page.evaluate(
        () =>
          new Promise<number>((resolve) => {
            const look = () =>
              document.querySelector('[data-function]') ? resolve(performance.now()) : requestAnimationFrame(look);
            look();
          }),
      ),
    );
  }
  const best = Math.min(...times);
  t.diagnostic(`there after ${times.map((each) => each.toFixed(0)).join(', ')} ms`);
  assert(best <= 1000, `${best} ms`);
  const rows = await page.locator('[data-function]').count();
  assert(rows < 60, `${rows} rows are in the page`);
  await screenshot(page, 'functions-many');
  // Frames while it scrolls through all of them: a row that is not there in time is a gap.
  const slow = await page.evaluate(async () => {
    const box = document.querySelector<HTMLElement>('.rows');
    if (!box) return -1;
    const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
    let before = await frame();
    const times: number[] = [];
    for (let top = 0; top < box.scrollHeight; top += 1500) {
      box.scrollTop = top;
      const now = await frame();
      times.push(now - before);
      before = now;
    }
    return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Infinity;
  });
  t.diagnostic(`a frame takes ${slow.toFixed(1)} ms while scrolling (middle)`);
  assert(slow > 0 && slow < 50);
  await page.locator('[data-function=f-0999]').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('f-05');
  await page.getByText('100 of 1000 functions').waitFor();
  await press(page, page.getByRole('button', { name: 'Sort by Name' }));
  await page.locator('[data-function=f-0599]').waitFor();
});

test('markup in what functions say is text', here, async (t) => {
  const { page } = await visit(t, place, `/?q=${encodeURIComponent('f-0001')}`);
  const link = page.getByRole('link', { name: 'f-0001', exact: true });
  await link.waitFor();
  assert.equal(await link.getAttribute('title'), MARKUP);
  assert.equal(await page.locator('img[src=x]').count(), 0);
});
