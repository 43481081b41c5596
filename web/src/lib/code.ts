// SPDX-License-Identifier: Apache-2.0
// Where a function's code is, and what a change of it makes of the function.

import type { Language } from './editor.ts';
import { decodeCode, encodeCode } from './functions.ts';
import { runtimeOfFile, runtimes } from './runtimes.ts';
import type { Build, Files, FunctionObject } from './types.ts';

const LANGUAGES: Record<string, Language> = { python: 'python', cpp: 'cpp', nodejs: 'javascript' };

// As spec.runtime names them: a language, and each version of it that can be asked for.
export const RUNTIMES = runtimes.flatMap((each) => [
  each.name,
  ...(each.versions ?? []).toReversed().map((version) => `${each.name}:${version}`),
]);

export type ElsewhereKind = 'file' | 'url' | 'git' | 'github' | 's3' | 'archive' | 'image' | 'none';
export type Code =
  { kind: 'here'; text: string; files: Files } | { kind: 'elsewhere'; what: ElsewhereKind; path: string };

// A build takes the inline code when it does not say by codeEntryType that the code comes from elsewhere.
export function codeOf(object: FunctionObject): Code {
  const build = object.spec.build ?? {};
  const { codeEntryType = '', path = '', functionSourceCode = '', files = {} } = build;
  const from = ['git', 'github', 's3', 'archive', 'image'].find((each) => each === codeEntryType);
  if (from) return { kind: 'elsewhere', what: from as ElsewhereKind, path: path === '' ? imageOf(object) : path };
  if (functionSourceCode !== '') return { kind: 'here', text: decodeCode(functionSourceCode), files };
  if (path === '') return { kind: 'elsewhere', what: imageOf(object) === '' ? 'none' : 'image', path: imageOf(object) };
  return { kind: 'elsewhere', what: path.includes('://') ? 'url' : 'file', path };
}
function imageOf(object: FunctionObject): string {
  const image = object.spec['image'];
  return typeof image === 'string' ? image : '';
}

export interface Edited {
  text: string; // of the handler's file
  files: Files; // the others
  runtime: string;
  handler: string;
}
export function sameCode(a: Edited, b: Edited): boolean {
  const [of, to] = [Object.entries(a.files), Object.entries(b.files)];
  const sameFiles = of.length === to.length && of.every(([path, content]) => b.files[path] === content);
  return a.text === b.text && a.runtime === b.runtime && a.handler === b.handler && sameFiles;
}

// A handler that names one of the other files makes it the handler's, and the one that was, in the file `was`, one of
// the others.
export function withHandlersFile(edited: Edited, was: string): Edited {
  const now = fileOf(edited.handler, edited.runtime);
  const content = edited.files[now];
  if (content === undefined) return edited;
  const { [now]: _, ...others } = edited.files;
  return { ...edited, text: decodeCode(content), files: { ...others, [was]: encodeCode(edited.text) } };
}

// What is to be deployed of this. With `codeIsHere` its code is in it then, and what said that the code is elsewhere is
// not, for it would either win or be untrue; without, the code is read again from where it is.
export function setCode(object: FunctionObject, edited: Edited, codeIsHere: boolean): void {
  const build: Build = { ...object.spec.build };
  if (codeIsHere) {
    build.functionSourceCode = encodeCode(edited.text);
    build.files = edited.files;
    if (Object.keys(edited.files).length === 0) delete build.files;
    for (const each of ['path', 'codeEntryType', 'codeEntryAttributes', 'mode']) delete build[each];
  }
  object.spec = { ...object.spec, runtime: edited.runtime, handler: edited.handler, build };
  // What keeps an import from being deployed.
  const annotations = { ...object.metadata.annotations };
  for (const each of ['skip-build', 'skip-deploy']) delete annotations[each];
  object.metadata = { ...object.metadata, annotations };
}

const runtimeOf = (runtime: string) => runtimes.find((each) => each.name === runtime.split(':')[0]);

export function languageOf(runtime: string): Language {
  return LANGUAGES[runtimeOf(runtime)?.name ?? ''] ?? 'text';
}
export function languageOfFile(path: string): Language {
  if (/\.ya?ml$/i.test(path)) return 'yaml';
  if (/\.json$/i.test(path)) return 'json';
  return LANGUAGES[runtimeOfFile(path)?.name ?? ''] ?? 'text';
}

// The file that the handler's code is put into, as the platform names it: "a.b:handler" is a/b.py.
export function fileOf(handler: string, runtime: string): string {
  const extensions = runtimeOf(runtime)?.extensions ?? [];
  const module = handler.split(':')[0] || 'main';
  if (extensions.some((each) => module.endsWith(each))) return module;
  return module.replaceAll('.', '/') + (extensions[0] ?? '');
}

// To go on from where there is no code yet.
export function beginningOf(runtime: string): string {
  return runtimeOf(runtime)?.example?.code ?? '';
}
