// SPDX-License-Identifier: Apache-2.0
// Where a journey is made: a dashboard of its own on this machine, or the one of a cluster that somebody has set up, and
// a browser that notices what must not happen.

import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { chromium, type Browser, type BrowserContext, type Locator, type Page } from 'playwright-core';

const ROOT = resolve(import.meta.dirname, '../..');
const BIN = process.env['NUCLIO_BIN'] ?? join(ROOT, 'build/release/bin');
const CHROMIUM = process.env['NUCLIO_CHROMIUM'] ?? '/usr/bin/chromium';
const SCREENSHOTS = process.env['NUCLIO_SCREENSHOTS'] ?? join(ROOT, 'build/screenshots');
// Nothing that a browser asks its maker for belongs into a test.
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const onCluster = process.env['NUCLIO_DASHBOARD'] !== undefined;
// What a deploy may take: an image is built and a pod started where there is a cluster.
export const DEPLOY_SECONDS = onCluster ? 120 : 30;

// What is written into the fields of the login, by their labels.
export type Credentials = Record<string, string>;

export interface People {
  maker: Credentials; // may do everything, and is whose calls api() makes
  viewer: Credentials; // may only look
  stranger: Credentials; // is not known
}

export interface Place {
  url: string;
  people: People | undefined; // where callers are asked who they are
  api(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }>;
  deploy(name: string, code: string, more?: Record<string, unknown>, project?: string): Promise<void>;
  forget(...names: string[]): Promise<void>;
  invoke(name: string, body: string): Promise<{ status: number; text: string }>;
  // The server is gone, whatever it was at, until start(). Functions stay.
  lose(): Promise<void>;
  start(): Promise<void>;
  // The maker with a token of its own. A login by it is over as soon as end() was called.
  passing(): Promise<{ credentials: Credentials; end(): Promise<void> }>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  assert(address !== null && typeof address === 'object');
  await new Promise((closed) => server.close(closed));
  return address.port;
}

// Until it holds; `what` is waited for.
export async function until(what: string, holds: () => Promise<boolean> | boolean, seconds = 30): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    assert(Date.now() < end, `not within ${seconds} s: ${what}`);
    await sleep(50);
  }
}

// As callers without a browser show who they are.
function authorization({ Token: token, Name: name, Password: password }: Credentials): string {
  if (token !== undefined) return `Bearer ${token}`;
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

// Functions that the journey itself has deleted: a page that asks for one in that moment is answered 404.
const forgotten = new Set<string>();

abstract class Dashboard implements Place {
  readonly url: string;
  people: People | undefined;
  constructor(url: string, people?: People) {
    this.url = url;
    this.people = people;
  }
  abstract lose(): Promise<void>;
  abstract start(): Promise<void>;

  private async call(method: string, path: string, more: Record<string, string>, body?: string) {
    const headers = { ...more };
    if (this.people) headers['Authorization'] = authorization(this.people.maker);
    const init: RequestInit = { method, headers, signal: AbortSignal.timeout(60_000) };
    if (body !== undefined) init.body = body;
    const answer = await fetch(this.url + path, init);
    return { status: answer.status, text: await answer.text() };
  }
  api(method: string, path: string, body?: unknown) {
    return this.call(method, path, { 'Content-Type': 'application/json' }, JSON.stringify(body));
  }
  async deploy(
    name: string,
    code: string,
    more: Record<string, unknown> = {},
    project: string | undefined = undefined,
  ): Promise<void> {
    const spec = {
      runtime: 'python:3.11',
      handler: 'main:handler',
      triggers: { web: { kind: 'http', numWorkers: 1 } },
      ...more,
      build: { functionSourceCode: Buffer.from(code).toString('base64'), ...(more['build'] as object | undefined) },
    };
    const labels = project === undefined ? {} : { 'nuclio.io/project-name': project };
    const before = JSON.parse((await this.api('GET', `/api/functions/${name}`)).text) as { spec?: unknown };
    const made = await this.api(
      before.spec ? 'PUT' : 'POST',
      before.spec ? `/api/functions/${name}` : '/api/functions',
      { metadata: { name, labels }, spec },
    );
    assert.equal(made.status, 202, made.text);
    await until(`${name} is ready`, async () => (await this.state(name)) === 'ready', DEPLOY_SECONDS);
  }
  invoke(name: string, body: string) {
    return this.call('POST', '/api/function_invocations', { 'X-Nuclio-Function-Name': name }, body);
  }
  async passing() {
    const made = await this.api('POST', '/api/v2/tokens', { name: 'a journey' });
    assert.equal(made.status, 201, made.text);
    const { id, token } = JSON.parse(made.text) as { id: string; token: string };
    const end = async () => {
      const { status, text } = await this.api('DELETE', `/api/v2/tokens/${id}`);
      assert.equal(status, 204, text);
    };
    return { credentials: { Token: token }, end };
  }
  protected async listens(): Promise<void> {
    const answers = async () => (await this.api('GET', '/api/versions').catch(() => undefined))?.status === 200;
    await until('the dashboard listens', answers);
  }
  private async state(name: string): Promise<string> {
    const { status } = JSON.parse((await this.api('GET', `/api/functions/${name}`)).text) as {
      status?: { state: string; message?: string };
    };
    assert.notEqual(status?.state, 'error', status?.message);
    return status?.state ?? '';
  }
  async forget(...names: string[]): Promise<void> {
    for (const name of names) {
      forgotten.add(name);
      const gone = async () => {
        const { status, text } = await this.api('DELETE', '/api/functions', { metadata: { name } });
        // While a deploy is on its way it is refused.
        assert(status === 204 || status === 412, text);
        return status === 204;
      };
      await until(`${name} is deleted`, gone, DEPLOY_SECONDS);
    }
  }
}

// A cluster's. Who has set it up says by which commands it goes and comes.
class ClusterDashboard extends Dashboard {
  constructor(environment: NodeJS.ProcessEnv) {
    const token = (name: string) => ({ Token: environment[name] ?? '' });
    super(environment['NUCLIO_DASHBOARD'] ?? '', {
      maker: token('NUCLIO_TOKEN'),
      viewer: token('NUCLIO_VIEWER_TOKEN'),
      stranger: { Token: 'nonsense' },
    });
  }
  lose(): Promise<void> {
    return this.run('NUCLIO_DASHBOARD_STOP');
  }
  async start(): Promise<void> {
    await this.run('NUCLIO_DASHBOARD_START');
    await this.listens();
  }
  private run(name: string): Promise<void> {
    const command = process.env[name];
    assert(command, `${name} is not set`);
    return new Promise((done, failed) => {
      execFile('/bin/sh', ['-c', command], { timeout: 120_000 }, (error, _, err) =>
        error ? failed(new Error(`${command}: ${error.message}\n${err}`)) : done(),
      );
    });
  }
}

// A dashboard with a home and a port of its own, which it keeps when it is started again.
export class OwnDashboard extends Dashboard {
  readonly home = mkdtempSync(join(tmpdir(), 'nuclio-journey-'));
  private process: ChildProcess | undefined;
  private flags: string[] = [];

  static async start(): Promise<OwnDashboard> {
    const made = new OwnDashboard(`http://127.0.0.1:${await freePort()}`);
    await made.start();
    return made;
  }
  // One that asks callers for a name and a password, or a token.
  static async startAsking(): Promise<OwnDashboard> {
    const made = new OwnDashboard(`http://127.0.0.1:${await freePort()}`, {
      maker: { Name: 'ada', Password: 'engine-of-1843' },
      viewer: { Name: 'viv', Password: 'only-looking' },
      stranger: { Name: 'ada', Password: 'wrong' },
    });
    const hash = async (password: string) => (await made.run('dashboard', ['hash-password'], password)).trim();
    const config = `users:
- {name: ada, passwordHash: "${await hash('engine-of-1843')}"}
- {name: viv, passwordHash: "${await hash('only-looking')}"}
grants:
- {user: ada, role: admin}
- {user: viv, role: viewer}
`;
    made.useFlags(['--auth-kind', 'basic,tokens', '--auth-config', write(made, 'auth.yaml', config)]);
    await made.start();
    return made;
  }
  // From its next start on.
  useFlags(flags: string[]): void {
    this.flags = flags;
  }
  private get environment() {
    return { ...process.env, NUCLIO_HOME: this.home };
  }
  async start(): Promise<void> {
    const { host } = new URL(this.url);
    const flags = ['--listen-addr', host, ...this.flags];
    this.process = spawn(join(BIN, 'dashboard'), flags, { env: this.environment, stdio: 'ignore' });
    await this.listens();
  }
  lose(): Promise<void> {
    return this.stop('SIGKILL');
  }
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const ending = this.process;
    if (!ending) return;
    this.process = undefined;
    const ended = new Promise((resolved) => ending.once('exit', resolved));
    ending.kill(signal);
    await ended;
  }
  // The functions end with it.
  async end(): Promise<void> {
    await this.stop();
    rmSync(this.home, { recursive: true, force: true });
  }
  run(program: string, args: string[], input = ''): Promise<string> {
    return new Promise((done, failed) => {
      const options = { env: this.environment, timeout: 60_000 };
      const running = execFile(join(BIN, program), args, options, (error, out, err) =>
        error ? failed(new Error(`${program}: ${error.message}\n${err}`)) : done(out),
      );
      running.stdin?.end(input);
    });
  }
}

const owned: OwnDashboard[] = [];
let browser: Browser | undefined;
after(async () => {
  await browser?.close();
  await Promise.all(owned.map((each) => each.end()));
});

async function clusterOr(start: () => Promise<OwnDashboard>): Promise<Place> {
  if (onCluster) return new ClusterDashboard(process.env);
  const own = await start();
  owned.push(own);
  return own;
}
// The cluster's, else one of the journey's own, which ends with it.
export const aPlace = () => clusterOr(() => OwnDashboard.start());
// The same, and callers are asked who they are.
export const aPlaceThatAsks = () => clusterOr(() => OwnDashboard.startAsking());

export interface Visit {
  context: BrowserContext;
  page: Page;
  problems: string[]; // what the browser complained of, and requests that went elsewhere
  expect(problem: RegExp): void; // one that the journey itself makes
}

export interface Looks {
  dark?: boolean;
  width?: number;
  height?: number;
}

// As arrive(), and logged in as who may do everything.
export async function visit(test: TestContext, place: Place, path = '/', looks: Looks = {}): Promise<Visit> {
  const made = await arrive(test, place, path, looks);
  if (place.people) {
    await logIn(made, place.people.maker);
    await made.page.getByRole('navigation', { name: 'Main navigation' }).waitFor();
  }
  return made;
}

// Opens a page that must not complain, and must fetch nothing from elsewhere. It is closed with the test, which fails
// when something was wrong.
export async function arrive(test: TestContext, place: Place, path = '/', looks: Looks = {}): Promise<Visit> {
  browser ??= await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  const context = await browser.newContext({
    viewport: { width: looks.width ?? 1280, height: looks.height ?? 800 },
    colorScheme: looks.dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
    baseURL: place.url,
  });
  context.setDefaultTimeout(15_000);
  const problems: string[] = [];
  const expected: RegExp[] = [];
  await context.route(
    (url) => url.origin !== place.url,
    (route) => {
      problems.push(`asked ${route.request().url()}`);
      return route.abort();
    },
  );
  const page = await context.newPage();
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
  page.on('console', (line) => {
    if (line.type() === 'error' || line.type() === 'warning')
      problems.push(`${line.type()}: ${line.text()} ${line.location().url}`);
  });
  const made: Visit = { context, page, problems, expect: (problem) => expected.push(problem) };
  test.after(async () => {
    // Node.js 24 has it; its types do not say so yet.
    const { passed } = test as unknown as { passed: boolean };
    if (!passed) await screenshot(page, `failed-${test.name.replaceAll(/\W+/g, '-').slice(0, 60)}`);
    await context.close();
    for (const name of forgotten) expected.push(new RegExp(`status of 404 .*/functions/${name}(/|\\?|$)`));
    const left = problems.filter((each) => !expected.some((pattern) => pattern.test(each)));
    assert.deepEqual(left, []);
  });
  await page.goto(path);
  return made;
}

export async function logIn({ page }: Visit, credentials: Credentials): Promise<void> {
  const form = page.getByRole('form', { name: 'Log in' });
  await form.waitFor();
  const other = form.getByRole('button', { name: 'Use a token' });
  if ('Token' in credentials && (await other.count()) > 0) await press(page, other);
  for (const [label, text] of Object.entries(credentials))
    await enter(page, form.getByLabel(label, { exact: true }), text);
  await page.keyboard.press('Enter');
}

export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = join(SCREENSHOTS, onCluster ? 'cluster' : 'process');
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

// A file beside the dashboard's home.
export function write(place: OwnDashboard, name: string, text: string): string {
  const path = join(place.home, name);
  writeFileSync(path, text);
  return path;
}

export const HELLO = "def handler(context, event):\n    context.logger.info('asked')\n    return 'hello'\n";

// By the keyboard alone: Tab, as often as it takes to get there. Fails when one cannot.
export async function reach(page: Page, wanted: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await wanted.waitFor();
  const reached = () =>
    wanted.evaluate((element) => (element.getRootNode() as Document | ShadowRoot).activeElement === element);
  for (let presses = 0; presses < 150; ++presses) {
    if (await reached()) return;
    // Tab is text in an editor; behind Escape it leaves.
    if (await page.evaluate(() => Boolean(document.activeElement?.shadowRoot?.activeElement)))
      await page.keyboard.press('Escape');
    await page.keyboard.press(key);
  }
  assert.fail(`not reached by ${key}: ${wanted}`);
}

export async function press(page: Page, wanted: Locator): Promise<void> {
  await reach(page, wanted);
  await page.keyboard.press('Enter');
}

// Takes the place of what is in the field.
export async function enter(page: Page, field: Locator, text: string): Promise<void> {
  await reach(page, field);
  await page.keyboard.press('Control+a');
  await page.keyboard.type(text);
}

// One of a group of radio buttons: Tab leads to the group, arrows through it.
export async function pick(page: Page, wanted: Locator): Promise<void> {
  await wanted.waitFor({ state: 'attached' });
  const isInGroup = () =>
    wanted.evaluate((element) => {
      const focused = document.activeElement;
      return focused instanceof HTMLInputElement && focused.name === (element as HTMLInputElement).name;
    });
  for (let presses = 0; presses < 150 && !(await isInGroup()); ++presses) await page.keyboard.press('Tab');
  for (let presses = 0; presses < 60; ++presses) {
    if (await wanted.isChecked()) return;
    await page.keyboard.press(presses === 0 ? 'Space' : 'ArrowDown');
  }
  assert.fail(`not chosen by arrows: ${wanted}`);
}

// One of a menu's, which opens with `button`.
export async function pickItem(page: Page, button: Locator, name: string): Promise<void> {
  await press(page, button);
  const item = page.getByRole('menuitem', { name });
  await item.waitFor();
  for (let presses = 0; presses < 20; ++presses) {
    if (await item.evaluate((element) => element === document.activeElement)) break;
    await page.keyboard.press('ArrowDown');
  }
  await page.keyboard.press('Enter');
}

// Takes the place of what is in the editor, which has the focus.
export async function replaceCode(page: Page, code: string): Promise<void> {
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(code);
}

// Milliseconds between the next key that is pressed and a text in the answer, both seen by the page itself, since the
// driver's own time is nobody's. What it gives is to be called once the key was pressed.
export async function timeUntilAnswered(
  page: Page,
  text: string,
  seconds = DEPLOY_SECONDS,
): Promise<() => Promise<number>> {
  await page.evaluate(
    ([wanted, most]) => {
      const answered = new Promise<number>((resolve, reject) => {
        const end = performance.now() + most * 1000;
        let begun = 0;
        window.addEventListener('keydown', () => (begun ||= performance.now()), { capture: true });
        // An answer may be in the shadow root that an editor lives in.
        const shows = (root: Element | ShadowRoot): boolean =>
          root.textContent.includes(wanted) ||
          [...root.querySelectorAll('*')].some((each) => each.shadowRoot !== null && shows(each.shadowRoot));
        const look = () => {
          const answer = document.querySelector('section.answer');
          if (begun > 0 && answer !== null && shows(answer)) resolve(performance.now() - begun);
          else if (performance.now() > end) reject(new Error(`"${wanted}" was not shown within ${most} s`));
          else requestAnimationFrame(look);
        };
        look();
      });
      (window as unknown as { answered: Promise<number> }).answered = answered;
    },
    [text, seconds] as const,
  );
  return () => page.evaluate(() => (window as unknown as { answered: Promise<number> }).answered);
}
