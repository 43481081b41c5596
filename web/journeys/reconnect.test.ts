// SPDX-License-Identifier: Apache-2.0
// The server goes and comes while a page is open.
import { test } from 'node:test';

import { aPlace, HELLO, screenshot, visit } from './place.ts';

test('a page that loses its server says so, and is right again by itself', { timeout: 280_000 }, async (t) => {
  const place = await aPlace();
  await place.deploy('stays', HELLO);
  await place.deploy('goes', HELLO);
  const { page, expect } = await visit(t, place);
  expect(/ERR_|Failed to load resource/);
  await page.getByRole('link', { name: 'goes', exact: true }).waitFor();
  await place.lose();
  await page.getByText('Connection lost').waitFor();
  await page.getByRole('link', { name: 'goes', exact: true }).waitFor();
  await screenshot(page, 'connection-lost');
  await place.start();
  await place.forget('goes');
  await page.getByRole('link', { name: 'goes', exact: true }).waitFor({ state: 'hidden' });
  await page.getByText('Connection lost').waitFor({ state: 'hidden' });
  await page.getByRole('link', { name: 'stays', exact: true }).waitFor();
  await place.forget('stays');
});
