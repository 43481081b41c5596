// SPDX-License-Identifier: Apache-2.0
// The server goes and comes while a page is open.
import { test } from 'node:test';

import { HELLO, onCluster, OwnDashboard, screenshot, visit } from './place.ts';

test('a page that loses its server says so, and is right again by itself', { skip: onCluster }, async (t) => {
  const place = await OwnDashboard.start();
  t.after(() => place.end());
  await place.deploy('stays', HELLO);
  await place.deploy('goes', HELLO);
  const { page, expect } = await visit(t, place);
  expect(/ERR_|Failed to load resource/);
  await page.getByRole('link', { name: 'goes', exact: true }).waitFor();
  await place.stop('SIGKILL');
  await page.getByText('Connection lost').waitFor();
  await page.getByRole('link', { name: 'goes', exact: true }).waitFor();
  await screenshot(page, 'connection-lost');
  await place.start();
  await place.forget('goes');
  await page.getByRole('link', { name: 'goes', exact: true }).waitFor({ state: 'hidden' });
  await page.getByText('Connection lost').waitFor({ state: 'hidden' });
  await page.getByRole('link', { name: 'stays', exact: true }).waitFor();
});
