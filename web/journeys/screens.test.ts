// SPDX-License-Identifier: Apache-2.0
// Every screen and every dialog, in both themes and on a narrow phone: a picture of it for people to look at, axe's
// opinion, and whether the keyboard gets everywhere.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

import type { Page } from 'playwright-core';

import { aPlace, arrive, HELLO, onCluster, OwnDashboard, screenshot, until, visit, type Place } from './place.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const BROKEN = 'def handler(context, event)\n    return 1\n';
const ANSWERS = `import json
def handler(context, event):
    wanted = event.body.decode()
    context.logger.info_with('An order came', order=7, wanted=wanted)
    context.logger.warn('Paper is low')
    if wanted == 'json':
        return context.Response(body=json.dumps({'order': 7, 'items': [{'what': 'paper', 'sheets': 500}], 'paid': True}), content_type='application/json')
    if wanted == 'markup':
        return context.Response(body='<h1>Thank you</h1>\\n<script>alert(1)</script>', content_type='text/html')
    if wanted == 'image':
        return context.Response(body='<svg xmlns="http://www.w3.org/2000/svg" width="240" height="120"><rect width="240" height="120" fill="teal"/><circle cx="120" cy="60" r="40" fill="gold"/></svg>', content_type='image/svg+xml')
    if wanted == 'error':
        return {}['order']
    return 'Thank you.\\nYour order is on its way.'
`;
const EXPORT = `project: {metadata: {name: media, namespace: nuclio}, spec: {description: Pictures}}
functions:
  resize: {metadata: {name: resize}, spec: {runtime: python, handler: "main:handler"}}
  shop: {metadata: {name: shop}, spec: {runtime: python, handler: "main:handler"}}
`;

interface Screen {
  path: string;
  does?: (page: Page) => Promise<void>; // how one gets there from the path
  shows: string; // once it is there
  as?: 'maker' | 'viewer';
}

// Ways to get there

const press = (name: string | RegExp) => (page: Page) => page.getByRole('button', { name }).first().click();
const menu = (button: string, item: string) => async (page: Page) => {
  await press(button)(page);
  await page.getByRole('menuitem', { name: item }).click();
};
const keys = (pressed: string) => async (page: Page) => {
  await page.locator('[data-function=shop]').waitFor();
  await page.keyboard.press(pressed);
};
const send = (body: string) => async (page: Page) => {
  await page.getByRole('textbox', { name: 'Body' }).fill(body);
  await page.keyboard.press('Control+Enter');
};
const describe = async (page: Page) => {
  await page.locator('[data-field="spec.description"] :is(input, textarea)').fill('Takes orders, and thanks for them.');
};
const logIn = (fields: Record<string, string>) => async (page: Page) => {
  for (const [label, text] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(text);
  await page.keyboard.press('Enter');
};
const all =
  (...steps: ((page: Page) => Promise<void>)[]) =>
  async (page: Page) => {
    for (const step of steps) await step(page);
  };

const SCREENS: Record<string, Screen> = {
  functions: { path: '/', shows: '[data-function=shop]' },
  'functions-none': { path: '/?q=nothing+like+it', shows: 'text=No function fits' },
  menu: { path: '/', does: press('Actions for shop'), shows: '[role=menu]' },
  'delete-function': { path: '/', does: menu('Actions for shop', 'Delete…'), shows: 'dialog' },
  duplicate: { path: '/', does: menu('Actions for shop', 'Duplicate…'), shows: 'dialog' },
  palette: { path: '/', does: keys('Control+k'), shows: 'dialog [role=combobox]' },
  shortcuts: { path: '/', does: keys('?'), shows: 'dialog' },
  projects: { path: '/projects', shows: 'main table' },
  'new-project': { path: '/projects', does: press('New project'), shows: 'dialog' },
  'edit-project': { path: '/projects', does: menu('Actions for project default', 'Edit'), shows: 'dialog' },
  'delete-project': { path: '/projects', does: menu('Actions for project default', 'Delete…'), shows: 'dialog' },
  'import-projects': {
    path: '/projects',
    does: (page) =>
      page
        .locator('input[type=file]')
        .setInputFiles({ name: 'projects.yaml', mimeType: 'application/yaml', buffer: Buffer.from(EXPORT) }),
    shows: 'dialog',
  },
  new: { path: '/new', shows: '.cm-content' },
  'new-empty': { path: '/new?from=empty', shows: '.cm-content' },
  'new-import': { path: '/new?from=import', shows: '.cm-content' },
  'new-files': { path: '/new?from=files', shows: '.drop' },
  code: { path: '/functions/shop', shows: '.cm-content' },
  'code-broken': { path: '/functions/broken', shows: '.cm-content' },
  'code-files': { path: '/functions/answers', shows: 'nav.tree' },
  'code-file-menu': {
    path: '/functions/answers',
    does: press('What can be done with lib/prices.py'),
    shows: '[role=menu]',
  },
  'code-file-no-text': { path: '/functions/answers', does: press('logo.png'), shows: 'text=This file is no text' },
  'add-file': { path: '/functions/shop', does: press('Add a file'), shows: 'dialog' },
  configuration: { path: '/functions/shop/configuration', shows: '.content :is(input, select)' },
  'configuration-wrong': {
    path: '/functions/shop/configuration?as=yaml',
    does: async (page) => {
      await page.locator('.cm-content').click();
      await page.keyboard.press('Control+a');
      await page.keyboard.insertText('metadata:\n  name: shop\nspec:\n  handlr: main:handler\n  minReplicas: -1\n');
    },
    shows: 'text=There is no field handlr',
  },
  review: {
    path: '/functions/shop/configuration',
    does: all(describe, press('Review changes')),
    shows: 'dialog',
  },
  'toast-undo': {
    path: '/functions/shop/configuration',
    does: all(describe, press('Discard changes')),
    shows: 'text=Your changes are discarded',
  },
  triggers: { path: '/functions/shop/triggers', shows: '.content :is(h2, h3, table, li)' },
  'add-trigger': { path: '/functions/shop/triggers', does: press('Add trigger'), shows: 'dialog' },
  'trigger-form': {
    path: '/functions/shop/triggers',
    does: all(press('Add trigger'), press('Next')),
    shows: '[data-field]',
  },
  test: { path: '/functions/shop/test', shows: '.content :is(h2, h3, form)' },
  'save-event': { path: '/functions/shop/test', does: press('Save event…'), shows: 'dialog' },
  'answer-text': { path: '/functions/answers/test', does: send('text'), shows: 'text=on its way.' },
  'answer-json': { path: '/functions/answers/test', does: send('json'), shows: 'section.answer .cm-content' },
  'answer-markup': { path: '/functions/answers/test', does: send('markup'), shows: 'text=<h1>Thank you</h1>' },
  'answer-image': { path: '/functions/answers/test', does: send('image'), shows: 'section.answer img' },
  'answer-error': { path: '/functions/answers/test', does: send('error'), shows: 'text=KeyError' },
  logs: { path: '/functions/shop/logs', shows: '.content :is(input, select)' },
  'logs-lines': {
    path: '/functions/answers/logs',
    does: (page) => page.getByText('Paper is low').first().click(),
    shows: '.detail',
  },
  metrics: { path: '/functions/shop/metrics', shows: '.content :is(h2, h3, canvas)' },
  'metrics-table': { path: '/functions/shop/metrics?as=table', shows: '.content table' },
  revisions: { path: '/functions/shop/revisions', shows: '.content :is(table, li)' },
  'revisions-compared': {
    path: '/functions/shop/revisions',
    does: press(/Revision 1\b/),
    shows: "text=return 'welcome'",
  },
  'go-back': {
    path: '/functions/shop/revisions',
    does: all(press(/Revision 1\b/), press('Go back to this one…')),
    shows: 'dialog',
  },
  'settings-tokens': { path: '/settings', shows: 'main h1' },
  'settings-access': { path: '/settings/access', shows: 'main h1' },
  'settings-platform': { path: '/settings/platform', shows: 'main h1' },
  'settings-about': { path: '/settings/about', shows: 'main h1' },
  'function-nowhere': { path: '/functions/nobody', shows: 'text=cannot be shown' },
  nowhere: { path: '/nowhere/at/all', shows: 'text=Nothing is here' },
};
// Of a dashboard without functions, which goes away in the end.
const BARE: Record<string, Screen> = {
  'functions-empty': { path: '/', shows: 'text=No functions yet' },
  'projects-empty': { path: '/projects', shows: 'main h1' },
  'connection-lost': {
    path: '/',
    does: async (page) => {
      await page.getByText('No functions yet').waitFor();
      await bare.stop('SIGKILL');
    },
    shows: 'text=Connection lost',
  },
};
// Of one that asks who one is.
const GUARDED: Record<string, Screen> = {
  login: { path: '/', shows: 'form h1' },
  'login-refused': { path: '/', does: logIn({ Name: 'ada', Password: 'wrong' }), shows: 'form [role=alert]' },
  'login-token': { path: '/', does: press('Use a token'), shows: 'text=An API token' },
  'login-token-refused': {
    path: '/',
    does: all(press('Use a token'), logIn({ Token: 'nobody-has-it' })),
    shows: 'form [role=alert]',
  },
  'login-provider': {
    path: '/',
    does: async (page) => {
      const login = { required: true, basic: true, oidc: true };
      const answer = { json: { loggedIn: false, login } };
      await page.route('**/api/v2/session', (route) => route.fulfill(answer));
      await page.reload();
    },
    shows: 'text=Log in with your provider',
  },
  'viewer-functions': { path: '/', as: 'viewer', does: press('Actions for shop'), shows: '[role=menu]' },
  'viewer-code': { path: '/functions/shop', as: 'viewer', shows: '.cm-content' },
  'viewer-configuration': { path: '/functions/shop/configuration', as: 'viewer', shows: '.content :is(input, select)' },
  'viewer-triggers': { path: '/functions/shop/triggers', as: 'viewer', shows: '.content :is(h2, h3, table, li)' },
  'viewer-test': { path: '/functions/shop/test', as: 'viewer', shows: '.content h2' },
  'viewer-projects': { path: '/projects', as: 'viewer', shows: 'main table' },
  'viewer-new': { path: '/new', as: 'viewer', shows: 'text=You may not create functions' },
  tokens: { path: '/settings', as: 'maker', shows: 'text=New token' },
  'new-token': { path: '/settings', as: 'maker', does: press('New token…'), shows: 'dialog' },
  'token-made': {
    path: '/settings',
    as: 'maker',
    does: all(press('New token…'), logIn({ 'What it is for': 'laptop of ada' })),
    shows: 'text=Copy it now',
  },
  'revoke-token': { path: '/settings', as: 'maker', does: press('Revoke laptop of ada'), shows: 'dialog' },
  'session-expired': {
    path: '/',
    as: 'maker',
    does: async (page) => {
      await press('Actions for shop')(page);
      await page.context().clearCookies();
      await page.getByRole('menuitem', { name: 'Pause' }).click();
    },
    shows: 'text=Your session has ended',
  },
};

let place: Place;
let bare: OwnDashboard;
let guarded: OwnDashboard;
const owned: OwnDashboard[] = [];
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
  for (let i = 0; i < 20; ++i) await place.invoke('shop', '');
  if (onCluster) return;
  const files = { 'lib/prices.py': 'EUR = 2\n', 'lib/logo.png': '\x89PNG\0', 'requirements.txt': '# none\n' };
  const base64 = Object.entries(files).map(([path, text]) => [path, Buffer.from(text, 'latin1').toString('base64')]);
  await place.deploy('answers', ANSWERS, { build: { files: Object.fromEntries(base64) as unknown } });
  for (const wanted of ['text', 'json', 'error']) await place.invoke('answers', wanted);
  owned.push((bare = await OwnDashboard.start()), (guarded = await OwnDashboard.startAsking()));
  await guarded.deploy('shop', HELLO);
});
after(() => Promise.all(owned.map((each) => each.end())));

// What axe has found, by all of its rules or those named.
async function violations(page: Page, ...rules: string[]): Promise<string[]> {
  return page.evaluate(async (only) => {
    interface Found {
      violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[];
    }
    const { axe: checker } = window as unknown as { axe: { run: (options: object) => Promise<Found> } };
    const found = await checker.run({ resultTypes: ['violations'], ...(only.length > 0 ? { runOnly: only } : {}) });
    return found.violations.flatMap((each) =>
      each.nodes.map((node) => `${each.id}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ''}`),
    );
  }, rules);
}

// What can be clicked and the keyboard does not reach, or reaches without showing it. In a menu, among radio buttons and
// in an editor it is arrows that lead on.
async function unreachable(page: Page): Promise<string[]> {
  await page.keyboard.press('Shift'); // from now on the browser shows where the focus is
  return page.evaluate(() => {
    const CLICKED = 'a[href], button, input, select, textarea, summary, label, [tabindex]:not(main), [role=option]';
    const within =
      document.querySelector('[role=menu]') ??
      document.querySelector('dialog[open]') ??
      document.querySelector('.over');
    const begin = document.activeElement as HTMLElement | null;
    const complaints: string[] = [];
    const isSeen = (each: Element) => each.checkVisibility({ visibilityProperty: true });
    const hasRing = (each: Element | null) => {
      const style = each && getComputedStyle(each);
      return style !== null && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
    };
    for (const each of (within ?? document.body).querySelectorAll<HTMLElement>('*')) {
      if (!isSeen(each) || each.shadowRoot) continue;
      const what = `${each.outerHTML.slice(0, 120)}`;
      if (!each.matches(CLICKED)) {
        const clicked = getComputedStyle(each).cursor === 'pointer' && each.closest(CLICKED) === null;
        if (clicked) complaints.push(`no key leads to what is clicked: ${what}`);
        continue;
      }
      const isOff = each.matches(':disabled, label') || each.closest('[inert]') !== null;
      const byArrows = each.matches('[role=menuitem], [role=option], [type=radio]');
      if (isOff || (each.tabIndex < 0 && each.matches('[tabindex]:not(button, a, input)'))) continue;
      if (each.tabIndex < 0 && !byArrows) complaints.push(`left out by Tab: ${what}`);
      each.focus({ preventScroll: true });
      if (document.activeElement !== each) complaints.push(`takes no focus: ${what}`);
      else if (![each, each.closest('label'), each.parentElement].some(hasRing)) complaints.push(`no ring: ${what}`);
    }
    begin?.focus({ preventScroll: true });
    return complaints;
  });
}

async function wear(page: Page, theme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme: theme });
  await page.locator(`:root[data-theme=${theme}]`).waitFor();
  // Until it is painted.
  await page.evaluate(() => new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted))));
}

async function show(page: Page, screen: Screen, login: string): Promise<void> {
  const { as, path, does, shows } = screen;
  if (as !== undefined && as !== login) {
    const { Name, Password } = guarded.people?.[as] ?? {};
    const body = JSON.stringify({ username: Name, password: Password });
    await page.context().clearCookies();
    const headers = { 'Content-Type': 'application/json', 'X-Nuclio-Csrf': '1' };
    const made = await page.request.post('/api/v2/session', { headers, data: body });
    assert(made.ok(), await made.text());
  }
  await page.unrouteAll();
  await page.goto(path);
  await does?.(page);
  await page.locator(shows).first().waitFor();
  await page.waitForTimeout(200);
}

const looks = { light: { width: 1280, height: 800 }, narrow: { width: 360, height: 740 } };
const tables = {
  'who works': { screens: SCREENS, at: () => place },
  'who begins, and who loses the dashboard': { screens: BARE, at: () => bare },
  'who is asked who they are': { screens: GUARDED, at: () => guarded },
};
for (const [who, { screens, at }] of Object.entries(tables))
  for (const [look, size] of Object.entries(looks)) {
    // They are the same screens on a cluster: one look at them there is enough.
    const skip = onCluster && (look !== 'light' || screens !== SCREENS);
    const name = `what ${who} sees, ${look}: nobody is kept out, and nothing is wider than the window`;
    test(name, { timeout: 180_000, skip }, async (t) => {
      if (screens === BARE) await bare.stop().then(() => bare.start());
      // Those of who is asked begin without a login.
      const visitor = await (screens === GUARDED ? arrive : visit)(t, at(), '/', size);
      const { page, context } = visitor;
      // Wrong logins, a function that fails, one that is not there, and a dashboard that is gone.
      visitor.expect(/status of 401|status of 500|status of 404 .*\/nobody|ERR_/);
      // By the driver, not by the page, whose policy lets nothing in.
      await context.addInitScript(axe);
      const complaints: string[] = [];
      let login = '';
      for (const [name, screen] of Object.entries(screens)) {
        if (onCluster && (screen.does || screen.path === '/functions/answers')) continue;
        const complain = (found: string[]) => complaints.push(...found.map((each) => `${name}: ${each}`));
        try {
          await show(page, screen, login);
        } catch (error) {
          complain([String(error)]);
        }
        login = screen.as ?? '';
        await screenshot(page, `${name}-${look}`);
        complain(await violations(page));
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (wide > 0) complain([`${wide} px wider than the window`]);
        if (look === 'narrow') continue;
        await wear(page, 'dark');
        await screenshot(page, `${name}-dark`);
        complain(await violations(page, 'color-contrast'));
        complain(await unreachable(page));
        await wear(page, 'light');
      }
      assert.deepEqual(complaints, []);
    });
  }
