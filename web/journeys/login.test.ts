// SPDX-License-Identifier: Apache-2.0
// Who may what, as people see it; and a session that ends while one is at work.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import {
  aPlaceThatAsks,
  arrive,
  DEPLOY_SECONDS,
  enter,
  HELLO,
  logIn,
  onCluster,
  pickItem,
  press,
  reach,
  replaceCode,
  screenshot,
  type People,
  type Place,
} from './place.ts';

let place: Place;
let people: People;
const limit = { timeout: 180_000 };

before(async () => {
  place = await aPlaceThatAsks();
  assert(place.people);
  people = place.people;
  await place.deploy('shop', HELLO);
  await place.deploy(
    'asks',
    "def handler(context, event):\n    return context.Response(body='no entry', status_code=401)\n",
  );
});

test('who is not known is refused, and who is gets to where they were going', limit, async (t) => {
  const visitor = await arrive(t, place, '/functions/shop/logs');
  visitor.expect(/401/);
  await logIn(visitor, people.stranger);
  await visitor.page.getByRole('alert').waitFor();
  await screenshot(visitor.page, 'login-refused');
  await logIn(visitor, people.maker);
  await visitor.page.getByRole('heading', { name: 'shop' }).waitFor();
  assert.equal(new URL(visitor.page.url()).pathname, '/functions/shop/logs');
});

test('who may only look can change nothing, and is told why', limit, async (t) => {
  const visitor = await arrive(t, place);
  await logIn(visitor, people.viewer);
  const { page } = visitor;
  const actions = page.getByRole('button', { name: 'Actions for shop' });
  visitor.expect(/403/);
  // What somebody may in a cluster only the cluster knows, and is asked once they do it: there the page offers all, and
  // shows the answer.
  if (onCluster) {
    await pickItem(page, actions, 'Pause');
    await page.getByText('may not redeploy function "shop"').first().waitFor();
  } else {
    await press(page, actions);
    for (const name of ['Pause', 'Duplicate…', 'Delete…'])
      assert(await page.getByRole('menuitem', { name }).isDisabled(), `${name} is offered`);
    await page.keyboard.press('Escape');
  }
  // The page's offers are a courtesy: the server decides.
  const status = await page.evaluate(async () => {
    const headers = { 'Content-Type': 'application/json', 'X-Nuclio-Csrf': '1' };
    const body = JSON.stringify({ metadata: { name: 'shop' } });
    return (await fetch('/api/functions', { method: 'DELETE', headers, body })).status;
  });
  assert.equal(status, 403);
  await press(page, page.getByRole('link', { name: 'shop', exact: true }));
  await page.getByRole('heading', { name: 'shop' }).waitFor();
  await reach(page, page.locator('.cm-content').first());
  await replaceCode(page, HELLO.replace("'hello'", "'theirs'"));
  await page.keyboard.press('Control+Enter');
  const answer = onCluster ? 'may not update function "shop"' : 'You may look at this function.';
  await page.getByText(answer).first().waitFor();
  await screenshot(page, 'viewer-code');
  assert.equal((await place.invoke('shop', '')).text, 'hello');
});

test('a session that ends asks for a login over what one was at', limit, async (t) => {
  const visitor = await arrive(t, place, '/?q=sh');
  visitor.expect(/401/);
  const { credentials, end } = await place.passing();
  await logIn(visitor, credentials);
  const { page } = visitor;
  await page.getByRole('button', { name: 'Actions for shop' }).waitFor();
  await end();
  await pickItem(page, page.getByRole('button', { name: 'Actions for shop' }), 'Pause');
  await page.getByText('Your session has ended').waitFor();
  await screenshot(page, 'session-expired');
  assert.equal(await page.getByRole('searchbox').inputValue(), 'sh');
  await logIn(visitor, people.maker);
  await page.getByText('Your session has ended').waitFor({ state: 'hidden' });
  assert.equal(await page.getByRole('searchbox').inputValue(), 'sh');
  page.setDefaultTimeout(DEPLOY_SECONDS * 1000);
  await pickItem(page, page.getByRole('button', { name: 'Actions for shop' }), 'Pause');
  await page.getByText('shop is paused').waitFor();
  await page.locator('[data-function=shop] [data-state=scaledToZero]').waitFor();
  await place.forget('shop');
});

test('who logs out leaves nothing to who logs in next', limit, async (t) => {
  const visitor = await arrive(t, place, '/functions/asks/test');
  visitor.expect(/401/);
  await logIn(visitor, people.maker);
  const { page } = visitor;
  const body = page.getByRole('textbox', { name: 'Body' });
  await enter(page, body, 'only for makers');
  await page.keyboard.press('Control+Enter');
  await page.locator('section.answer').getByText('no entry').waitFor();
  assert.equal(await page.locator('.calls li').count(), 1);
  await press(page, page.getByRole('button', { name: 'Log out' }));
  await logIn(visitor, people.viewer);
  await page.getByRole('heading', { name: 'asks' }).waitFor();
  await body.waitFor();
  assert.equal(await body.inputValue(), '{}');
  assert.equal(await page.locator('.calls li').count(), 0);
});

test(
  'a session that ends asks for a login when a function is called, and a function that asks does not',
  limit,
  async (t) => {
    const visitor = await arrive(t, place, '/functions/asks/test');
    visitor.expect(/401/);
    const { credentials, end } = await place.passing();
    await logIn(visitor, credentials);
    const { page } = visitor;
    const ended = page.getByText('Your session has ended');
    const answer = page.locator('section.answer');
    await enter(page, page.getByRole('textbox', { name: 'Body' }), 'kept');
    await page.keyboard.press('Control+Enter');
    await answer.getByText('no entry').waitFor();
    assert.equal(await ended.count(), 0);
    await end();
    await page.keyboard.press('Control+Enter');
    await ended.waitFor();
    await logIn(visitor, people.maker);
    await ended.waitFor({ state: 'hidden' });
    assert.equal(await page.getByRole('textbox', { name: 'Body' }).inputValue(), 'kept');
    await press(page, page.getByRole('button', { name: 'Send', exact: true }));
    await answer.getByText('no entry').waitFor();
    await place.forget('asks');
  },
);
