// SPDX-License-Identifier: Apache-2.0
// The code of a function while somebody edits it: what they have written, what it was made from, and what became of the
// function on the server meanwhile.

import { untrack } from 'svelte';

import { ApiError } from './api.ts';
import { codeOf, fileOf, sameCode, setCode, withHandlersFile, type Edited } from './code.ts';
import type { FunctionPage } from './function_page.svelte.ts';
import { stateOf } from './states.ts';
import type { Files, FunctionObject } from './types.ts';

function editedOf(object: FunctionObject): Edited {
  const code = codeOf(object);
  return {
    text: code.kind === 'here' ? code.text : '',
    files: code.kind === 'here' ? code.files : {},
    runtime: object.spec.runtime ?? '',
    handler: object.spec.handler ?? '',
  };
}

export class CodeDraft {
  private readonly page: FunctionPage;
  text = $state('');
  files = $state.raw<Files>({});
  runtime = $state('');
  handler = $state('');
  // Code that is elsewhere is replaced by what is written here.
  replaces = $state(false);
  // Somebody else's, of which one has not decided yet.
  theirs = $state.raw<Edited | undefined>(undefined);
  private base = $state.raw<Edited>({ text: '', files: {}, runtime: '', handler: '' });
  private sent: Edited | undefined;

  constructor(page: FunctionPage) {
    this.page = page;
    if (page.object) this.take(editedOf(page.object));
  }

  readonly code = $derived.by(() => (this.page.object ? codeOf(this.page.object) : undefined));
  readonly isHere = $derived(this.code?.kind === 'here' || this.replaces);
  private readonly edited = $derived<Edited>({
    text: this.text,
    files: this.files,
    runtime: this.runtime,
    handler: this.handler,
  });
  readonly changed = $derived(!sameCode(this.edited, this.base) || (this.replaces && this.code?.kind !== 'here'));

  // Call it in an $effect: the function has another version. That alone is a reason to look: what was deployed a moment
  // ago is another base while the object is still the one before.
  follow(object: FunctionObject): void {
    untrack(() => this.compare(object));
  }
  private compare(object: FunctionObject): void {
    const now = editedOf(object);
    if (sameCode(now, this.base) || (this.sent && sameCode(now, this.sent))) return;
    // Our own text, deployed by somebody, or by us in another window.
    if (sameCode(now, this.edited)) this.base = now;
    else if (!this.changed) this.take(now);
    else this.theirs = now;
  }
  takeTheirs(): void {
    if (this.theirs) this.take(this.theirs);
  }
  keepMine(): void {
    if (this.theirs) this.base = this.theirs;
    this.theirs = undefined;
  }
  private take(edited: Edited): void {
    this.base = edited;
    this.put(edited);
    this.theirs = undefined;
    this.replaces = false;
  }

  private put({ text, files, runtime, handler }: Edited): void {
    this.text = text;
    this.files = files;
    this.runtime = runtime;
    this.handler = handler;
    this.file = fileOf(handler, runtime);
  }
  // Call it when a handler or a runtime has been chosen, not while one is typed: see withHandlersFile().
  settleFile(): void {
    this.put(withHandlersFile(this.edited, this.file));
  }
  private file = ''; // the handler's, when it was settled last

  // Done when the new version serves; throws what was wrong with it. One may go on writing meanwhile.
  async deploy(): Promise<void> {
    this.settleFile();
    const sent = { ...this.edited };
    this.sent = sent;
    try {
      await this.send(sent);
      this.accepted(sent);
    } catch (error) {
      // It was taken, and could not be brought up: this is what the function now is.
      if (error instanceof ApiError && error.status === 500) this.accepted(sent);
      throw error;
    } finally {
      this.sent = undefined;
    }
  }
  private accepted(sent: Edited): void {
    this.base = sent;
    this.replaces = false;
  }

  private async send(sent: Edited): Promise<void> {
    const before = this.page.brief?.metadata.resourceVersion;
    const isHere = this.isHere;
    const change = (object: FunctionObject) => setCode(object, sent, isHere);
    try {
      await this.page.deploy(change, 'settled');
    } catch (error) {
      const { status } = error instanceof ApiError ? error : { status: -1 };
      // A version that says nothing about the code, as a cluster makes one for each change of the status.
      if (status === 409 && (await this.onlyVersionIsNewer())) {
        await this.page.deploy(change, 'settled');
        return;
      }
      // Something between us and the dashboard does not wait as long as a build takes. The stream tells the end.
      if (![0, 502, 503, 504].includes(status)) throw error;
      await this.page.load();
      if (this.page.object?.metadata.resourceVersion === before) throw error;
      const now = await this.page.untilSettled(before);
      if (stateOf(now) === 'error') throw new ApiError(500, now.status?.message ?? 'error');
    }
  }
  private async onlyVersionIsNewer(): Promise<boolean> {
    await this.page.load();
    return this.page.object !== undefined && sameCode(editedOf(this.page.object), this.base);
  }
}
