// SPDX-License-Identifier: Apache-2.0
// Where a function's code is, and what a change of it makes of the function.

import type { Language } from './editor.ts';
import { decodeCode, encodeCode } from './functions.ts';
import type { Build, FunctionObject } from './types.ts';

// Those that this platform brings; runtimes/*/runtime.json has them.
export const RUNTIMES = ['python', 'python:3.13', 'python:3.12', 'python:3.11', 'python:3.10', 'python:3.9', 'cpp'];
const EXTENSIONS: Record<string, string[]> = { python: ['.py'], cpp: ['.cc', '.cpp', '.cxx'] };
const LANGUAGES: Record<string, Language> = { python: 'python', cpp: 'cpp', nodejs: 'javascript' };

export type ElsewhereKind = 'file' | 'url' | 'git' | 'github' | 's3' | 'archive' | 'image' | 'none';
export type Code = { kind: 'here'; text: string } | { kind: 'elsewhere'; what: ElsewhereKind; path: string };

// A build takes the inline code when it does not say by codeEntryType that the code comes from elsewhere.
export function codeOf(object: FunctionObject): Code {
  const build = object.spec.build ?? {};
  const { codeEntryType = '', path = '', functionSourceCode = '' } = build;
  const from = ['git', 'github', 's3', 'archive', 'image'].find((each) => each === codeEntryType);
  if (from) return { kind: 'elsewhere', what: from as ElsewhereKind, path: path === '' ? imageOf(object) : path };
  if (functionSourceCode !== '') return { kind: 'here', text: decodeCode(functionSourceCode) };
  if (path === '') return { kind: 'elsewhere', what: imageOf(object) === '' ? 'none' : 'image', path: imageOf(object) };
  return { kind: 'elsewhere', what: path.includes('://') ? 'url' : 'file', path };
}
function imageOf(object: FunctionObject): string {
  const image = object.spec['image'];
  return typeof image === 'string' ? image : '';
}

export interface Edited {
  text: string;
  runtime: string;
  handler: string;
}

// The function with this code in it. What said that the code is elsewhere goes, for it would either win or be untrue;
// so does what keeps an import from being deployed.
export function setCode(object: FunctionObject, edited: Edited): void {
  const build: Build = { ...object.spec.build, functionSourceCode: encodeCode(edited.text) };
  for (const each of ['path', 'codeEntryType', 'codeEntryAttributes', 'mode']) delete build[each];
  object.spec = { ...object.spec, runtime: edited.runtime, handler: edited.handler, build };
  const annotations = { ...object.metadata.annotations };
  for (const each of ['skip-build', 'skip-deploy']) delete annotations[each];
  object.metadata = { ...object.metadata, annotations };
}

function languageName(runtime: string): string {
  return runtime.split(':')[0] ?? '';
}
export function languageOf(runtime: string): Language {
  return LANGUAGES[languageName(runtime)] ?? 'text';
}

// The file that the handler's code is put into, as the platform names it: "a.b:handler" is a/b.py.
export function fileOf(handler: string, runtime: string): string {
  const extensions = EXTENSIONS[languageName(runtime)] ?? [];
  const module = handler.split(':')[0] || 'main';
  if (extensions.some((each) => module.endsWith(each))) return module;
  return module.replaceAll('.', '/') + (extensions[0] ?? '');
}

const BEGINNINGS: Partial<Record<Language, string>> = {
  python: 'def handler(context, event):\n    return "Hello"\n',
  cpp:
    '#include <nuclio/nuclio.h>\n\n' +
    'std::string handler(nuclio::Context& context, const nuclio::Event& event) {\n  return "Hello";\n}\n' +
    'NUCLIO_HANDLER(handler)\n',
};
export function beginningOf(runtime: string): string {
  return BEGINNINGS[languageOf(runtime)] ?? '';
}
