// SPDX-License-Identifier: Apache-2.0
// A page that is left open. Much happens in little time: what is kept of each change, half an hour of them would show.
// With NUCLIO_LIVE_SECONDS in the environment it is looked at for so long, and every change comes once a second.
// On this machine alone: the page is the same.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Page } from 'playwright-core';

import { HELLO, onCluster, OwnDashboard, visit } from './place.ts';

const LOOKED_AT = 100; // functions that change
const LONG = Number(process.env['NUCLIO_LIVE_SECONDS'] ?? 0);
const SECONDS = LONG || 40;
const WARM_SECONDS = LONG ? 70 : 20; // the last minute of rates is kept
const CHANGERS = LONG ? 1 : 4; // at the same time
const PAUSE_MILLISECONDS = LONG ? 1000 : 40;
// What JavaScript itself keeps grows for a while; of a change nothing is left. One function as it is told has 350 bytes.
const MOST_BYTES = 320 * 1024;
const MOST_BYTES_A_CHANGE = 80;
const MOST_NODES = 500;
const MOST_LISTENERS = 50;

const here = { skip: onCluster, timeout: (WARM_SECONDS + SECONDS + 120) * 1000 };
let place: OwnDashboard;
before(async () => {
  if (onCluster) return;
  place = await OwnDashboard.start();
  for (let at = 0; at < LOOKED_AT; ++at) await put(at, 'new', 'POST');
  await place.deploy('busy', HELLO);
});
after(() => place?.end());

// Of a function that runs nothing, so that this costs little.
async function put(at: number, description: string, method: 'POST' | 'PUT'): Promise<void> {
  const name = `f-${at}`;
  const path = method === 'POST' ? '/api/functions' : `/api/functions/${name}`;
  const annotations = { 'skip-build': 'true', 'skip-deploy': 'true' };
  const spec = { runtime: 'python:3.11', handler: 'main:handler', description };
  const { status, text } = await place.api(method, path, { metadata: { name, annotations }, spec });
  assert.equal(status, 202, text);
}

interface Held {
  bytes: number;
  nodes: number;
  listeners: number;
}
async function heldBy(page: Page): Promise<Held> {
  const session = await page.context().newCDPSession(page);
  // What is given up only with the next collection, twice for what that gives up.
  for (let times = 0; times < 2; ++times) await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  const { nodes, jsEventListeners } = await session.send('Memory.getDOMCounters');
  await session.detach();
  return { bytes: usedSize, nodes, listeners: jsEventListeners };
}

const kilobytes = (bytes: number) => Math.round(bytes / 1024);

test('a page that is left open does not grow', here, async (t) => {
  const pages: [string, Page][] = [];
  for (const path of ['/', '/functions/busy', '/functions/busy/metrics'])
    pages.push([path, (await visit(t, place, path)).page]);
  await pages[0]?.[1].getByText(`${LOOKED_AT + 1} functions`).waitFor();

  let over = false;
  let changes = 0;
  let calls = 0;
  let deploys = 0;
  const told = Array.from({ length: LOOKED_AT }, () => 'new');
  const changing = Array.from({ length: CHANGERS }, async (_, which) => {
    for (let at = which; !over; at = (at + CHANGERS) % LOOKED_AT) {
      const change = `change ${++changes}`;
      told[at] = change;
      await put(at, change, 'PUT');
      await sleep(PAUSE_MILLISECONDS);
    }
  });
  const calling = (async () => {
    for (; !over; ++calls) {
      assert.equal((await place.invoke('busy', '')).text, 'hello');
      await sleep(100);
    }
  })();
  const deploying = (async () => {
    for (; !over; ++deploys) {
      await place.deploy('busy', `${HELLO}# ${deploys}\n`);
      await sleep(2000);
    }
  })();
  const working = Promise.all([...changing, calling, deploying]).finally(() => (over = true));
  const measured = new Map<string, Held[]>();
  let before = 0;
  try {
    await sleep(WARM_SECONDS * 1000);
    before = changes;
    const end = Date.now() + SECONDS * 1000;
    for (;;) {
      for (const [path, page] of pages) measured.set(path, [...(measured.get(path) ?? []), await heldBy(page)]);
      assert(!over, 'nothing happens any more');
      const left = end - Date.now();
      if (left <= 0) break;
      await sleep(Math.min(left, LONG ? 60_000 : 10_000));
    }
  } finally {
    over = true;
    await working;
  }
  t.diagnostic(`${changes} changes, ${calls} calls, ${deploys} deploys in ${WARM_SECONDS + SECONDS} s`);
  for (const [path, all] of measured)
    t.diagnostic(`${path}: ${all.map((each) => `${kilobytes(each.bytes)} KB, ${each.nodes} nodes`).join('; ')}`);
  for (const [path, all] of measured) {
    const [first, last] = [all[0], all.at(-1)];
    assert(first && last);
    const most = MOST_BYTES + MOST_BYTES_A_CHANGE * (changes - before);
    const more = last.bytes - first.bytes;
    assert(more <= most, `${path} holds ${kilobytes(more)} KB more, of ${kilobytes(most)} allowed`);
    assert(last.nodes - first.nodes <= MOST_NODES, `${path} has ${last.nodes} nodes`);
    assert(last.listeners - first.listeners <= MOST_LISTENERS, `${path} has ${last.listeners} listeners`);
  }
  // And it has heard of all of it.
  await pages[0]?.[1].locator(`[data-function=f-0] [title="${told[0]}"]`).waitFor();
});
