// SPDX-License-Identifier: Apache-2.0
// From templates, files and texts to the function that is to be created.

import { texts } from '../texts.ts';
import { fileOf } from './code.ts';
import { decodeCode, encodeCode, PROJECT_LABEL } from './functions.ts';
import { runtimeOfFile, runtimes, type Runtime } from './runtimes.ts';
import type { FunctionObject, Json, JsonObject, Metadata } from './types.ts';

const t = texts.create;

// As the server checks it: a DNS label. "" when the name is fine.
export function nameProblem(name: string, taken: (name: string) => boolean = () => false): string {
  if (name === '') return t.nameMissing;
  if (name.length > 63) return t.nameLong(name.length);
  if (!/^[a-z0-9-]*$/.test(name)) return t.nameLetters;
  if (!/^[a-z0-9].*[a-z0-9]$|^[a-z0-9]$/.test(name)) return t.nameEnds;
  return taken(name) ? t.nameTaken(name) : '';
}

// The nearest name that is free: "Hello World.py" gives hello-world, or hello-world-2.
export function freeName(wanted: string, taken: (name: string) => boolean): string {
  const base =
    wanted
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 58)
      .replace(/^-+|-+$/g, '') || 'function';
  let name = base;
  for (let n = 2; taken(name); n++) name = `${base}-${n}`;
  return name;
}

export interface TemplateValue {
  displayName?: string;
  kind?: string;
  description?: string;
  required?: boolean;
  order?: number;
  attributes?: { defaultValue?: Json; password?: boolean; minValue?: number; maxValue?: number; choices?: string[] };
}
export interface Template {
  metadata: { name: string };
  template: string;
  values?: Record<string, TemplateValue> | null;
}

// What a list shows of a template. Its text is YAML only once its open values are filled in, so it is searched.
export function aboutTemplate(template: Template): { description: string; runtime: string; code: string } {
  const of = (field: string) =>
    new RegExp(`^ +${field}: *(.+?) *$`, 'm').exec(template.template)?.[1]?.replace(/^(['"])(.*)\1$/, '$2') ?? '';
  let code = '';
  try {
    code = decodeCode(of('functionSourceCode'));
  } catch {
    // Its code is elsewhere, or still open.
  }
  return { description: of('description'), runtime: of('runtime'), code };
}

export function valuesOf(template: Template): [string, TemplateValue][] {
  return Object.entries(template.values ?? {}).sort(([, a], [, b]) => (a.order ?? 0) - (b.order ?? 0));
}

// The smallest function of a language.
export function emptyFunction(runtime: Runtime): FunctionObject {
  const { file = '', code = '' } = runtime.example ?? {};
  return {
    metadata: { name: '' },
    spec: {
      runtime: runtime.name,
      handler: `${moduleOf(file)}:handler`,
      build: { functionSourceCode: encodeCode(code) },
    },
  };
}
function moduleOf(file: string): string {
  return file.replace(/\.[^.]*$/, '');
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// A function out of what YAML or JSON says; throws what is wrong with it.
export function functionFrom(value: unknown): FunctionObject {
  if (!isObject(value)) throw new Error(t.notAFunction);
  if ('project' in value && 'functions' in value) throw new Error(t.isProject);
  const spec = value['spec'];
  if (!isObject(spec)) {
    const several = Object.values(value).filter((each) => isObject(each) && isObject(each['spec'])).length;
    throw new Error(several > 0 ? t.severalFunctions(several) : t.notAFunction);
  }
  const {
    name = '',
    namespace,
    labels,
    annotations,
  } = (isObject(value['metadata']) ? value['metadata'] : {}) as Partial<Metadata>;
  // An export is made so that its import neither builds nor deploys; who creates it here wants it to run.
  const kept = Object.fromEntries(
    Object.entries(annotations ?? {}).filter(([key]) => !/^skip-(build|deploy)$/.test(key)),
  );
  const metadata: Metadata = {
    name,
    ...(namespace ? { namespace } : {}),
    ...(labels ? { labels } : {}),
    ...(Object.keys(kept).length > 0 ? { annotations: kept } : {}),
  };
  return { metadata, spec: spec as FunctionObject['spec'] };
}

export interface GivenFile {
  path: string;
  content: string; // base64
}
export interface FromFiles {
  object: FunctionObject | undefined;
  problem: string;
  leftOut: string[];
  // The files that the handler may be in, where the files do not say it themselves, and the one that it was taken to be.
  choices: string[];
  main: string;
}
export function isConfig(path: string): boolean {
  return /(^|\/)function\.ya?ml$/.test(path);
}
// What a folder has beside its code, and a function runs without.
const BESIDE =
  /(^|\/)(\.[^/]+|__pycache__|node_modules|README[^/]*|LICENSE[^/]*)(\/|$)|\.(md|pyc)$|(^|\/)(test_[^/]*|[^/]*_test)\.[a-z]+$/i;
const ARCHIVE = /\.(zip|tar|tgz|tar\.gz|jar)$/i;
const USUAL = /^(main|handler|function|index|app)\.[^/]+$/;

const folderOf = (path: string) => path.replace(/[^/]*$/, '');
// What is above all of them: "shop/" of shop/main.py and shop/lib/prices.py.
function sharedFolder(paths: readonly string[]): string {
  let shared = folderOf(paths[0] ?? '');
  while (!paths.every((each) => each.startsWith(shared))) shared = folderOf(shared.slice(0, -1));
  return shared;
}

// The code in one file or in a folder, and maybe the function.yaml beside it. `main` is the file with the handler, for
// when that is a question.
export function functionFromFiles(files: GivenFile[], parse: (yaml: string) => unknown, main?: string): FromFiles {
  const leftOut = files.filter((each) => BESIDE.test(each.path)).map((each) => each.path);
  const given = files.filter((each) => !BESIDE.test(each.path));
  const refused = (problem: string): FromFiles => ({ object: undefined, problem, leftOut, choices: [], main: '' });
  const configs = given.filter((each) => isConfig(each.path));
  const config = configs[0];
  const archive = given.find((each) => ARCHIVE.test(each.path));
  if (archive && given.length - configs.length === 1) return refused(t.archive(archive.path));
  if (configs.length > 1) return refused(t.severalConfigs);
  const root = config ? folderOf(config.path) : sharedFolder(given.map((each) => each.path));
  const code = given.filter((each) => !isConfig(each.path));
  const outside = code.find((each) => !each.path.startsWith(root));
  if (outside) return refused(t.outside(outside.path, root));
  const contents = new Map(code.map((each) => [each.path.slice(root.length), each.content]));
  let object: FunctionObject = { metadata: { name: '' }, spec: {} };
  try {
    if (config) object = functionFrom(parse(decodeCode(config.content)));
  } catch (error) {
    return refused(`${config?.path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (contents.size === 0) return config ? { object, problem: '', leftOut, choices: [], main: '' } : refused(t.noFiles);

  const { runtime: saidRuntime, handler: saidHandler } = object.spec;
  const fits = (path: string) => {
    const runtime = runtimeOfFile(path)?.name;
    return runtime !== undefined && (!saidRuntime || saidRuntime.split(':')[0] === runtime);
  };
  const paths = [...contents.keys()];
  const sources = paths.length === 1 && saidRuntime ? paths : paths.filter(fits);
  if (sources.length === 0)
    return refused(t.unknownLanguage(paths[0] ?? '', runtimes.flatMap((each) => each.extensions).join(', ')));
  const choices = saidHandler ? [] : sources;
  let handlers = sources.find((each) => each === main) ?? sources.find((each) => USUAL.test(each)) ?? sources[0] ?? '';
  if (saidHandler && sources.length > 1) {
    handlers = fileOf(saidHandler, saidRuntime ?? runtimeOfFile(handlers)?.name ?? '');
    if (!contents.has(handlers)) return refused(t.noHandlersFile(saidHandler, handlers));
  }
  object = structuredClone(object);
  const folder = root.replace(/\/$/, '').replace(/^.*\//, '');
  if (object.metadata.name === '')
    object.metadata.name = contents.size > 1 && folder !== '' ? folder : moduleOf(handlers.replace(/^.*\//, ''));
  object.spec.runtime ??= runtimeOfFile(handlers)?.name ?? '';
  object.spec.handler ??= `${moduleOf(handlers).replaceAll('/', '.')}:handler`;
  const build = object.spec.build ?? {};
  for (const each of ['path', 'files']) delete build[each];
  object.spec.build = { ...build, functionSourceCode: contents.get(handlers) ?? '' };
  contents.delete(handlers);
  if (contents.size > 0) object.spec.build.files = Object.fromEntries(contents);
  return { object, problem: '', leftOut, choices, main: handlers };
}

// Ready to be sent: the name and the project are those that were chosen.
export function named(object: FunctionObject, name: string, project: string): FunctionObject {
  const labels = { ...object.metadata.labels, [PROJECT_LABEL]: project };
  return { metadata: { ...object.metadata, name, labels }, spec: object.spec };
}
