// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';

import { ApiError } from './api.ts';
import { CodeDraft } from './code_draft.svelte.ts';
import type { FunctionPage } from './function_page.svelte.ts';
import { decodeCode, encodeCode } from './functions.ts';
import type { Files, FunctionObject } from './types.ts';

function functionOf(text: string, resourceVersion: string): FunctionObject {
  const build = { functionSourceCode: encodeCode(text) };
  return { metadata: { name: 'f', resourceVersion }, spec: { runtime: 'python', handler: 'f:handler', build } };
}

// A page whose server is the test: `answers` are what it says to one deploy after the other.
class Page {
  object = $state.raw(functionOf('old', '1'));
  brief = $state.raw<FunctionObject>(functionOf('old', '1'));
  loads = (): FunctionObject => this.object;
  sent: string[] = [];
  files: (Files | undefined)[] = [];

  constructor(readonly answers: (() => void)[]) {}
  deploy(change: (object: FunctionObject) => void): Promise<void> {
    const object = structuredClone(this.object);
    change(object);
    this.sent.push(decodeCode(object.spec.build?.functionSourceCode ?? ''));
    this.files.push(object.spec.build?.files);
    const answer = this.answers.shift();
    return Promise.resolve().then(answer);
  }
  load(): Promise<FunctionObject> {
    this.object = this.loads();
    return Promise.resolve(this.object);
  }
  // Which is over when the test says so.
  untilSettled(after: string): Promise<FunctionObject> {
    this.waitsAfter = after;
    return new Promise((resolve) => (this.settles = resolve));
  }
  waitsAfter = '';
  settles: (now: FunctionObject) => void = () => {};
}
function drafted(...answers: (() => void)[]): { page: Page; draft: CodeDraft } {
  const page = new Page(answers);
  return { page, draft: new CodeDraft(page as unknown as FunctionPage) };
}
const fails = (status: number) => () => {
  throw new ApiError(status, `said ${status}`);
};

describe('what somebody else deploys meanwhile', () => {
  it('is taken when nothing was written', () => {
    const { draft } = drafted();
    draft.follow(functionOf('theirs', '2'));
    expect(draft.text).toBe('theirs');
    expect(draft.changed).toBe(false);
  });
  it('is told when something was, and the choice is kept', () => {
    const { draft } = drafted();
    draft.text = 'mine';
    draft.follow(functionOf('theirs', '2'));
    expect(draft.theirs?.text).toBe('theirs');
    expect(draft.text).toBe('mine');
    draft.keepMine();
    draft.follow(functionOf('theirs', '3'));
    expect(draft.theirs).toBeUndefined();
    expect(draft.changed).toBe(true);
  });
  it('replaces what was written when that is wanted', () => {
    const { draft } = drafted();
    draft.text = 'mine';
    draft.follow(functionOf('theirs', '2'));
    draft.takeTheirs();
    expect(draft.text).toBe('theirs');
    expect(draft.changed).toBe(false);
  });
  it('is not what only the status of the function has changed', () => {
    const { draft } = drafted();
    draft.text = 'mine';
    draft.follow(functionOf('old', '2'));
    expect(draft.theirs).toBeUndefined();
  });
});

describe('several files', () => {
  it('are one code: who changes one of them has changed it', () => {
    const { page, draft } = drafted(() => undefined);
    draft.files = { 'lib/a.py': encodeCode('a') };
    expect(draft.changed).toBe(true);
    void draft.deploy();
    expect(page.files.at(-1)).toEqual({ 'lib/a.py': encodeCode('a') });
    draft.files = {};
    expect(draft.changed).toBe(false);
    draft.text = 'other';
    void draft.deploy();
    expect(page.files.at(-1)).toBeUndefined();
  });
  it('change their parts when the handler is in another of them', () => {
    const { page, draft } = drafted(() => undefined);
    draft.files = { 'lib/a.py': encodeCode('a') };
    draft.handler = 'lib.a:handler';
    void draft.deploy();
    expect(page.sent).toEqual(['a']);
    expect(page.files.at(-1)).toEqual({ 'f.py': encodeCode('old') });
    draft.handler = 'f:handler';
    draft.settleFile();
    expect(draft.text).toBe('old');
    expect(draft.files).toEqual({ 'lib/a.py': encodeCode('a') });
  });
  it('stay what they are while the handler of the only file is typed', () => {
    const { draft } = drafted();
    draft.handler = 'renamed:handler';
    draft.settleFile();
    expect(draft.text).toBe('old');
    expect(draft.files).toEqual({});
  });
});

describe('a deploy', () => {
  it('is nobody else’s change, and leaves what is written meanwhile', async () => {
    const { draft } = drafted(() => {
      draft.text = 'newer';
      draft.follow(functionOf('new', '2'));
    });
    draft.text = 'new';
    await draft.deploy();
    expect(draft.theirs).toBeUndefined();
    expect(draft.text).toBe('newer');
    expect(draft.changed).toBe(true);
  });
  it('does not lose what is written meanwhile, whenever the new version is told of', async () => {
    let answer: () => void = () => {};
    const { page, draft } = drafted(() => {});
    page.deploy = () => new Promise((resolve) => (answer = resolve));
    draft.text = 'new';
    const deploying = draft.deploy();
    draft.text = 'new and';
    draft.follow(functionOf('new', '2')); // it is being built
    draft.text = 'new and newer';
    draft.follow(functionOf('new', '3')); // it is ready
    answer();
    await deploying;
    draft.follow(functionOf('new', '3')); // as it was asked for
    expect(draft.theirs).toBeUndefined();
    expect(draft.text).toBe('new and newer');
    expect(draft.changed).toBe(true);
    // And what is somebody else's is seen as before.
    draft.follow(functionOf('theirs', '4'));
    expect(draft.theirs?.text).toBe('theirs');
    expect(draft.text).toBe('new and newer');
  });
  it('that fails has changed the function all the same', async () => {
    const { draft } = drafted(fails(500));
    draft.text = 'new';
    await expect(draft.deploy()).rejects.toThrow('said 500');
    expect(draft.changed).toBe(false);
  });
  it('that is refused has not', async () => {
    const { draft } = drafted(fails(400));
    draft.text = 'new';
    await expect(draft.deploy()).rejects.toThrow('said 400');
    expect(draft.changed).toBe(true);
  });
  it('is made again when nothing but the version was newer', async () => {
    const { page, draft } = drafted(fails(409), () => {});
    page.loads = () => functionOf('old', '7');
    draft.text = 'new';
    await draft.deploy();
    expect(page.sent).toEqual(['new', 'new']);
  });
  it('is not made over code that nobody here has seen', async () => {
    const { page, draft } = drafted(fails(409), () => {});
    page.loads = () => functionOf('theirs', '7');
    draft.text = 'new';
    await expect(draft.deploy()).rejects.toThrow('said 409');
    expect(page.sent).toEqual(['new']);
  });
  it('that never came to the dashboard is no deploy', async () => {
    const { draft } = drafted(fails(0));
    draft.text = 'new';
    await expect(draft.deploy()).rejects.toThrow('said 0');
    expect(draft.changed).toBe(true);
  });
  it('is waited for by the stream when something between gave up', async () => {
    const { page, draft } = drafted(fails(504));
    draft.text = 'new';
    page.loads = () => functionOf('new', '2');
    let over = false;
    const deploying = draft.deploy().then(() => (over = true));
    await new Promise((resolve) => setTimeout(resolve));
    // What the stream said last is older than the deploy.
    expect(page.waitsAfter).toBe('1');
    expect(over).toBe(false);
    page.settles(functionOf('new', '2'));
    await deploying;
    expect(draft.changed).toBe(false);
  });
  it('says how it failed when something between gave up', async () => {
    const { page, draft } = drafted(fails(504));
    draft.text = 'new';
    page.loads = () => functionOf('new', '2');
    const deploying = draft.deploy();
    await new Promise((resolve) => setTimeout(resolve));
    page.settles({ ...functionOf('new', '2'), status: { state: 'error', message: 'line 3' } });
    await expect(deploying).rejects.toThrow('line 3');
    expect(draft.changed).toBe(false);
  });
});
