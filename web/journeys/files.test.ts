// SPDX-License-Identifier: Apache-2.0
// A function of several files: written, broken and mended by the keyboard alone, and brought along as a folder.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import type { Page } from 'playwright-core';

import {
  enter,
  HELLO,
  OwnDashboard,
  pickItem,
  press,
  reach,
  replaceCode,
  screenshot,
  until,
  visit,
  write,
} from './place.ts';

const MAIN = 'from lib import prices\n\ndef handler(context, event):\n    return prices.text()\n';
const prices = (text: string) => `def text():\n    return '${text}'\n`;

let place: OwnDashboard;
before(async () => {
  place = await OwnDashboard.start();
});
after(() => place.end());

type Files = Record<string, string>;
async function filesOf(name: string): Promise<Files> {
  const { spec } = JSON.parse((await place.api('GET', `/api/functions/${name}`)).text) as {
    spec: { build: { files?: Files } };
  };
  const text = (base64: string) => Buffer.from(base64, 'base64').toString();
  return Object.fromEntries(Object.entries(spec.build.files ?? {}).map(([path, base64]) => [path, text(base64)]));
}
const answer = (page: Page, text: string) => page.locator('section.answer').getByText(text, { exact: true }).waitFor();
const files = (page: Page) => page.getByRole('navigation', { name: 'Files' });
const file = (page: Page, name: string) => files(page).getByRole('button', { name, exact: true });

test('files are added, changed, renamed and taken out, and an error is told at its file', async (t) => {
  await place.deploy('shop', HELLO);
  const visitor = await visit(t, place, '/functions/shop');
  const { page } = visitor;
  await page.locator('header [data-state=ready]').waitFor();
  await reach(page, page.locator('.cm-content').first());
  await replaceCode(page, MAIN);

  await press(page, page.getByRole('button', { name: 'Add a file' }));
  const path = page.getByRole('dialog').getByLabel('Path in the folder of the code');
  await enter(page, path, '../prices.py');
  await page.keyboard.press('Enter');
  await page.getByText('This must be a path within the folder of the code').waitFor();
  await enter(page, path, 'lib/prices.py');
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: /lib\/prices\.py/ }).waitFor();
  await until('the editor of the new file has the focus', () =>
    page.evaluate(() => document.activeElement?.shadowRoot?.activeElement !== null),
  );
  await replaceCode(page, prices('one'));
  await page.keyboard.press('Control+Enter');
  await answer(page, 'one');
  assert.deepEqual(await filesOf('shop'), { 'lib/prices.py': prices('one') });
  await screenshot(page, 'files');

  // The error of the other file leads there from the handler's.
  visitor.expect(/500/);
  await replaceCode(page, prices('two').replace("'two'", "'two"));
  await page.keyboard.press('Control+s');
  await page.getByRole('button', { name: /lib\/prices\.py, line 2/ }).waitFor();
  await press(page, file(page, 'main.py handler'));
  await page.getByRole('textbox', { name: /main\.py/ }).waitFor();
  await screenshot(page, 'files-told-where');
  await press(page, page.getByRole('button', { name: /lib\/prices\.py, line 2/ }));
  await page.getByRole('textbox', { name: /lib\/prices\.py/ }).waitFor();
  assert.equal((await place.invoke('shop', '')).text, 'one');
  // What was typed there before can still be undone.
  await page.keyboard.press('Control+z');
  await page.keyboard.press('Control+Enter');
  await page.locator('header [data-state=ready]').waitFor();
  assert.deepEqual(await filesOf('shop'), { 'lib/prices.py': prices('one') });

  await pickItem(page, files(page).getByRole('button', { name: 'What can be done with lib/prices.py' }), 'Rename…');
  await enter(page, page.getByRole('dialog').getByLabel('Path in the folder of the code'), 'lib/costs.py');
  await page.keyboard.press('Enter');
  await reach(page, page.locator('.cm-content').first());
  await pickItem(page, files(page).getByRole('button', { name: 'What can be done with lib/costs.py' }), 'Delete');
  await files(page).waitFor({ state: 'detached' });
  await press(page, page.getByRole('button', { name: 'Undo' }));
  await file(page, 'costs.py').waitFor();

  // A handler in the other file makes it the handler's.
  const handler = page.getByRole('textbox', { name: 'Handler' });
  await enter(page, handler, 'lib.costs:text');
  await page.keyboard.press('Tab');
  await file(page, 'costs.py handler').waitFor();
  await file(page, 'main.py').waitFor();
  await page.locator('.unsaved, [title="Changed, and not deployed yet"]').first().waitFor();
});

test('a folder becomes a function, and the file with its handler can be chosen', async (t) => {
  const folder = join(place.home, 'bakery');
  mkdirSync(join(folder, 'lib'), { recursive: true });
  write(place, 'bakery/main.py', MAIN);
  write(place, 'bakery/lib/prices.py', prices('bread'));
  write(place, 'bakery/README.md', 'Bread.');
  const { page } = await visit(t, place, '/new?from=files');
  await page.locator('input[webkitdirectory]').setInputFiles(folder);
  const main = page.getByLabel('File with the handler');
  assert.equal(await main.inputValue(), 'main.py');
  await page.getByText('Left out: bakery/README.md').waitFor();
  await screenshot(page, 'new-folder');
  await reach(page, page.getByLabel('Name', { exact: true }));
  await page.keyboard.press('Control+Enter');
  await page.waitForURL('**/functions/bakery');
  await page.locator('header [data-state=ready]').waitFor();
  assert.equal((await place.invoke('bakery', '')).text, 'bread');
  await file(page, 'prices.py').waitFor();

  // That was deployed from a terminal is shown in the same way.
  await place.run('nuctl', [
    'deploy',
    'baker',
    '--platform',
    'local',
    '--path',
    folder,
    '--runtime',
    'python',
    '--handler',
    'main:handler',
  ]);
  await page.goto('/functions/baker');
  await file(page, 'main.py handler').waitFor();
  await press(page, file(page, 'prices.py'));
  await page.locator('.cm-content', { hasText: "return 'bread'" }).waitFor();
});
