// SPDX-License-Identifier: Apache-2.0
// What a function is sent and what it says: an event that is saved, sent again after a change and compared; its log, as
// it logs; and the way back to what it was. By the keyboard alone.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import {
  aPlace,
  DEPLOY_SECONDS,
  onCluster,
  pickItem,
  press,
  reach,
  screenshot,
  until,
  visit,
  type Place,
} from './place.ts';

let place: Place;
const code = (answer: string) =>
  `def handler(context, event):\n    context.logger.info('asked with ' + event.body.decode())\n    return '${answer}'\n`;
const limit = { timeout: 280_000 };

before(async () => {
  place = await aPlace();
  await place.deploy('orders', code('one'));
});

test('an event is saved, sent, and sent again to the next version, whose answer is compared', limit, async (t) => {
  const { page } = await visit(t, place, '/functions/orders/test');
  await reach(page, page.getByRole('textbox', { name: 'Body' }));
  await page.keyboard.press('Control+a');
  await page.keyboard.type('a large order');
  await page.keyboard.press('Control+Enter');
  const answer = page.locator('section.answer');
  await answer.getByText('one').first().waitFor();
  await reach(page, page.getByRole('button', { name: 'Save event…' }));
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await reach(page, page.getByRole('dialog').getByRole('textbox', { name: 'Name' }));
  await page.keyboard.press('Control+a');
  await page.keyboard.type('large');
  await page.keyboard.press('Enter');
  await page.getByText('large is saved').waitFor();
  assert.match((await place.api('GET', '/api/function_events')).text, /a large order/);

  await place.deploy('orders', code('two'));
  await page.reload();
  const saved = page.getByTitle('Take large into the form');
  await reach(page, saved);
  await page.keyboard.press('Enter');
  assert.equal(await page.getByRole('textbox', { name: 'Body' }).inputValue(), 'a large order');
  await page.keyboard.press('Control+Enter');
  await answer.getByText('two').first().waitFor();
  // Sent again, and beside the answer before.
  await place.deploy('orders', code('three'));
  await until('the new version answers', async () => {
    await page.keyboard.press('Control+Enter');
    await page.waitForTimeout(300);
    return (await answer.getByText('three').count()) > 0;
  });
  await reach(page, page.getByRole('checkbox', { name: 'Compare with the answer before' }));
  await page.keyboard.press('Space');
  await page.getByLabel('What has changed since the answer before').first().waitFor();
  await screenshot(page, 'test-answered');
});

test('what an invocation logs is shown within a second', limit, async (t) => {
  const { page } = await visit(t, place, '/functions/orders/logs');
  await page.getByRole('searchbox', { name: 'Search the log' }).waitFor();
  await page.getByText('Following').first().waitFor();
  const times: number[] = [];
  for (const mark of ['mark-one', 'mark-two', 'mark-three']) {
    const shown = page.getByText(`asked with ${mark}`).first().waitFor();
    const begin = performance.now();
    await place.invoke('orders', mark);
    await shown;
    times.push(performance.now() - begin);
  }
  t.diagnostic(`from the call to its line: ${times.map((each) => each.toFixed(0)).join(', ')} ms`);
  assert(Math.min(...times) <= 1000, `${times} ms`);
  await reach(page, page.getByRole('searchbox', { name: 'Search the log' }));
  await page.keyboard.type('mark-two');
  await page.getByText('asked with mark-one').first().waitFor({ state: 'hidden' });
  await page.getByText('asked with mark-two').first().waitFor();
  await screenshot(page, 'logs-searched');
});

test('revisions are compared, and an older one is gone back to', limit, async (t) => {
  const { page } = await visit(t, place, '/functions/orders/revisions');
  page.setDefaultTimeout(DEPLOY_SECONDS * 1000);
  const first = page.getByRole('button', { name: /Revision 1\b/ }).first();
  await reach(page, first);
  await page.keyboard.press('Enter');
  await page.getByText("return 'one'").first().waitFor();
  await page.getByText("return 'three'").first().waitFor();
  await screenshot(page, 'revisions-compared');
  await reach(page, page.getByRole('button', { name: 'Go back to this one…' }).first());
  await page.keyboard.press('Enter');
  await reach(page, page.getByRole('dialog').getByRole('button', { name: 'Deploy it' }));
  await page.keyboard.press('Enter');
  await page.getByText('as it was in revision 1').first().waitFor();
  await until(
    'the first version answers again',
    async () => (await place.invoke('orders', 'x')).text === 'one',
    DEPLOY_SECONDS,
  );
  await page
    .getByRole('button', { name: /Revision 4\b/ })
    .first()
    .waitFor();
});

test('a function is exported, deleted, and imported again', limit, async (t) => {
  const { page } = await visit(t, place);
  const downloads = page.waitForEvent('download');
  await pickItem(page, page.getByRole('button', { name: 'Actions for orders' }), 'Export');
  const file = await downloads;
  assert.equal(file.suggestedFilename(), 'orders.yaml');
  const path = await file.path();
  await place.forget('orders');
  await page.getByRole('button', { name: 'Actions for orders' }).waitFor({ state: 'hidden' });
  await page.goto('/new?from=import');
  const choosers = page.waitForEvent('filechooser');
  await press(page, page.getByRole('button', { name: 'Choose a file…' }));
  await (await choosers).setFiles(path);
  await reach(page, page.getByRole('button', { name: 'Create function' }));
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert(tooWide <= 0, `${tooWide} px wider than the window`);
  await screenshot(page, 'new-import');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'orders' }).waitFor();
  await until('it is there', async () => (await place.api('GET', '/api/functions/orders')).status === 200);
  if (!onCluster) assert.match((await place.api('GET', '/api/functions/orders')).text, /functionSourceCode/);
  await place.forget('orders');
});
