// SPDX-License-Identifier: Apache-2.0
// What is far larger than a screen, or would rather not be text: the page stays responsive, and shows it safely. On this
// machine alone, since nodes cut and turn over what pods write.
import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';

import type { Page } from 'playwright-core';

import { onCluster, OwnDashboard, press, reach, screenshot, until, visit } from './place.ts';

const MARKUP = '<img src=x onerror=alert(1)><b>bold</b>';
const LINES = 100_000;
// A page that does not answer for so long feels broken.
const LONGEST_FRAME_MILLISECONDS = 500;
const limit = { timeout: 200_000, skip: onCluster };

let place: OwnDashboard;
before(async () => {
  if (onCluster) return;
  place = await OwnDashboard.start();
  const code = `import sys
def handler(context, event):
    wanted = event.body.decode()
    if wanted == 'large':
        return 'x' * 79 + '\\n' + ('y' * 79 + '\\n') * (10 * 1024 * 1024 // 80)
    if wanted.startswith('few'):
        sys.stdout.write(''.join('%s %d\\n' % (wanted, at) for at in range(100)))
        return 'written'
    if wanted == 'lines':
        sys.stdout.write(''.join('line %d of many\\n' % at for at in range(${LINES})))
        return 'written'
    context.logger.info('${MARKUP}')
    return context.Response(body='${MARKUP}', content_type='text/html')
`;
  await place.deploy('giant', code);
});

after(() => place?.end());

// Watches until the test ends; what it gives is the longest time between two frames, in milliseconds.
async function longestFrame(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const seen = { longest: 0, before: performance.now() };
    const look = (now: number) => {
      seen.longest = Math.max(seen.longest, now - seen.before);
      seen.before = now;
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    (window as unknown as { seen: { longest: number } }).seen = seen;
  });
  return () => page.evaluate(() => (window as unknown as { seen: { longest: number } }).seen.longest);
}

async function send(page: Page, body: string): Promise<void> {
  await reach(page, page.getByRole('textbox', { name: 'Body' }));
  await page.keyboard.press('Control+a');
  await page.keyboard.type(body);
  await page.keyboard.press('Control+Enter');
}

function tell(t: TestContext, what: string, longest: number): void {
  t.diagnostic(`${what}: the longest frame took ${longest.toFixed(0)} ms`);
  assert(longest <= LONGEST_FRAME_MILLISECONDS, `${longest} ms`);
}

test('an answer of 10 MB is shown in part, and can be had as a file', limit, async (t) => {
  const { page } = await visit(t, place, '/functions/giant/test');
  await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
  const longest = await longestFrame(page);
  await send(page, 'large');
  const answer = page.locator('section.answer');
  await answer.getByText('xxxxxxxx').first().waitFor();
  tell(t, 'an answer of 10 MB', await longest());
  const shown = await answer.evaluate((element) => element.textContent.length);
  assert(shown < 1024 * 1024, `${shown} characters are in the page`);
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    press(page, answer.getByRole('button', { name: 'Download the body' })),
  ]);
  assert.equal(await file.failure(), null);
  await screenshot(page, 'answer-large');
});

test('markup in an answer and in a log is text', limit, async (t) => {
  const { page } = await visit(t, place, '/functions/giant/test');
  await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
  await send(page, 'markup');
  await page.locator('section.answer').getByText(MARKUP).first().waitFor();
  await page.keyboard.press('Alt+5');
  await page.getByText(MARKUP).first().waitFor();
  assert.equal(await page.locator('img[src=x]').count(), 0);
});

test('what is logged last is in sight', limit, async (t) => {
  const { page } = await visit(t, place, '/functions/giant/logs');
  const rows = page.getByRole('region', { name: 'What giant logs' });
  for (const each of ['few', 'few more', 'few at last']) {
    await place.invoke('giant', each);
    const last = page.getByText(`${each} 99`, { exact: true });
    await last.waitFor();
    const inSight = async () => {
      const [row, box] = [await last.boundingBox(), await rows.boundingBox()];
      return row !== null && box !== null && row.y >= box.y && row.y + row.height <= box.y + box.height;
    };
    await until(`"${each} 99" is in sight`, inSight, 5);
  }
});

test('a log of 100 000 lines scrolls and is searched', limit, async (t) => {
  const { page } = await visit(t, place, '/functions/giant/logs');
  await page.getByText('Following').first().waitFor();
  const longest = await longestFrame(page);
  await place.invoke('giant', 'lines');
  await page.getByText(`line ${LINES - 1} of many`).waitFor({ timeout: 60_000 });
  tell(t, 'a log of 100 000 lines', await longest());
  await reach(page, page.getByRole('searchbox', { name: 'Search the log' }));
  await page.keyboard.type(`line ${LINES - 77} of`);
  await page.getByText(`line ${LINES - 1} of many`).waitFor({ state: 'hidden' });
  await page
    .getByText(`line ${LINES - 77} of many`)
    .first()
    .waitFor();
  tell(t, 'a search in it', await longest());
  await screenshot(page, 'logs-large');
});
