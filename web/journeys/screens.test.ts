// SPDX-License-Identifier: Apache-2.0
// Every screen, in both themes and on a narrow phone: a picture of it for people to look at, and axe's opinion.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

import type { Page } from 'playwright-core';

import { aPlace, HELLO, onCluster, screenshot, until, visit, type Looks, type Place } from './place.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const BROKEN = 'def handler(context, event)\n    return 1\n';

let place: Place;
before(async () => {
  place = await aPlace();
  await place.deploy('shop', HELLO, { description: 'Takes orders.', env: [{ name: 'CURRENCY', value: 'EUR' }] });
  await place.deploy('shop', HELLO.replace('hello', 'welcome'));
  await place.api('PUT', '/api/functions/broken', {
    metadata: { name: 'broken' },
    spec: {
      runtime: 'python:3.11',
      handler: 'main:handler',
      build: { functionSourceCode: Buffer.from(BROKEN).toString('base64') },
    },
  });
  await until('the second is broken', async () =>
    (await place.api('GET', '/api/functions/broken')).text.includes('"error"'),
  );
  for (let i = 0; i < 20; ++i) await place.api('POST', '/api/function_invocations');
});

// What each shows once it is there.
const SCREENS: Record<string, { path: string; shows: string }> = {
  functions: { path: '/', shows: '[data-function=shop]' },
  'functions-none': { path: '/?q=nothing+like+it', shows: 'text=No function fits' },
  projects: { path: '/projects', shows: 'main h1' },
  new: { path: '/new', shows: 'main h1' },
  code: { path: '/functions/shop', shows: '.cm-content' },
  'code-broken': { path: '/functions/broken', shows: '.cm-content' },
  configuration: { path: '/functions/shop/configuration', shows: '.content :is(input, select)' },
  triggers: { path: '/functions/shop/triggers', shows: '.content :is(h2, h3, table, li)' },
  test: { path: '/functions/shop/test', shows: '.content :is(h2, h3, form)' },
  logs: { path: '/functions/shop/logs', shows: '.content :is(input, select)' },
  metrics: { path: '/functions/shop/metrics', shows: '.content :is(h2, h3, canvas)' },
  revisions: { path: '/functions/shop/revisions', shows: '.content :is(table, li)' },
  'settings-tokens': { path: '/settings', shows: 'main h1' },
  'settings-access': { path: '/settings/access', shows: 'main h1' },
  'settings-platform': { path: '/settings/platform', shows: 'main h1' },
  'settings-about': { path: '/settings/about', shows: 'main h1' },
  nowhere: { path: '/nowhere/at/all', shows: 'text=Nothing is here' },
};
const LOOKS: Record<string, Looks> = { light: {}, dark: { dark: true }, narrow: { width: 360, height: 740 } };

async function violations(page: Page): Promise<string[]> {
  // By the driver, not by the page, whose policy lets nothing in.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    interface Found {
      violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[];
    }
    const { axe: checker } = window as unknown as { axe: { run: (options: object) => Promise<Found> } };
    const found = await checker.run({ resultTypes: ['violations'] });
    return found.violations.flatMap((each) =>
      each.nodes.map((node) => `${each.id}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ''}`),
    );
  });
}

// They are the same screens on a cluster: one look at them there is enough.
for (const [look, looks] of Object.entries(LOOKS).slice(0, onCluster ? 1 : undefined))
  test(
    `every screen, ${look}: nobody is kept out, and nothing is wider than the window`,
    { timeout: 180_000 },
    async (t) => {
      const { page } = await visit(t, place, '/', looks);
      const complaints: string[] = [];
      for (const [name, screen] of Object.entries(SCREENS)) {
        await page.goto(screen.path);
        await page.locator(screen.shows).first().waitFor();
        await page.waitForTimeout(300);
        await screenshot(page, `${name}-${look}`);
        complaints.push(...(await violations(page)).map((each) => `${name}: ${each}`));
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (wide > 0) complaints.push(`${name}: ${wide} px wider than the window`);
      }
      await page.goto('/');
      await page.locator('[data-function=shop]').waitFor();
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog').getByRole('combobox').waitFor();
      await screenshot(page, `palette-${look}`);
      complaints.push(...(await violations(page)).map((each) => `palette: ${each}`));
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await page.getByRole('dialog').waitFor();
      await screenshot(page, `shortcuts-${look}`);
      complaints.push(...(await violations(page)).map((each) => `shortcuts: ${each}`));
      assert.deepEqual(complaints, []);
    },
  );
