// SPDX-License-Identifier: Apache-2.0
// The files of a draft while somebody edits them: which is shown, and what is done with them.

import { texts } from '../texts.ts';
import type { CodeDraft } from './code_draft.svelte.ts';
import { fileOf, languageOf, languageOfFile } from './code.ts';
import type { GivenFile } from './create.ts';
import type { Language } from './editor.ts';
import { contentOf, pathProblem, type Content } from './files.ts';
import { encodeCode } from './functions.ts';

function check(path: string, others: readonly string[]): void {
  const problem = pathProblem(path, others);
  if (problem !== '') throw new Error(problem);
}

export class CodeFiles {
  private readonly draft: CodeDraft;
  private chosen = $state(''); // one of the others; the handler's otherwise

  constructor(draft: CodeDraft) {
    this.draft = draft;
  }

  readonly main = $derived.by(() => fileOf(this.draft.handler, this.draft.runtime)); // the handler's
  readonly others = $derived.by(() => Object.keys(this.draft.files));
  readonly all = $derived([this.main, ...this.others]);
  readonly shown = $derived.by(() => (this.draft.files[this.chosen] === undefined ? this.main : this.chosen));
  readonly content = $derived.by<Content>(() => {
    if (this.shown === this.main) return { text: this.draft.text };
    return contentOf(this.draft.files[this.shown] ?? '');
  });
  readonly language = $derived.by<Language>(() =>
    this.shown === this.main ? languageOf(this.draft.runtime) : languageOfFile(this.shown),
  );

  show(path: string): void {
    this.chosen = path;
  }
  // Into the one that is shown.
  write(text: string): void {
    if (this.shown === this.main) this.draft.text = text;
    else this.put(this.shown, encodeCode(text));
  }
  private put(path: string, content: string): void {
    this.draft.files = { ...this.draft.files, [path]: content };
  }

  // These throw what is wrong with a path, and then change nothing.
  add(path: string): void {
    check(path, this.all);
    this.put(path, '');
    this.show(path);
  }
  rename(from: string, to: string): void {
    const others = this.all.filter((each) => each !== from);
    check(to, others);
    const { [from]: content = '', ...rest } = this.draft.files;
    this.draft.files = { ...rest, [to]: content };
    this.show(to);
  }
  // They take the place of those that have their names, but for the handler's, which may be open in the editor.
  upload(given: readonly GivenFile[]): void {
    const files = { ...this.draft.files };
    for (const { path, content } of given) {
      if (path === this.main) throw new Error(texts.files.handlersFile(path));
      const others = [this.main, ...Object.keys(files)].filter((each) => each !== path);
      check(path, others);
      files[path] = content;
    }
    this.draft.files = files;
    if (given[0]) this.show(given[0].path);
  }
  // What is given takes it back, unless something else is there by then.
  remove(path: string): () => void {
    const { [path]: content = '', ...rest } = this.draft.files;
    this.draft.files = rest;
    return () => {
      if (pathProblem(path, this.all) === '') this.put(path, content);
    };
  }
}
