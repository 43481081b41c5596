// SPDX-License-Identifier: Apache-2.0
// A function made, configured and given a trigger without writing code, and projects; by the keyboard alone.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import type { Page } from 'playwright-core';

import {
  aPlace,
  DEPLOY_SECONDS,
  enter,
  HELLO,
  pick,
  pickItem,
  press,
  reach,
  replaceCode,
  until,
  visit,
  type Place,
} from './place.ts';

interface Shown {
  metadata: { name: string; labels?: Record<string, string> };
  spec: {
    description?: string;
    env?: { name: string; value: string }[];
    triggers?: Record<string, { kind: string; disabled?: boolean; attributes?: Record<string, unknown> }>;
  };
  status: { state: string };
}

let place: Place;
const limit = { timeout: 280_000 };
before(async () => {
  place = await aPlace();
});

async function get(name: string): Promise<Shown> {
  return JSON.parse((await place.api('GET', `/api/functions/${name}`)).text) as Shown;
}
async function settled(name: string, what: string, holds: (object: Shown) => boolean): Promise<void> {
  const holdsNow = async () => {
    const object = await get(name);
    return object.status?.state === 'ready' && holds(object);
  };
  await until(what, holdsNow, DEPLOY_SECONDS);
}
const choose = (page: Page, name: string) => pick(page, page.getByRole('radio', { name }));

test('a template becomes a function, and its name is checked before', limit, async (t) => {
  const { page } = await visit(t, place, '/new');
  await choose(page, 'helloworld python');
  await enter(page, page.getByRole('textbox', { name: 'Greeting' }), 'Good day');
  const name = page.getByLabel('Name', { exact: true });
  await enter(page, name, 'Welcome');
  await page.getByText('Only lower-case letters').waitFor();
  await enter(page, name, 'welcome');
  await page.keyboard.press('ControlOrMeta+Enter');
  await page.waitForURL('**/functions/welcome');
  await settled('welcome', 'the greeting is that of the form', ({ spec }) => spec.env?.[0]?.value === 'Good day');
  await place.forget('welcome');
});

test('YAML that is wrong says where, and right YAML becomes a function', limit, async (t) => {
  const { page } = await visit(t, place, '/new?from=import');
  const editor = page.getByRole('textbox', { name: 'A function as YAML or JSON' });
  await reach(page, editor);
  await replaceCode(page, 'metadata:\n  name: pasted\nspec:\n  handlr: main:handler\n');
  await page.getByText('Line 4: There is no field handlr. Is handler meant?').waitFor();
  const code = Buffer.from(HELLO).toString('base64');
  await replaceCode(
    page,
    `metadata:\n  name: pasted\nspec:\n  runtime: python\n  handler: main:handler\n  build: {functionSourceCode: ${code}}\n`,
  );
  await page.getByText('Line 4').waitFor({ state: 'detached' });
  await page.keyboard.press('ControlOrMeta+Enter');
  await page.waitForURL('**/functions/pasted');
  await settled('pasted', 'it is ready', () => true);
  await place.forget('pasted');
});

test('a form and YAML change the same draft, which meets the change of somebody else', limit, async (t) => {
  await place.deploy('set', HELLO);
  const { page } = await visit(t, place, '/functions/set/configuration');
  await press(page, page.getByRole('button', { name: 'Add to env', exact: true }));
  await page.keyboard.type('CURRENCY');
  await page.keyboard.press('Tab');
  await page.keyboard.type('EUR');
  await page.getByText('1 change', { exact: true }).waitFor();

  await choose(page, 'YAML');
  const editor = page.getByRole('textbox', { name: 'Configuration of set as YAML' });
  await editor.waitFor();
  assert.match(await editor.innerText(), /- name: CURRENCY/);
  await choose(page, 'Form');

  const theirs = await get('set');
  const changed = { metadata: theirs.metadata, spec: { ...theirs.spec, description: 'Theirs' } };
  assert.equal((await place.api('PUT', '/api/functions/set', changed)).status, 202);
  await page.getByText('Somebody else has changed this function meanwhile.').waitFor();
  await settled('set', 'their deploy is done', ({ spec }) => spec.description === 'Theirs');
  await press(page, page.getByRole('button', { name: 'Keep mine' }));
  await press(page, page.getByRole('button', { name: 'Review changes' }));
  await page.getByRole('dialog').getByText('CURRENCY').waitFor();
  await press(page, page.getByRole('dialog').getByRole('button', { name: 'Deploy' }));
  await settled('set', 'both changes are there', ({ spec }) => {
    return spec.description === 'Theirs' && spec.env?.[0]?.value === 'EUR';
  });
  await place.forget('set');
});

test('a trigger is added, fires, is paused with a way back, and deleted', limit, async (t) => {
  await place.deploy('timed', HELLO.replace("'asked'", "'from ' + event.trigger.kind"));
  const { page } = await visit(t, place, '/functions/timed/triggers');
  await press(page, page.getByRole('button', { name: 'Send a test event' }));
  await page.getByText('200 in').waitFor();

  await press(page, page.getByRole('button', { name: 'Add trigger' }));
  await choose(page, 'cron');
  await press(page, page.getByRole('button', { name: 'Next' }));
  const interval = page.getByLabel('interval', { exact: true });
  await enter(page, interval, '5');
  await page.getByText('It must be a duration').waitFor();
  await enter(page, interval, '1s');
  await page.keyboard.press('ControlOrMeta+s');
  await settled('timed', 'it has both', ({ spec }) => spec.triggers?.['cron']?.attributes?.['interval'] === '1s');
  // It fires, as its log tells.
  await press(page, page.getByRole('link', { name: 'Logs', exact: true }));
  await page.getByText('from cron').first().waitFor();
  await press(page, page.getByRole('link', { name: 'Triggers', exact: true }));

  const enabled = page.getByRole('switch', { name: 'cron takes events' });
  await reach(page, enabled);
  await page.keyboard.press('Space');
  await settled('timed', 'it is paused', ({ spec }) => spec.triggers?.['cron']?.disabled === true);
  await press(page, page.getByRole('button', { name: 'Undo' }));
  await settled('timed', 'it goes on', ({ spec }) => spec.triggers?.['cron']?.disabled !== true);

  await pickItem(page, page.getByRole('button', { name: 'Actions for the trigger cron' }), 'Delete…');
  await press(page, page.getByRole('button', { name: 'Delete and deploy' }));
  await settled('timed', 'it has gone', ({ spec }) => spec.triggers?.['cron'] === undefined);
  await place.forget('timed');
});

test('a project is deleted with its functions only by who writes its name', limit, async (t) => {
  const { page } = await visit(t, place, '/projects');
  await page.getByRole('button', { name: 'New project' }).waitFor();
  await page.keyboard.press('c');
  await enter(page, page.getByLabel('Name', { exact: true }), 'media');
  await enter(page, page.getByLabel('Description'), 'Pictures');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'media' }).waitFor();
  await place.deploy('resize', HELLO, {}, 'media');

  await pickItem(page, page.getByRole('button', { name: 'Actions for project media' }), 'Delete…');
  const dialog = page.getByRole('dialog');
  await dialog.getByText('resize').waitFor();
  const confirm = dialog.getByRole('button', { name: 'Delete project and 1 function' });
  assert(await confirm.isDisabled());
  await enter(page, dialog.getByLabel('Write media to confirm'), 'media');
  await press(page, confirm);
  await page.getByRole('link', { name: 'media' }).waitFor({ state: 'detached' });
  assert.equal((await place.api('GET', '/api/functions/resize')).status, 404);
});
