// SPDX-License-Identifier: Apache-2.0
// Who may what, as people see it; and a session that ends while one is at work. On this machine alone: on a cluster every
// journey begins with a login by one of its tokens.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import {
  enter,
  HELLO,
  onCluster,
  OwnDashboard,
  pickItem,
  press,
  screenshot,
  visit,
  write,
  type Visit,
} from './place.ts';

let place: OwnDashboard;
const here = { skip: onCluster };

before(async () => {
  if (onCluster) return;
  place = await OwnDashboard.start();
  await place.deploy('shop', HELLO);
  const hash = async (password: string) => (await place.run('dashboard', ['hash-password'], password)).trim();
  const config = `users:
- {name: ada, passwordHash: "${await hash('engine-of-1843')}"}
- {name: viv, passwordHash: "${await hash('only-looking')}"}
grants:
- {user: ada, role: admin}
- {user: viv, role: viewer}
`;
  await place.stop();
  place.useFlags(['--auth-kind', 'basic,tokens', '--auth-config', write(place, 'auth.yaml', config)]);
  await place.start();
});
after(() => place?.end());

async function logIn({ page }: Visit, name: string, password: string) {
  await enter(page, page.getByLabel('Name', { exact: true }), name);
  await enter(page, page.getByLabel('Password', { exact: true }), password);
  await page.keyboard.press('Enter');
}

test('a wrong password is refused, and the right one leads to where one was going', here, async (t) => {
  const visitor = await visit(t, place, '/functions/shop/logs');
  visitor.expect(/401/);
  await logIn(visitor, 'ada', 'wrong');
  await visitor.page.getByRole('alert').waitFor();
  await screenshot(visitor.page, 'login-refused');
  await logIn(visitor, 'ada', 'engine-of-1843');
  await visitor.page.getByRole('heading', { name: 'shop' }).waitFor();
  assert.equal(new URL(visitor.page.url()).pathname, '/functions/shop/logs');
});

test('who may only look can change nothing, and is told why', here, async (t) => {
  const visitor = await visit(t, place);
  visitor.expect(/401/);
  await logIn(visitor, 'viv', 'only-looking');
  const { page } = visitor;
  await page.getByRole('link', { name: 'shop', exact: true }).waitFor();
  await press(page, page.getByRole('button', { name: 'Actions for shop' }));
  for (const name of ['Pause', 'Duplicate…', 'Delete…'])
    assert(await page.getByRole('menuitem', { name }).isDisabled(), `${name} is offered`);
  await page.keyboard.press('Escape');
  // The page's offers are a courtesy: the server decides.
  const status = await page.evaluate(async () => {
    const headers = { 'Content-Type': 'application/json', 'X-Nuclio-Csrf': '1' };
    const body = JSON.stringify({ metadata: { name: 'shop' } });
    return (await fetch('/api/functions', { method: 'DELETE', headers, body })).status;
  });
  visitor.expect(/403/);
  assert.equal(status, 403);
  await press(page, page.getByRole('link', { name: 'shop', exact: true }));
  await page.getByRole('heading', { name: 'shop' }).waitFor();
  await screenshot(page, 'viewer-code');
});

test('a session that ends asks for a login over what one was at', here, async (t) => {
  const visitor = await visit(t, place, '/?q=sh');
  visitor.expect(/401/);
  await logIn(visitor, 'ada', 'engine-of-1843');
  const { page, context } = visitor;
  await page.getByRole('button', { name: 'Actions for shop' }).waitFor();
  await context.clearCookies();
  await pickItem(page, page.getByRole('button', { name: 'Actions for shop' }), 'Pause');
  await page.getByText('Your session has ended').waitFor();
  await screenshot(page, 'session-expired');
  assert.equal(await page.getByRole('searchbox').inputValue(), 'sh');
  await logIn(visitor, 'ada', 'engine-of-1843');
  await page.getByText('Your session has ended').waitFor({ state: 'hidden' });
  assert.equal(await page.getByRole('searchbox').inputValue(), 'sh');
  await pickItem(page, page.getByRole('button', { name: 'Actions for shop' }), 'Pause');
  await page.getByText('shop is paused').waitFor();
  await page.locator('[data-function=shop] [data-state=scaledToZero]').waitFor();
});
